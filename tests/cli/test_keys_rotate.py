"""`keys rotate`: the next key beside the present one, told from when and until when, and nothing lost on the way."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from office_node.auth import keys
from office_node.auth.key_ring import KeyRing
from tests import command_line
from tests.cli.conftest import NOW
from tests.settings.files import GONE, write

LATER = "token_signing.20261122T102500Z.pem"


def _rotate(file: Path, *arguments: str, at: datetime = NOW, code: int = 0) -> tuple[str, str]:
    with time_machine.travel(at, tick=False):
        ran = command_line.run(file, "keys", "rotate", *arguments)
    assert ran.exit_code == code, ran.output
    return ran.stdout, ran.stderr


def _names(folder: Path, beginning: str) -> set[str]:
    return {path.name for path in folder.glob(f"{beginning}*")}


def _signing(path: Path, at: datetime) -> str | None:
    with time_machine.travel(at, tick=False):
        return KeyRing(path).signing().kid


def test_the_next_signing_key_is_laid_beside_the_present_one(file: Path, folder: Path) -> None:
    before = (folder / "token_signing.pem").read_bytes()
    told, _ = _rotate(file, "token-signing")
    assert f"made {folder}/{LATER}: published now, signs from 2026-11-22 10:25:00 UTC\n" in told
    kept = f"kept {folder}/token_signing.pem: signs until then, is accepted until 2026-11-22 10:41:00 UTC\n"
    assert kept in told  # 900 s of a token and a minute later
    assert (folder / "token_signing.pem").read_bytes() == before
    assert (folder / LATER).stat().st_mode & 0o777 == 0o600
    assert _names(folder, ".") == set()
    new = keys.load_private_key(folder / LATER).kid
    assert _signing(folder / "token_signing.pem", NOW + timedelta(seconds=600)) == new


def test_a_second_next_key_is_refused(file: Path, folder: Path) -> None:
    _rotate(file, "token-signing")
    before = _names(folder, "")
    _, refused = _rotate(file, "token-signing", at=NOW + timedelta(seconds=599), code=1)
    assert refused.startswith(f"N110 {folder}/{LATER} waits already, for 2026-11-22 10:25:00 UTC; hint: ")
    assert _names(folder, "") == before


def test_the_next_rotation_removes_what_is_retired_and_nothing_else(file: Path, folder: Path) -> None:
    _rotate(file, "token-signing")
    second = NOW + timedelta(seconds=660)
    told, _ = _rotate(file, "token-signing", at=second)
    assert "removed" not in told
    told, _ = _rotate(file, "token-signing", at=second + timedelta(days=365))
    assert f"removed {folder}/token_signing.pem\n" in told
    assert f"removed {folder}/{LATER}\n" in told
    assert len(_names(folder, "token_signing")) == 2
    assert command_line.run(file, "keys", "generate").stdout == "every key is there\n"
    assert command_line.run(file, "config", "check").exit_code == 0


def test_a_key_that_others_saw_is_replaced_at_once(file: Path, folder: Path) -> None:
    _rotate(file, "token-signing")
    told, _ = _rotate(file, "token-signing", "--at-once", at=NOW + timedelta(seconds=1))
    assert _names(folder, "token_signing") == {"token_signing.20261122T101501Z.pem"}
    assert f"removed {folder}/token_signing.pem\n" in told
    assert f"removed {folder}/{LATER}\n" in told
    assert list(KeyRing(folder / "token_signing.pem").verifying()) == [
        keys.load_private_key(folder / "token_signing.20261122T101501Z.pem").kid
    ]


@pytest.mark.parametrize("seconds", ["0", "5", "-1", "soon"])
def test_a_key_cannot_begin_before_every_process_has_seen_it(file: Path, folder: Path, seconds: str) -> None:
    before = _names(folder, "")
    _rotate(file, "token-signing", "--in", seconds, code=2)
    assert _names(folder, "") == before


def test_a_node_that_signs_no_tokens_has_nothing_to_rotate(tmp_path: Path) -> None:
    changes = {"authorization_server": GONE, "trust.accept": ["wipo"], "rehearsal": GONE}
    _, told = _rotate(write(tmp_path, changes), "token-signing", code=2)
    assert "no [authorization_server]" in told


def test_without_a_present_key_there_is_none_to_follow(file: Path, folder: Path) -> None:
    (folder / "token_signing.pem").unlink()
    _, told = _rotate(file, "token-signing", code=1)
    assert told.startswith(f"N101 {folder}/token_signing.pem: No such file")


def test_the_next_key_for_wipo_waits_until_it_is_activated(file: Path, folder: Path) -> None:
    present = keys.load_private_key(folder / "es256_private.pem").kid
    told, _ = _rotate(file, "wipo-client")
    made = {f"made {folder}/es256_{half}.next.pem" for half in ("private", "public", "cert")}
    assert made <= set(told.splitlines())
    assert "keys export wipo-client --next" in told
    assert _signing(folder / "es256_private.pem", NOW) == present
    assert (folder / "es256_private.next.pem").stat().st_mode & 0o777 == 0o600
    _, refused = _rotate(file, "wipo-client", code=1)
    assert refused.startswith(f"N110 {folder}/es256_private.next.pem waits already; hint: ")


def test_an_activated_key_signs_and_one_can_go_back(file: Path, folder: Path) -> None:
    old = keys.load_private_key(folder / "es256_private.pem").kid
    _rotate(file, "wipo-client")
    new = keys.load_private_key(folder / "es256_private.next.pem").kid
    told, _ = _rotate(file, "wipo-client", "--activate")
    dated = folder / "es256_private.20261122T101500Z.pem"
    assert f"named {dated}: it signs our assertions from 2026-11-22 10:15:00 UTC\n" in told
    assert f"To go back to it: remove {dated}\n" in told
    assert _names(folder, "es256") == {
        f"es256_{half}{mark}.pem" for half in ("private", "public", "cert") for mark in ("", ".20261122T101500Z")
    }
    assert _signing(folder / "es256_private.pem", NOW) == new
    assert command_line.run(file, "config", "check").exit_code == 0
    dated.unlink()
    assert _signing(folder / "es256_private.pem", NOW) == old


def test_the_old_key_for_wipo_goes_with_the_next_rotation(file: Path, folder: Path) -> None:
    _rotate(file, "wipo-client")
    _rotate(file, "wipo-client", "--activate", "--in", "60")
    _, refused = _rotate(file, "wipo-client", at=NOW + timedelta(seconds=59), code=1)
    assert refused.startswith("N110 ")
    told, _ = _rotate(file, "wipo-client", at=NOW + timedelta(days=700))
    assert f"removed {folder}/es256_private.pem\n" in told
    assert _names(folder, "es256_private") == {"es256_private.20261122T101600Z.pem", "es256_private.next.pem"}


def test_what_is_not_there_cannot_be_activated(file: Path) -> None:
    _, told = _rotate(file, "wipo-client", "--activate", code=1)
    assert told.startswith("N111 ")
    assert "office-node keys rotate wipo-client" in told
    _rotate(file, "wipo-client", "--in", "60", code=2)


def test_a_next_key_that_lost_its_certificate_gets_it_again(file: Path, folder: Path) -> None:
    _rotate(file, "wipo-client")
    (folder / "es256_cert.next.pem").unlink()
    assert command_line.run(file, "keys", "generate").stdout == f"made {folder}/es256_cert.next.pem\n"
