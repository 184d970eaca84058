"""A moment comes back as it went in, in UTC, from either database; one without a zone is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from office_node.auth.used_assertions import UsedAssertionRecord
from office_node.storage.database import Database
from tests.storage import rows

MOMENTS = [
    datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1883, 3, 20, 1, 2, 3, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(2026, 1, 1, 0, 30, tzinfo=timezone(-timedelta(hours=11))),
]


def test_a_moment_comes_back_the_same_and_in_utc(database: Database) -> None:
    with database.transaction() as session:
        session.add_all(rows.assertion(f"{number}", moment) for number, moment in enumerate(MOMENTS))
    with database.reading() as session:
        found = session.scalars(select(UsedAssertionRecord.kept_until).order_by(UsedAssertionRecord.replay_key)).all()
    assert found == MOMENTS
    assert {moment.tzinfo for moment in found} == {UTC}


def test_moments_of_many_zones_are_compared_as_moments(database: Database) -> None:
    east, west = (timezone(timedelta(hours=hours)) for hours in (9, -9))
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with database.transaction() as session:
        session.add(rows.assertion("before", (noon - timedelta(microseconds=1)).astimezone(east)))
        session.add(rows.assertion("noon", noon.astimezone(west)))
        session.add(rows.assertion("after", (noon + timedelta(seconds=1)).astimezone(west)))
    with database.reading() as session:
        key, moment = UsedAssertionRecord.replay_key, UsedAssertionRecord.kept_until
        assert session.scalars(select(key).where(moment < noon.astimezone(east))).all() == ["before"]
        assert session.scalars(select(key).where(moment == noon.astimezone(east))).all() == ["noon"]
        assert session.scalars(select(key).order_by(moment)).all() == ["before", "noon", "after"]


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    naive = rows.MOMENT.replace(tzinfo=None)
    with pytest.raises(StatementError, match="a moment without a zone"), database.transaction() as session:
        session.add(rows.assertion("a", naive))
    with pytest.raises(StatementError, match="a moment without a zone"), database.reading() as session:
        session.scalars(select(UsedAssertionRecord).where(UsedAssertionRecord.kept_until < naive)).all()
    assert rows.keys_kept(database) == []
