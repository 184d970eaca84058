"""`make demo`: a priority document travels, between real processes, and every step is told.

It knows the node only as its users do: by its command line, its log lines and its HTTP interface.
"""

import time
from collections.abc import Callable
from pathlib import Path

from office_node.rehearsal.demo import (
    afterwards,
    big_document,
    mutual_setup,
    preparing,
    registering,
    second_office,
    wipos_setup,
)
from office_node.rehearsal.demo.stage import Stage, opened
from office_node.rehearsal.demo.tally import Tally

_PARTS: tuple[tuple[str, Callable[[Stage, Tally], None]], ...] = (
    ("An office sets up its node and takes a priority document into its library", preparing.prepare),
    ("A second office sets up a node of its own", second_office.prepare),
    ("The processes start", preparing.start),
    ("WIPO authenticates at the office's own token endpoint", mutual_setup.trust),
    ("What does not fit is refused, and nothing expected is told", mutual_setup.refusals),
    ("WIPO forwards a retrieval, is notified, fetches the location and the bytes", mutual_setup.travel),
    ("The same with tokens of WIPO's own server, while its keys roll over", wipos_setup.key_roll_over),
    ("Every bad credential of the catalogue is tried", wipos_setup.bad_credentials),
    ("The office registers documents at WIPO, and changes what is registered", registering.one_by_one),
    ("Many documents by CSV, some of them bad", registering.many_by_csv),
    ("The office's own system uses the watched folder", registering.watched_folder),
    ("A big document goes through WIPO's transit zone", big_document.transit),
    ("The second office asks WIPO for a document, and is notified", second_office.start),
    ("", second_office.by_notification),
    ("It is not notified, and polls", second_office.by_polling),
    ("It asks for a document that may only be in transit", second_office.in_transit_only),
    ("It asks for a document that the first office has", second_office.from_the_first_office),
    ("Afterwards", afterwards.afterwards),
)


def run(shipped_config: Path) -> int:
    """The whole walk on a copy of the shipped settings; returns the exit code. Raises `NotAlone`."""
    began = time.monotonic()
    with opened(shipped_config) as stage:
        tally = Tally(stage.log_file)
        for title, part in _PARTS:
            if title:
                print(title, flush=True)
            play(part, stage, tally)
            if tally.failed:
                break
    print(f"took {time.monotonic() - began:.1f} s")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


def play(part: Callable[[Stage, Tally], None], stage: Stage, tally: Tally) -> None:
    """A part that breaks off is a step that failed."""
    try:
        part(stage, tally)
    except Exception as exc:
        seen = f"{type(exc).__name__}: {exc}"
        for secret in filter(None, stage.secrets):
            seen = seen.replace(secret, "[cut]")
        tally.step("the next step", False, seen)
