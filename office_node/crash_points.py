"""Named places at which a test lets a process kill itself, to see that what is left can be taken up again.

Nothing happens at them unless OFFICE_NODE_CRASH_AT names one: a switch for tests, which no setting reaches.
"""

import os
import signal
from typing import Final

CRASH_POINTS: Final = (
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
    "rewrapping: a batch is wrapped anew",
    "asking: noted as sent, before it is",
    "asking: answered, not recorded",
    "collecting: half of the bytes are here",
    "collecting: checked, not handed over",
    "collecting: handed over, not recorded",
)


def reached(point: str) -> None:
    """This process is at `point`; the end of it, as by kill -9, if a test wants that."""
    assert point in CRASH_POINTS, point  # noqa: S101  a point that no test would try
    if os.environ.get("OFFICE_NODE_CRASH_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
