"""gunicorn's master, but for what SIGHUP does: nothing is dropped, and what cannot be used changes nothing.

gunicorn alone ends the old workers before the new ones serve, stands still meanwhile, and dies of a faulty file.
"""

import signal
import time
from collections.abc import Callable
from typing import Any

import structlog
from gunicorn.arbiter import Arbiter

from office_node.errors import OfficeNodeError
from office_node.in_force import InForce
from office_node.web.succession import STOP_SIGNALS, MortalWorker, Stage

log = structlog.get_logger()

_LOOK_SECONDS = 0.1
_OVERDUE_SECONDS = 30.0  # workers that do not come up must not keep better settings out


class ListenerStays(OfficeNodeError):
    """The settings name another listener than the one that is bound."""

    code = "N713"
    hint = "restart the node to move it; everything else is in force"


class NotReloadable(OfficeNodeError):
    """gunicorn was started in a way that keeps old settings in its memory."""

    code = "N714"
    hint = "start gunicorn without --preload, or restart it after a change"


class ConfigurationUnreadable(OfficeNodeError):
    """gunicorn's own configuration cannot be read."""

    code = "N715"
    hint = "mend config/gunicorn.conf.py (its fault stands above), then send SIGHUP again"


def take_over(in_force: InForce) -> Callable[[Any], None]:
    """For gunicorn's hook `on_starting`, the one place where a master that gunicorn made can be handed its settings."""

    def on_starting(arbiter: Any) -> None:
        arbiter.__class__ = OfficeArbiter
        arbiter.take_over(in_force)

    return on_starting


class OfficeArbiter(Arbiter):  # type: ignore[misc]
    """Starts workers with the settings in force, and lets those of older settings go once the new ones serve."""

    def take_over(self, in_force: InForce) -> None:
        self._in_force = in_force
        self._bound_to = in_force.settings.web.listen
        self._oldest_age = 0
        """Workers up to this age have older settings."""
        self._reloading = False
        self._again = False
        """Whether somebody asked for a reload during the last one."""
        self._overdue_at = 0.0

    def init_signals(self) -> None:
        super().init_signals()
        # Held back by whoever started us, so that a SIGHUP before this line is not the end of the process.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def reload(self) -> None:
        """Read settings and keys again; told and without effect if they cannot be used."""
        if self._reloading and time.monotonic() < self._overdue_at:
            self._again = True  # one after the other: each begins a set of workers of its own
            return
        if self.cfg.preload_app:
            log.error("reload refused", code=NotReloadable.code, hint=NotReloadable.hint)
            return
        if not self._in_force.read_again():
            return
        self._take_options()
        if self._in_force.settings.web.listen != self._bound_to:
            log.warning("listener stays", code=ListenerStays.code, bound_to=self._bound_to, hint=ListenerStays.hint)
        self._oldest_age = self.worker_age
        self._reloading = True
        self._overdue_at = time.monotonic() + _OVERDUE_SECONDS

    def _take_options(self) -> None:
        before = self.app.cfg
        try:
            self.app.reload()
        except SystemExit:
            self.app.cfg = before
            log.error("options not taken", code=ConfigurationUnreadable.code, hint=ConfigurationUnreadable.hint)
        self.setup(self.app)
        self.cfg.on_reload(self)

    def wait_for_signals(self, timeout: float = 1.0) -> Any:
        return super().wait_for_signals(_LOOK_SECONDS if self._reloading else timeout)

    def spawn_worker(self) -> Any:
        """A stop that comes while the new process boots waits for it. Gunicorn alone loses it in the handlers that the
        process inherits: it would serve on, and be killed when the time of the stop is over.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def manage_workers(self) -> None:
        """As many workers of the settings in force as these say; then the older ones are told to go."""
        workers: list[MortalWorker] = sorted(self.WORKERS.values(), key=lambda worker: worker.age)
        older = [worker for worker in workers if worker.age <= self._oldest_age]
        current = workers[len(older) :]
        for _ in range(self.num_workers - len(current)):
            self.spawn_worker()
        for worker in current[: max(0, len(current) - self.num_workers)]:
            self.kill_worker(worker.pid, signal.SIGTERM)
        if self._reloading and len(current) == self.num_workers and all(map(_serves, current)):
            self._end(older)

    def _end(self, older: list[MortalWorker]) -> None:
        for worker in older:
            if worker.stage is Stage.SERVING:  # one that still boots would not hear it
                self.kill_worker(worker.pid, signal.SIGHUP)
        if all(worker.stage is Stage.CLOSED for worker in older):
            self._reloading = False
            log.info("reloaded", workers=self.num_workers, still_ending=len(older))
            if self._again:
                self._again = False
                self.reload()


def _serves(worker: MortalWorker) -> bool:
    return worker.stage is Stage.SERVING
