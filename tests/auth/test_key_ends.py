"""Certificates that end are told of in time, once a threshold, from the node's real certificates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from structlog.testing import capture_logs

from office_node import settings
from office_node.auth.certificates import load_certificate
from office_node.auth.key_ends import KeyEnds, threshold
from office_node.auth.key_generation import make_missing
from office_node.auth.key_rotation import activate_wipo_client, prepare_wipo_client
from tests.auth.issued import issue
from tests.settings.files import write

END = datetime(2028, 11, 22, 10, 15, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "due"),
    [
        (61 * DAY, None),
        (60 * DAY + HOUR, None),
        (60 * DAY, 60),
        (31 * DAY, 60),
        (30 * DAY, 30),
        (14 * DAY + HOUR, 30),
        (14 * DAY, 14),
        (8 * DAY, 14),
        (7 * DAY, 7),
        (6 * DAY + HOUR, 7),
        (6 * DAY, 6),
        (1 * DAY, 1),
        (HOUR, 1),
        (0 * DAY, 0),
        (-HOUR, 0),
        (-1 * DAY, -1),
        (-40 * DAY, -40),
    ],
    ids=str,
)
def test_a_warning_is_due_60_30_14_and_7_days_before_then_daily_and_daily_after_the_end(
    before: timedelta, due: int | None
) -> None:
    assert threshold(END, END - before) == due


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Settings whose WIPO client certificate was made now; a client's and the TLS one may be laid beside it."""
    file = write(tmp_path, {})
    make_missing(settings.load(file))
    return file


@pytest.fixture
def told(file: Path) -> Callable[[datetime], list[dict[str, object]]]:
    """What the chore tells at a moment; one process from its start on."""
    chore = KeyEnds(settings.load(file))

    def at(moment: datetime) -> list[dict[str, object]]:
        with time_machine.travel(moment, tick=False), capture_logs() as lines:
            assert chore.warn() == len(lines)
        return [dict(line) for line in lines]

    return at


def _our_end(file: Path) -> datetime:
    return load_certificate(file.parent.parent / "keys" / "es256_cert.pem").not_valid_after_utc


def test_our_certificate_is_told_of_once_a_threshold_until_after_its_end(
    file: Path, told: Callable[[datetime], list[dict[str, object]]]
) -> None:
    end = _our_end(file)
    hours = [end - 62 * DAY + hour * 6 * HOUR for hour in range(4 * 65)]
    lines = [(moment, line) for moment in hours for line in told(moment)]
    days = [-((moment - end) // DAY) for moment, _ in lines]
    assert days == [60, 30, 14, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2]
    assert [line["log_level"] for _, line in lines] == ["warning"] * 10 + ["error"] * 3
    assert [line["code"] for _, line in lines] == ["N107"] * 10 + ["N105"] * 3
    assert [line["days_left"] for _, line in lines] == days
    assert {line["use"] for _, line in lines} == {"WIPO client"}
    assert {line["file"] for _, line in lines} == {str(file.parent.parent / "keys" / "es256_private.pem")}
    assert all("keys rotate wipo-client" in str(line["hint"]) for _, line in lines)


def test_another_process_tells_it_again(file: Path) -> None:
    with time_machine.travel(_our_end(file) - 10 * DAY):
        assert [KeyEnds(settings.load(file)).warn() for _ in range(2)] == [1, 1]


def test_a_new_certificate_ends_the_warnings(file: Path) -> None:
    found = settings.load(file)
    with time_machine.travel(_our_end(file) - 10 * DAY):
        chore = KeyEnds(found)
        assert chore.warn() == 1
        prepare_wipo_client(found.wipo.client_key_file, found.wipo.client_id)
    with time_machine.travel(_our_end(file) - 5 * DAY):
        assert chore.warn() == 1  # WIPO has it not yet
        activate_wipo_client(found.wipo.client_key_file, found.wipo.client_id, 0)
    with time_machine.travel(_our_end(file) + DAY):
        assert chore.warn() == 0


def test_a_clients_certificate_and_the_one_for_tls_are_told_of_too(tmp_path: Path, file: Path) -> None:
    keys = tmp_path / "keys"
    begins, ends = datetime.now(UTC) - DAY, datetime.now(UTC) + 20 * DAY
    client = issue(keys / "rehearsal_wipo.pem", keys / "wipo.pem", begins, ends)
    tls = issue(keys / "token_signing.pem", keys / "tls.pem", begins, ends)
    changes = {
        "authorization_server.clients.0.public_key_files": [str(client)],
        "web.certificate_file": str(tls),
        "web.certificate_key_file": str(keys / "token_signing.pem"),
    }
    with capture_logs() as lines:
        KeyEnds(settings.load(write(tmp_path, changes))).warn()
    assert {(line["use"], line["file"], line["days_left"]) for line in lines} == {
        ("client wipo-das", str(client), 19),
        ("TLS", str(tls), 19),
    }
    assert len({line["hint"] for line in lines}) == 2
