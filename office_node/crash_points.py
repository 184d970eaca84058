"""Named places at which a test lets a process kill itself, to see that what is left can be taken up again.

Nothing happens at them unless OFFICE_NODE_CRASH_AT names one: a switch for tests, which no setting reaches.
OFFICE_NODE_CRASH_PASS says at which passing of it (the first if not said), OFFICE_NODE_CRASH_ONCE names a file that the
first kill makes: whoever finds it there, a process started anew perhaps, lives.
"""

import os
import signal
from collections import Counter
from typing import Final

CRASH_POINTS: Final = (
    "migration: a step is done",
    "retrieval: written down, not answered",
    "retrieval: read whole, not recorded",
    "notification: answered, not recorded",
    "upload: before WIPO is asked for an address",
    "upload: WIPO gave an address, not recorded",
    "upload: address recorded, before the bytes",
    "upload: half of the bytes are sent",
    "upload: bytes sent, not recorded",
    "upload: file accepted, not recorded",
    "registration: noted as sent, before it is",
    "registration: answered, not recorded",
    "intake: claimed, nothing moved",
    "intake: content taken, the request not",
    "intake: taken, nothing asked for",
    "intake: asked for, not settled",
    "intake: decided, nothing moved on",
    "intake: content moved on, the request not",
    "intake: both moved on, the result not",
    "intake: handed back, not settled",
    "accession: noted, not kept",
    "accession: kept, not catalogued",
    "rewrapping: a batch is wrapped anew",
    "asking: noted as sent, before it is",
    "asking: answered, not recorded",
    "collecting: half of the bytes are here",
    "collecting: checked, not handed over",
    "collecting: handed over, not recorded",
    "clearing: answered, not recorded",
    "backup: written, not named",
)
_passings: Counter[str] = Counter()


def reached(point: str) -> None:
    """This process is at `point`; the end of it, as by kill -9, if a test wants that."""
    assert point in CRASH_POINTS, point  # noqa: S101  a point that no test would try
    if os.environ.get("OFFICE_NODE_CRASH_AT") != point:
        return
    _passings[point] += 1
    if _passings[point] == int(os.environ.get("OFFICE_NODE_CRASH_PASS", "1")) and _is_first():
        os.kill(os.getpid(), signal.SIGKILL)


def _is_first() -> bool:
    file = os.environ.get("OFFICE_NODE_CRASH_ONCE")
    if file is None:
        return True
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
