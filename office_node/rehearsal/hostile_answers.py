"""What an answer of simulated WIPO becomes under a fate. The line itself may break: see `routes` for hanging up."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

from flask import Response, jsonify, request

from office_node.rehearsal.hostility import Fate
from office_node.rehearsal.pace import Pace

HANG_UP = "rehearsal.hang_up"
MOVE_CLOCK = "rehearsal.move_clock"
_BUSY_SECONDS = 1
_MOST_CLOCK_SECONDS = 20
_PAGE = "<!DOCTYPE html><html><body>Bad Gateway</body></html>"


def hung_up() -> Response:
    """Close the connection without an answer."""
    request.environ[HANG_UP]()  # known to the server that `serve` runs, and to no other
    return Response()


def before(fate: Fate, pace: Pace) -> Response | None:
    """The answer in place of the deed; None if the deed is to be done."""
    match fate:
        case Fate.ERROR_500:
            return Response("Internal Server Error", status=500, mimetype="text/plain")
        case Fate.GATEWAY_PAGE:
            return Response(_PAGE, status=502, mimetype="text/html")
        case Fate.BUSY_FOR_SECONDS:
            return _later(503, str(_BUSY_SECONDS))
        case Fate.BUSY_UNTIL:
            return _later(503, format_datetime(datetime.now(UTC) + timedelta(seconds=_BUSY_SECONDS), usegmt=True))
        case Fate.TOO_MANY:
            return _later(429, str(_BUSY_SECONDS))
        case Fate.SILENCE:
            time.sleep(pace.silence_seconds)
            return hung_up()
        case Fate.HUNG_UP:
            return hung_up()
        case _:
            return None


def after(fate: Fate, done: Response, chance: Random, pace: Pace) -> Response:
    """The answer to what was done."""
    if fate is Fate.ANSWER_LOST or (fate in (Fate.DRIPS, Fate.RESET) and not done.content_length):
        return hung_up()
    match fate:
        case Fate.ERROR_AFTER:
            return Response("Internal Server Error", status=500, mimetype="text/plain")
        case Fate.DRIPS:
            return Response(_dripping(done.get_data(), pace.drip_seconds), done.status_code, done.headers)
        case Fate.RESET:
            done.direct_passthrough = False
            pieces = _breaking(done.iter_encoded(), (done.content_length or 0) // 2, request.environ[HANG_UP])
            return Response(pieces, done.status_code, done.headers)
        case Fate.MOVED_CLOCK:
            request.environ[MOVE_CLOCK](chance.uniform(-_MOST_CLOCK_SECONDS, _MOST_CLOCK_SECONDS))
        case _:
            _changed(fate, done, chance)
    return done


def _changed(fate: Fate, done: Response, chance: Random) -> None:
    match fate:
        case Fate.TRUNCATED:
            done.set_data(done.get_data()[: (done.content_length or 0) // 2])
        case Fate.WRONG_TYPE:
            done.content_type = "text/html; charset=utf-8"
        case Fate.OTHER_STATUS:
            _with_other_status(done)
        case Fate.NEW_MEMBER | Fate.MISSING_MEMBER | Fate.RENAMED_MEMBER:
            _drifted(fate, done, chance)
        case _:
            pass


def _later(status: int, retry_after: str) -> Response:
    answer = jsonify({"message": "later"})
    answer.status_code = status
    answer.headers["Retry-After"] = retry_after
    return answer


def _dripping(body: bytes, seconds: float) -> Iterator[bytes]:
    for byte in body:
        time.sleep(seconds)
        yield bytes([byte])


def _breaking(blocks: Iterable[bytes], most: int, hang_up: Callable[[], None]) -> Iterator[bytes]:
    for block in blocks:
        yield block[:most]
        most -= len(block)
        if most <= 0:
            break
    hang_up()


def _with_other_status(done: Response) -> None:
    if done.status_code == 204:
        done.status_code = 201
        done.set_data("{}")
        done.content_type = "application/json"
    elif done.status_code == 201:
        done.status_code = 204
        done.set_data(b"")


def _drifted(fate: Fate, done: Response, chance: Random) -> None:
    said: Any = done.get_json(silent=True)
    if not isinstance(said, dict) or done.status_code >= 400:
        return
    members = list(said)
    if fate is Fate.NEW_MEMBER or not members:
        said["somethingNewCategory"] = {"since": "today"}
    else:
        name = chance.choice(members)
        value = said.pop(name)
        if fate is Fate.RENAMED_MEMBER:
            said[f"das{name[:1].upper()}{name[1:]}"] = value
    done.set_data(json.dumps(said))
