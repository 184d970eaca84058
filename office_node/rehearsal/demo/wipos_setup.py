"""WIPO calls with tokens of its own server, and its keys roll over; then everything bad is tried in both setups."""

import json
from itertools import groupby

from office_node.rehearsal import remote
from office_node.rehearsal.demo.preparing import WANTED, WANTED_OPTIONS
from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally

_MOST_FETCHES = 4  # one for each key of the day and each of the two web processes that ship


def key_roll_over(stage: Stage, tally: Tally) -> None:
    """A retrieval before and one after simulated WIPO changed its key."""
    _forward(stage, tally)
    rotated = stage.run("rehearsal", "rotate")
    tally.step("office-node rehearsal rotate", rotated.returncode == 0, _last_line(rotated.stdout))
    _forward(stage, tally)
    fetches = remote.get(stage.central_url, "visits")["jwks"]
    tally.step("WIPO's key set was not fetched for every call", 0 < fetches <= _MOST_FETCHES, f"{fetches} times")


def bad_credentials(stage: Stage, tally: Tally) -> None:
    """The whole catalogue, told in one line a group."""
    tried = stage.run("rehearsal", "bad-credentials", "--json")
    outcomes = json.loads(tried.stdout)
    for (kind, setup), group in groupby(outcomes, key=lambda outcome: (outcome["kind"], outcome["setup"])):
        known = list(group)
        failed = [f"{outcome['number']} {outcome['name']}" for outcome in known if not outcome["ok"]]
        accepted = sum(outcome["got"].startswith("200") for outcome in known)
        seen = f"{len(known) - accepted} bad refused, {accepted} good accepted"
        what = f"office-node rehearsal bad-credentials: {kind}s, setup {setup}"
        tally.step(what, not failed, f"not as it must be: {', '.join(failed)}" if failed else seen)


def _forward(stage: Stage, tally: Tally) -> None:
    done = stage.run("rehearsal", "forward", *WANTED_OPTIONS, "--setup", "wipo", typed=WANTED.access_code)
    seen = _last_line(done.stdout) or done.stderr.strip()
    tally.step("office-node rehearsal forward --setup wipo", done.returncode == 0, f"{seen[:46]}...")


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
