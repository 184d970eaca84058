"""`keys generate` makes what is missing and never touches what is there."""

import base64
from pathlib import Path

from office_node.auth import keys
from tests import command_line
from tests.databases import on_sqlite
from tests.office import Office
from tests.settings.files import GONE, write

MADE = {
    "access_codes.key",
    "download_links.key",
    "storage.pem",
    "timeline.pem",
    "token_signing.pem",
    "es256_private.pem",
    "es256_public.pem",
    "es256_cert.pem",
    "openssl.cnf",
    "rehearsal_wipo.pem",
    "rehearsal_wipo_public.pem",
}


def _is_public(name: str) -> bool:
    return "public" in name or "cert" in name or name == "openssl.cnf"


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "keys").iterdir()}


def test_every_key_is_made_once_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, {})
    first = command_line.run(file, "keys", "generate")
    assert (first.exit_code, first.stderr) == (0, "")
    assert set(first.stdout.splitlines()) == {f"made {tmp_path}/keys/{name}" for name in MADE}
    made = _contents(tmp_path)
    assert set(made) == MADE
    second = command_line.run(file, "keys", "generate")
    assert (second.exit_code, second.stdout) == (0, "every key is there\n")
    assert _contents(tmp_path) == made
    assert command_line.run(file, "config", "check").exit_code == 0


def test_secrets_are_for_the_nodes_user_alone_and_public_halves_fit(tmp_path: Path) -> None:
    command_line.run(write(tmp_path, {}), "keys", "generate")
    folder = tmp_path / "keys"
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in MADE}
    assert {name for name, mode in modes.items() if mode == 0o600} == {name for name in MADE if not _is_public(name)}
    assert set(modes.values()) == {0o600, 0o644}
    for one, other in (
        ("es256_private", "es256_public"),
        ("es256_private", "es256_cert"),
        ("rehearsal_wipo", "rehearsal_wipo_public"),
    ):
        private, public = keys.load_private_key(folder / f"{one}.pem"), keys.load_public_key(folder / f"{other}.pem")
        assert private.thumbprint() == public.thumbprint()


def test_no_key_that_is_there_is_touched_whatever_it_holds(tmp_path: Path) -> None:
    file = write(tmp_path, {})
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("access_codes.key", "token_signing.pem", "rehearsal_wipo_public.pem"):
        (folder / name).write_bytes(b"")  # even an empty one: somebody may be about to write it
    mine = base64.b64encode(b"m" * 32)
    (folder / "download_links.key").write_bytes(mine)
    before = {name: (folder / name).stat() for name in _contents(tmp_path)}
    ran = command_line.run(file, "keys", "generate")
    assert ran.exit_code == 0
    assert set(ran.stdout.splitlines()) == {f"made {folder}/{name}" for name in MADE - set(before)}
    assert {name: (folder / name).stat() for name in before} == before
    assert (folder / "download_links.key").read_bytes() == mine


def test_a_production_file_gets_no_keys_of_the_rehearsal(tmp_path: Path) -> None:
    file = write(tmp_path, {"rehearsal": GONE})
    assert command_line.run(file, "keys", "generate").exit_code == 0
    assert set(_contents(tmp_path)) == {name for name in MADE if "rehearsal" not in name}


def test_a_public_half_is_not_made_from_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    file = write(tmp_path, {})
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "es256_private.pem").touch(mode=0o600)
    ran = command_line.run(file, "keys", "generate")
    assert ran.exit_code == 1
    [line] = ran.stderr.splitlines()
    assert line.startswith(f"N101 {tmp_path}/keys/es256_private.pem: no unencrypted private key in PEM form; hint: ")
    assert not (tmp_path / "keys" / "es256_public.pem").exists()


@on_sqlite
def test_no_key_is_printed(office: Office) -> None:
    (office.folder / "keys" / "es256_private.pem").unlink()
    ran = command_line.run(office.settings_file, "keys", "generate")
    assert ran.stdout == f"made {office.folder}/keys/es256_private.pem\n"


@on_sqlite
def test_a_lost_key_that_seals_access_codes_is_not_replaced_while_documents_are_kept(office: Office) -> None:
    office.add_document()
    key = office.settings().library.access_code_key_file
    key.unlink()
    refused = command_line.run(office.settings_file, "keys", "generate")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("N101 ")
    assert "restore it from the backup of the keys" in refused.stderr
    assert not key.exists()
