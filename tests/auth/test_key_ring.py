"""Which key signs and which are accepted at which moment, told by nothing but the names of the files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from office_node.auth import key_ring, keys
from office_node.auth.key_ring import LOOK_SECONDS, KeyRing, dated, waiting
from office_node.auth.keys import KeyUnusable

MOMENT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
TOKEN_SECONDS = 900
DEAD = MOMENT + timedelta(seconds=TOKEN_SECONDS + 60)
SECOND = timedelta(seconds=1)


class Monotonic:
    """The monotonic clock, which time_machine leaves alone."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    clock = Monotonic()
    monkeypatch.setattr(key_ring, "time", clock)
    return clock


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return _made(tmp_path / "token_signing.pem")


@pytest.fixture
def second(first: Path) -> Path:
    return _made(dated(first, MOMENT))


def _made(path: Path) -> Path:
    keys.generate_private_key(path)
    return path


def _kid(path: Path) -> str:
    return str(keys.load_private_key(path).kid)


def test_a_key_alone_signs_and_is_accepted_at_all_times(first: Path) -> None:
    for moment in ("1990-01-01", "2026-11-22", "2190-01-01"):
        with time_machine.travel(moment, tick=False):
            ring = KeyRing(first, TOKEN_SECONDS)
            assert (ring.signing().kid, list(ring.verifying())) == (_kid(first), [_kid(first)])


def test_the_name_of_a_key_says_when_it_begins(first: Path) -> None:
    assert dated(first, MOMENT).name == "token_signing.20261122T101500Z.pem"


def test_a_key_is_published_before_it_signs_and_accepted_until_its_last_token_is_dead(
    first: Path, second: Path
) -> None:
    ring = KeyRing(first, TOKEN_SECONDS)
    both = {_kid(first), _kid(second)}
    for moment, signs, accepted in (
        (MOMENT - timedelta(days=300), first, both),
        (MOMENT - SECOND, first, both),
        (MOMENT, second, both),
        (DEAD - SECOND, second, both),
        (DEAD, second, {_kid(second)}),
    ):
        with time_machine.travel(moment, tick=False):
            assert (ring.signing().kid, set(ring.verifying())) == (_kid(signs), accepted), moment


def test_each_of_three_keys_has_its_time(first: Path, second: Path) -> None:
    third = _made(dated(first, MOMENT + timedelta(days=365)))
    ring = KeyRing(first, TOKEN_SECONDS)
    with time_machine.travel(MOMENT + timedelta(days=30), tick=False):
        assert ring.signing().kid == _kid(second)
        assert set(ring.verifying()) == {_kid(second), _kid(third)}


def test_the_first_key_may_be_gone(first: Path, second: Path) -> None:
    first.unlink()
    ring = KeyRing(first, TOKEN_SECONDS)
    assert set(ring.verifying()) == {_kid(second)}
    with time_machine.travel(MOMENT - timedelta(hours=1)):  # a clock that is behind does not stop the service
        assert ring.signing().kid == _kid(second)


def test_a_key_that_waits_without_a_moment_and_strangers_are_no_part_of_it(first: Path) -> None:
    _made(waiting(first))
    for name in ("token_signing.old.pem", "token_signing.20261122.pem", "other.20261122T101500Z.pem"):
        _made(first.with_name(name))
    assert list(KeyRing(first, TOKEN_SECONDS).verifying()) == [_kid(first)]


def test_a_new_file_counts_after_five_seconds_and_no_key_is_parsed_twice(first: Path, later: Monotonic) -> None:
    parsed: list[str] = []

    def noted(path: Path) -> ECKey:
        parsed.append(path.name)
        return keys.load_private_key(path)

    ring = KeyRing(first, TOKEN_SECONDS, noted)
    new = _made(dated(first, MOMENT))
    later.seconds += LOOK_SECONDS - 0.1
    assert len(ring.verifying()) == 1
    later.seconds += 0.1
    with time_machine.travel(MOMENT):
        assert len(ring.verifying()) == 2
        for _ in range(3):
            later.seconds += LOOK_SECONDS
            ring.signing()
    assert parsed == [first.name, new.name]


def test_a_removed_file_counts_no_more(first: Path, second: Path, later: Monotonic) -> None:
    ring = KeyRing(first, TOKEN_SECONDS)
    first.unlink()
    later.seconds += LOOK_SECONDS
    with time_machine.travel(MOMENT, tick=False):
        assert list(ring.verifying()) == [_kid(second)]


def _garbage(path: Path) -> None:
    path.write_bytes(b"half a ke")
    path.chmod(0o600)


def _open_to_others(path: Path) -> None:
    path.chmod(0o644)


def _misnamed(path: Path) -> None:
    path.rename(path.with_name("token_signing.20261399T101500Z.pem"))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(_garbage, "N101"), (_open_to_others, "N102"), (_misnamed, "N101")],
    ids=["garbage", "open to others", "misnamed"],
)
def test_a_file_that_cannot_be_used_is_told_once_and_the_rest_serves(
    first: Path, second: Path, later: Monotonic, spoil: object, code: str
) -> None:
    assert callable(spoil)
    spoil(second)
    with capture_logs() as lines:
        ring = KeyRing(first, TOKEN_SECONDS)
        for _ in range(3):
            later.seconds += LOOK_SECONDS
            with time_machine.travel(MOMENT + timedelta(days=1)):
                assert ring.signing().kid == _kid(first)
    [told] = lines
    assert (told["event"], told["code"], told["log_level"]) == ("key cannot be used", code, "error")
    assert told["hint"]


def test_a_file_that_was_mended_counts(first: Path, second: Path, later: Monotonic) -> None:
    second.chmod(0o644)
    ring = KeyRing(first, TOKEN_SECONDS)
    second.chmod(0o600)
    later.seconds += LOOK_SECONDS
    with time_machine.travel(MOMENT):
        assert ring.signing().kid == _kid(second)


def test_a_folder_that_goes_away_stops_nothing(first: Path, later: Monotonic) -> None:
    kid = _kid(first)
    ring = KeyRing(first, TOKEN_SECONDS)
    first.parent.rename(first.parent.with_name("elsewhere"))
    with capture_logs() as lines:
        for _ in range(2):
            later.seconds += LOOK_SECONDS
            assert (ring.signing().kid, list(ring.verifying())) == (kid, [kid])
    assert [line["code"] for line in lines] == ["N101"]


def test_without_any_key_there_is_no_ring(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match=r"N101 .*/token_signing.pem: No such file"):
        KeyRing(tmp_path / "token_signing.pem")


def test_a_ring_without_an_overlap_keeps_every_key(first: Path, second: Path) -> None:
    with time_machine.travel(MOMENT + timedelta(days=3650)):
        assert set(KeyRing(first).verifying()) == {_kid(first), _kid(second)}
