"""The faults and loads the node is held to (reliability.md 2), by number; a test that shows one has it in its name.

Such tests stand with the room they are about: `test_row_31_...` here, `test_row_24_...` with the network.
"""

import re
from typing import Final

ROWS: Final[dict[int, str]] = {
    1: "worker killed before the call",
    2: "worker killed after the request left, before the answer",
    3: "worker killed after the answer, before the commit; every crash point",
    4: "web worker killed while it serves a link",
    5: "killed while a document comes into the library",
    6: "killed during a migration",
    7: "killed while keys are wrapped anew",
    8: "SIGTERM with twenty transfers running",
    9: "worker frozen past its lease, then woken",
    10: "several workers by mistake",
    11: "power cut: copies of database, log and files under load",
    12: "WIPO answers 500, 502 with a page, 503 and 429 with Retry-After",
    13: "WIPO says nothing, one byte a second, or never ends its head",
    14: "resets, cut JSON, other types, other statuses, drift",
    15: "answers lost after the effect",
    16: "an inbound call repeated at the same instant",
    17: "news out of order",
    18: "token dies, token endpoint away",
    19: "WIPO's keys rotate; a flood of unknown kids",
    20: "replayed assertions, links for another file, method, host or time",
    21: "upload address dead",
    22: "WIPO away for 72 hours, a backlog waits",
    23: "TLS: expired, other name, unknown CA, TLS 1.1",
    24: "redirects, a resolver that changes its mind",
    25: "clock off by 5, 60, 300 seconds",
    26: "clock set by a day while it runs",
    27: "the machine sleeps",
    28: "disk full",
    29: "one statement of a transaction fails",
    30: "another process holds the write lock",
    31: "PostgreSQL away, connections cut",
    32: "files of the library damaged, gone, exchanged",
    33: "128 file handles",
    34: "slow readers",
    35: "2 GB, streamed",
    36: "notifications as fast as they come",
    37: "soak at 20 a second with 2 % faults",
    38: "abuse: odd JSON, odd heads, odd queries",
    39: "rate limits under several processes and hosts",
    40: "everything killed again and again",
}
LACKING: Final[dict[int, str]] = {
    23: "a renegotiation to another host: TLS 1.3 has none, and OpenSSL refuses it as a client",
    25: "the clock of one side only is moved by its answers' Date: libfaketime is not part of this machine",
    26: "a zone with summer time makes no difference that could be shown: no moment of the node has one but UTC",
    33: "memory limits: a cgroup needs rights that a test does not have",
    36: "the rate is a figure and no bound: times are compared in `make bench` alone",
}
"""Parts of rows that are not produced, and why."""
_NAME = re.compile(r"test_row_(\d\d)_")


def row_of(test: str) -> int | None:
    """The row that a test of this name shows."""
    found = _NAME.match(test)
    return int(found[1]) if found else None
