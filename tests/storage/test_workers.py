"""Which workers live, as their rows tell."""

from datetime import timedelta

import time_machine

from office_node import clock
from office_node.storage.database import Database
from office_node.storage.workers import Heartbeat, workers


def test_a_worker_lives_while_it_beats_and_is_forgotten_when_it_stops(database: Database) -> None:
    assert workers(database) == []
    one, other = Heartbeat(database), Heartbeat(database)
    one.beat()
    other.beat()
    one.beat()
    assert [worker.lives for worker in workers(database)] == [True, True]
    one.stop()
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        [silent] = workers(database)
        assert not silent.lives
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        third = Heartbeat(database)
        assert third.beat() == 1, "the long dead are forgotten"
        assert [worker.lives for worker in workers(database)] == [True]
