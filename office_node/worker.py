"""The worker door: the only owner of a scheduler, and the only process that calls WIPO's API."""

import logging
import math
import os
import signal
import time
from collections.abc import Callable
from functools import partial

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from office_node import logs
from office_node.auth.key_ends import KeyEnds
from office_node.errors import OfficeNodeError
from office_node.in_force import InForce
from office_node.outbox.delivery import Delivery
from office_node.outbox.pace import Pace
from office_node.storage.workers import BEAT_SECONDS, Heartbeat
from office_node.wiring.node import Node

log = structlog.get_logger()

_HOUSEKEEPING_SECONDS = 600
_REWRAP_SECONDS = 5
_CHECKPOINT_SECONDS = 10
_OUTDATED_SECONDS = 10
_FIXITY_SECONDS = 60
_failures = logs.Repeats(60)
"""What a chore of every few seconds fails of is told once a minute."""
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(in_force: InForce) -> None:
    """Work the outbox off until SIGTERM or SIGINT; then let running messages end, and return.

    SIGHUP reads settings and keys again. A signal that comes before the work has begun counts as well; one that comes
    after the first that stops changes nothing.
    """
    # Blocked before any thread starts, so that every thread inherits it: a stop waits until sigwait asks for it, and
    # no handler ever runs in the middle of the scheduler's own work.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_STOP_SIGNALS, signal.SIGHUP))
    event = "worker started"
    while True:
        told, drained = _work(in_force, event)
        if told != signal.SIGHUP or signal.sigpending() & set(_STOP_SIGNALS):
            break
        event = "reloaded"
    log.info("worker stopped", drained=drained)
    if not drained:
        # Python would wait for the threads, however long their transfers take. What they hold is taken up after its
        # lease, as after a kill.
        logging.shutdown()
        os._exit(0)


def _work(in_force: InForce, event: str) -> tuple[int, bool]:
    """Work with the settings in force until told otherwise; gives what was told, and whether all messages ended."""
    node = in_force.node
    pace = Pace(node.counters, node.settings.worker.messages_per_second)
    delivery = Delivery(node.outbox, node.handlers(), pace.allow)
    heart = Heartbeat(node.database)
    beat = partial(_count, "dead_workers_forgotten", heart.beat)
    scheduler = BackgroundScheduler(timezone="UTC")
    # A late tick is as good as a punctual one, and several late ones are as good as one: rows say what is due.
    always = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    keep_house = _housekeeping(node)
    tick = _beating(delivery.tick, beat)
    scheduler.add_job(tick, "interval", seconds=node.settings.worker.poll_seconds, **always)
    scheduler.add_job(keep_house, "interval", seconds=_HOUSEKEEPING_SECONDS, **always)
    rewrap = partial(_count, "keys_wrapped_anew", node.rewrapping.run)
    scheduler.add_job(rewrap, "interval", seconds=_REWRAP_SECONDS, **always)
    checkpoint = partial(_count, "checkpoints_signed", node.timeline.checkpoints.make_due)
    scheduler.add_job(checkpoint, "interval", seconds=_CHECKPOINT_SECONDS, **always)
    fixity = partial(_count, "documents_read_again", node.fixity.run)
    scheduler.add_job(fixity, "interval", seconds=_FIXITY_SECONDS, **always)
    second_filing, osf = node.second_filing, node.settings.osf
    if osf.mode != "notified":
        poll = partial(_count, "documents_heard_of", second_filing.availability.poll)
        scheduler.add_job(_at_ease(poll), "interval", seconds=osf.poll_seconds, **always)
    outdated = partial(_count, "outdated_copies_deleted", second_filing.endings.delete_outdated)
    scheduler.add_job(outdated, "interval", seconds=_OUTDATED_SECONDS, **always)
    daily, section = node.daily_backup(), node.settings.backup
    if daily and section:
        hour, minute = section.at.split(":")
        scheduler.add_job(partial(_count, "backups_asked_for", daily.ask), "cron", hour=hour, minute=minute, **always)
        _count("backups_asked_for", partial(daily.ask_if_missed, section.at))
    if node.intake and node.settings.intake:
        scheduler.add_job(_at_ease(node.intake.scan), "interval", seconds=node.settings.intake.poll_seconds, **always)
    keep_house()
    beat()
    scheduler.start()
    log.info(event, poll_seconds=node.settings.worker.poll_seconds)
    told = signal.sigwait((*_STOP_SIGNALS, signal.SIGHUP))
    while told == signal.SIGHUP and not in_force.read_again():
        told = signal.sigwait((*_STOP_SIGNALS, signal.SIGHUP))
    node.fixity.stop()
    scheduler.shutdown(wait=True)  # a tick that still runs would claim messages while the pools close
    drained = delivery.drain(node.settings.web.drain_seconds)
    _count("worker_signed_off", heart.stop)
    if drained:
        node.database.close()
    return told, drained


def _beating(tick: Callable[[], None], beat: Callable[[], object]) -> Callable[[], None]:
    """The same, and a beat with it now and then: a worker whose tick hangs is heard of no more, whatever else of it
    still runs."""
    beaten_at = time.monotonic()

    def tick_and_beat() -> None:
        nonlocal beaten_at
        tick()
        if time.monotonic() - beaten_at >= BEAT_SECONDS:
            beaten_at = time.monotonic()
            beat()

    return tick_and_beat


def _at_ease(look: Callable[[], object]) -> Callable[[], None]:
    """The same, but never for more than a tenth of the time: a look at a full folder takes long."""
    rests_until = -math.inf

    def look_if_rested() -> None:
        nonlocal rests_until
        began = time.monotonic()
        if began >= rests_until:
            look()
            ended = time.monotonic()
            rests_until = ended + 9 * (ended - began)

    return look_if_rested


def _housekeeping(node: Node) -> Callable[[], None]:
    chores: dict[str, Callable[[], int]] = {
        "assertions_forgotten": node.used_assertions.forget_expired,
        "counters_forgotten": node.counters.forget_expired,
        "retrievals_ended": node.endings.expire_old,
        "leftovers_removed": node.incoming.remove_leftovers,
        "files_without_row_removed": node.leftovers.remove,
        "certificate_leftovers_removed": node.certificates.remove_leftovers,
        **({"intake_leftovers_removed": node.intake.remove_leftovers} if node.intake else {}),
        "requests_ended": node.second_filing.endings.end_old,
        "outdated_copies_deleted": node.second_filing.endings.delete_outdated,
        "key_warnings": KeyEnds(node.settings).warn,
    }

    def keep_house() -> None:
        counts = {chore: _count(chore, work) for chore, work in chores.items()}
        log.info("house kept", **{chore: count for chore, count in counts.items() if count is not None})

    return keep_house


def _count(chore: str, work: Callable[[], int]) -> int | None:
    """What the chore counts; None when it failed, which is told and keeps nothing else from running."""
    try:
        return work()
    except OfficeNodeError as exc:
        if times := _failures.due(f"{chore} {exc.code}"):
            told = {"code": exc.code, "reason": exc.message, "hint": exc.next_step, "times": times}
            log.error("housekeeping failed", chore=chore, **told)
    except Exception:
        log.exception("housekeeping failed by a bug of ours", chore=chore, code=OfficeNodeError.code)
    return None
