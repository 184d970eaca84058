"""Works the outbox off: a small pool of threads for each kind, so that a slow kind never holds up another.

`tick` is short and never raises; it is called again and again by the worker. A handler does the work of one message
and settles it in the transaction that records the result.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

import structlog

from office_node import logs
from office_node.errors import NotYet, OfficeNodeError, PeerRefused, PeerUnavailable, Postponed
from office_node.outbox.outbox import Claim, LeaseLost, Outbox, StaleMessage
from office_node.storage.database import DatabaseUnavailable

log = structlog.get_logger()

_COMPLAINT_SECONDS = 30.0
_PUT_OFF_TOLD_EVERY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Handler:
    """What is done with messages of one kind, by how many threads at once.

    `work` raises `NotYet` to be called again soon, `PeerUnavailable` to be tried again and `PeerRefused` to be parked;
    any other error is ours and is tried again too, since an administrator may mend it.
    """

    work: Callable[[Claim], None]
    threads: int
    tells_wipo: bool = False
    """Such messages are taken up at the pace of all workers together, and not when they are stale."""


class Delivery:
    """One worker's share of the outbox."""

    def __init__(
        self, outbox: Outbox, handlers: Mapping[str, Handler], allow: Callable[[int], int] = lambda count: count
    ) -> None:
        """`allow` says how many of so many messages for WIPO may be taken up at this moment."""
        self._outbox = outbox
        self._allow = allow
        self._handlers = handlers
        self._pools = {kind: ThreadPoolExecutor(h.threads, thread_name_prefix=kind) for kind, h in handlers.items()}
        self._running: dict[Future[None], Claim] = {}
        self._unrecorded: deque[tuple[Claim, PeerUnavailable]] = deque()
        self._renewed_at = time.monotonic()
        self._complained_at = -_COMPLAINT_SECONDS
        self._put_off = logs.Repeats(_PUT_OFF_TOLD_EVERY_SECONDS)

    def tick(self) -> None:
        """Claim what is due as far as threads are free, and keep the leases of what runs."""
        try:
            self._running = {future: claim for future, claim in self._running.items() if not future.done()}
            self._keep_leases()
            self._give_back()
            busy = Counter(claim.kind for claim in self._running.values())
            free = {kind: handler.threads - busy[kind] for kind, handler in self._handlers.items()}
            for kind in self._outbox.due_kinds([kind for kind, threads in free.items() if threads > 0]):
                allow = self._allow if self._handlers[kind].tells_wipo else _all
                for claim in self._outbox.claim(kind, free[kind], allow):
                    self._running[self._pools[kind].submit(self._deliver, claim, self._handlers[kind])] = claim
        except DatabaseUnavailable as exc:
            self._complain(exc)
        except Exception:
            log.exception("tick failed by a bug of ours", code=OfficeNodeError.code)

    def drain(self, seconds: float) -> bool:
        """Let running messages end; whether all did in time. What did not is taken up again after its lease."""
        still = wait(self._running, timeout=seconds).not_done
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        return not still

    def _give_back(self) -> None:
        """Messages whose result the database did not take: not held until their leases end, now that it is back."""
        while self._unrecorded:
            claim, error = self._unrecorded[0]
            with suppress(LeaseLost):
                self._outbox.postpone(claim, error)
            self._unrecorded.popleft()

    def _keep_leases(self) -> None:
        if self._running and time.monotonic() - self._renewed_at > self._outbox.lease_seconds / 3:
            self._outbox.renew(self._running.values())
            self._renewed_at = time.monotonic()
        elif not self._running:
            self._renewed_at = time.monotonic()

    def _deliver(self, claim: Claim, handler: Handler) -> None:
        with logs.bound(acknowledgement_id=claim.acknowledgement_id, message_id=claim.message_id, kind=claim.kind):
            try:
                self._attempt(claim, handler)
            except LeaseLost as exc:
                log.warning("result not recorded", code=exc.code, reason=exc.message)
            except DatabaseUnavailable as exc:
                log.error("result not recorded", code=exc.code, reason=exc.message, hint=exc.next_step)
                # What was asked for may have happened: the result was all that could not be written.
                self._unrecorded.append((claim, PeerUnavailable(exc.message, may_have_happened=True)))
            except Exception:
                log.exception("message failed", code=OfficeNodeError.code)

    def _attempt(self, claim: Claim, handler: Handler) -> None:
        try:
            if handler.tells_wipo:
                self._outbox.refuse_stale(claim)
            handler.work(claim)
        except (LeaseLost, DatabaseUnavailable):
            raise
        except Postponed as exc:
            self._outbox.postpone(claim, exc)
            if times := self._put_off.due(exc.code):
                log.warning("messages put off", code=exc.code, reason=exc.message, hint=exc.next_step, times=times)
        except StaleMessage as exc:
            self._outbox.park(claim, exc)
            log.error("message parked", code=exc.code, reason=exc.message, hint=exc.next_step)
        except NotYet as exc:
            self._tell_waiting(claim, exc)
        except PeerRefused as exc:
            self._outbox.park(claim, exc)
            log.error("message parked", code=exc.code, reason=exc.message, hint=exc.next_step, attempt=claim.attempts)
        except OfficeNodeError as exc:
            self._tell_postponed(claim, exc)
        except Exception as exc:
            log.exception("message failed by a bug of ours", code=OfficeNodeError.code, attempt=claim.attempts)
            self._tell_postponed(claim, exc)

    def _tell_postponed(self, claim: Claim, exc: Exception) -> None:
        again = self._outbox.postpone(claim, exc)
        known = exc if isinstance(exc, OfficeNodeError) else OfficeNodeError(type(exc).__name__)
        told = {"code": known.code, "reason": known.message, "hint": known.next_step, "attempt": claim.attempts}
        if again is None:
            log.error("message parked after its last try", **told)
        else:
            log.warning("message postponed", **told, again_at=again.isoformat(timespec="seconds"))

    def _tell_waiting(self, claim: Claim, exc: NotYet) -> None:
        if not self._outbox.look_again(claim, exc):
            log.error("message parked after its last look", code=exc.code, reason=exc.message, attempt=claim.attempts)
        else:
            log.debug("not yet", reason=exc.message, seconds=exc.seconds)

    def _complain(self, exc: OfficeNodeError) -> None:
        if time.monotonic() - self._complained_at >= _COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            log.error("outbox stands still", code=exc.code, reason=exc.message, hint=exc.next_step)


def _all(count: int) -> int:
    return count
