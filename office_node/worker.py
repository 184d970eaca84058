"""The worker door: the only owner of a scheduler, and the only process that calls WIPO."""

import signal
from collections.abc import Callable
from types import FrameType

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler

from office_node.errors import OfficeNodeError
from office_node.outbox.delivery import Delivery
from office_node.wiring import Node

log = structlog.get_logger()

_HOUSEKEEPING_SECONDS = 600


def run(node: Node) -> None:
    """Work the outbox off until SIGTERM or SIGINT; then let running messages end, and return."""
    delivery = Delivery(node.outbox, node.handlers())
    scheduler = BlockingScheduler(timezone="UTC")
    # A late tick is as good as a punctual one, and several late ones are as good as one: rows say what is due.
    always = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler.add_job(delivery.tick, "interval", seconds=node.settings.worker.poll_seconds, **always)
    scheduler.add_job(_keep_house(node), "interval", seconds=_HOUSEKEEPING_SECONDS, **always)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _keep_house(node)()
    log.info("worker started", poll_seconds=node.settings.worker.poll_seconds)
    scheduler.start()
    drained = delivery.drain(node.settings.web.drain_seconds)
    log.info("worker stopped", drained=drained)


def _keep_house(node: Node) -> Callable[[], None]:
    def keep_house() -> None:
        try:
            forgotten = node.used_assertions.forget_expired()
            ended = node.retrievals.expire_old()
            leftovers = node.store.remove_leftovers()
        except OfficeNodeError as exc:
            log.error("housekeeping failed", code=exc.code, reason=exc.message, hint=exc.next_step)
        else:
            log.info("house kept", assertions_forgotten=forgotten, retrievals_ended=ended, leftovers_removed=leftovers)

    return keep_house
