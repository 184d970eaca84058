"""The last step before a line is written cuts every secret out, wherever it stands."""

import json
import subprocess
import sys

import pytest
import time_machine

from office_node import logs
from office_node.logs import redact_text

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {JWT} was refused", JWT),
        (f"half a token {JWT[:30]}.", JWT[:30]),
        ("GET https://s/x?expires=1&signature=abcDEF-_123 failed", "abcDEF-_123"),
        ("https://bucket/key?X-Amz-Credential=AKIA1&X-Amz-Signature=0123abcd", "0123abcd"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("expected dasAccessCode=AB21", "AB21"),
        ('{"dasAccessCode": "ab21"}', "ab21"),
        ("postgresql://office:hunter2@db/office", "hunter2"),
    ],
)
def test_a_secret_in_a_text_is_cut(text: str, secret: str) -> None:
    assert secret not in redact_text(text)


@pytest.mark.parametrize("text", ["US 98/012,357", "retrieval accepted", "https://office.example.org/das/v1", "AB21"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_a_real_log_line_of_ours_or_of_a_library_carries_no_secret() -> None:
    program = f"""
import logging, structlog
from office_node import logs
logs.configure("debug", process="test")
structlog.get_logger().info("ours {JWT}", access_code="AB21", deep={{"token": "t0k3n", "list": ["{JWT}"]}})
logging.getLogger("some.library").warning("theirs %s", "{JWT}")
try:
    raise ValueError("{JWT}")
except ValueError:
    structlog.get_logger().exception("failed")
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert {line["process"] for line in lines} == {"test"}
    for secret in (JWT, "AB21", "t0k3n"):
        assert secret not in said


def test_bound_ids_stand_on_every_line_until_the_next_request() -> None:
    program = """
import structlog
from office_node import logs
logs.configure(process="test")
log = structlog.get_logger()
logs.bind(acknowledgement_id="B1", client_id=None)
log.info("one")
with logs.bound(message_id="m"):
    log.info("two")
logs.unbind_all()
log.info("three")
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    one, two, three = [json.loads(line) for line in said.splitlines()]
    assert (one["acknowledgement_id"], "client_id" in one) == ("B1", False)
    assert (two["acknowledgement_id"], two["message_id"]) == ("B1", "m")
    assert {"acknowledgement_id", "message_id"} & set(three) == set()


def test_what_happens_again_and_again_is_told_once_in_a_while_with_its_count() -> None:
    with time_machine.travel(1_800_000_000.25, tick=False) as clock:
        repeats = logs.Repeats(60)
        assert [repeats.due("a"), repeats.due("a"), repeats.due("b"), repeats.due("a")] == [1, 0, 1, 0]
        clock.shift(59)
        assert repeats.due("a") == 0
        clock.shift(1)
        assert [repeats.due("a"), repeats.due("b"), repeats.due("a")] == [4, 1, 0]


def test_a_flood_of_ever_new_things_shares_its_lines_and_its_memory() -> None:
    with time_machine.travel(1_800_000_000.25, tick=False) as clock:
        repeats = logs.Repeats(60, most=10)
        assert sum(bool(repeats.due(str(number))) for number in range(1000)) == 11
        clock.shift(60)
        assert repeats.due("new") == 1
