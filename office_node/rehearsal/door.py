"""The way into every place of simulated WIPO: what ails it, who may come in, what was scripted; then its deed."""

import time
from collections.abc import Callable

from flask import Response, jsonify, request

from office_node.rehearsal import hostile_answers
from office_node.rehearsal.central import Central
from office_node.rehearsal.faults import Faults
from office_node.rehearsal.hostile_answers import hung_up
from office_node.rehearsal.hostility import Fate
from office_node.rehearsal.refusals import Refused, StoreRefused, das_failure, store_failure
from office_node.rehearsal.scripts import Script

_BLOCK_BYTES = 1 << 18
Deed = Callable[[], Response]


def at(central: Central, place: str, deed: Deed, *, bearer: bool = True) -> Response:
    """The answer of `place`; with `bearer` only to who brings a token of ours."""
    return entered(central, place, lambda: played(central.scripts.due(place), deed), bearer=bearer)


def entered(central: Central, place: str, deed: Deed, *, bearer: bool = True) -> Response:
    """The same for a deed that looks for its script by itself."""
    ill = suffered(central.faults, place)
    if ill is not None:
        return ill
    fate, chance = central.hostility.next(place)
    in_place_of_it = hostile_answers.before(fate, central.settings.pace)
    if in_place_of_it is not None:
        return in_place_of_it
    if bearer and (fate is Fate.UNAUTHORIZED or central.caller(request.headers.get("Authorization", "")) is None):
        return das_failure(Refused(401, "no valid token"))
    if fate is Fate.KEYS_ROTATED:
        central.tokens.rotate(withdraw=False)
    with central.store.urls_expired(fate is Fate.DEAD_URL):
        done = answered(deed)
    return hostile_answers.after(fate, done, chance, central.settings.pace)


def answered(deed: Deed) -> Response:
    """What `deed` says, or its refusal."""
    try:
        return deed()
    except Refused as exc:
        return das_failure(exc)
    except StoreRefused as exc:
        return store_failure(exc)


def played(script: Script | None, deed: Deed) -> Response:
    """What `deed` says, as the script has it."""
    if script is None:
        return answered(deed)
    if script.cut_after_bytes is not None:
        _read(script.cut_after_bytes)
        return hung_up()
    done = answered(deed) if script.lets_it_happen else None
    time.sleep(script.hold_seconds)
    return hung_up() if script.hang_up else script.dressed(done)


def suffered(faults: Faults, place: str) -> Response | None:
    """The answer of a place that is not well; None if it is, or if its own view has to break the answer."""
    match faults.visit(place):
        case "down":
            return hung_up()
        case "hang":
            faults.wait_out(place)
            return hung_up()
        case "500":
            return Response("Internal Server Error", status=500, mimetype="text/plain")
        case "html":
            return Response("<!DOCTYPE html><html><body>Maintenance</body></html>", mimetype="text/html")
        case "empty":
            return jsonify({"keys": []} if place == "jwks" else {})
        case _:
            return None


def _read(count: int) -> None:
    while count > 0 and (block := request.stream.read(min(count, _BLOCK_BYTES))):
        count -= len(block)
