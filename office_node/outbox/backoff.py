"""When to try again (reliability.md 1)."""

import random

_STEPS = (1, 6, 24, 120, 360, 720)  # times the first wait of 5 s: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h
_LAST_STEP = 1440  # then every 2 h
_STEPS_ON_A_LINE_THAT_CARRIES = 2  # a transfer that was cut on its way is taken up again within half a minute
_LONGEST_WAIT_SECONDS = 7200.0
_JITTER = 0.2


def wait_seconds(
    attempts: int,
    *,
    first_seconds: float,
    retry_after_seconds: float | None = None,
    at_least_seconds: float = 0,
    made_progress: bool = False,
) -> float:
    """The wait after the given number of failed attempts (1 or more).

    What the peer asks for by Retry-After is honoured in full up to two hours, and never undercut: then jitter only
    adds. Otherwise it moves the wait by up to a fifth either way, so that a backlog does not return as one herd.
    """
    if made_progress:
        attempts = min(attempts, _STEPS_ON_A_LINE_THAT_CARRIES)
    base = first_seconds * (_STEPS[attempts - 1] if attempts <= len(_STEPS) else _LAST_STEP)
    floor = min(max(at_least_seconds, retry_after_seconds or 0), _LONGEST_WAIT_SECONDS)
    if floor >= base:
        return min(floor * (1 + random.uniform(0, _JITTER)), _LONGEST_WAIT_SECONDS * (1 + _JITTER))
    return max(floor, base * random.uniform(1 - _JITTER, 1 + _JITTER))
