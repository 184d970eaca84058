"""The settings are read once, whole and frozen, wherever the reader stands."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from office_node import settings
from office_node.settings import SettingsFaulty
from tests import command_line
from tests.office import SHIPPED_SETTINGS
from tests.settings.files import GONE, write


def test_the_shipped_file_loads() -> None:
    shipped = settings.load(SHIPPED_SETTINGS)
    assert shipped.office.code == "XX"
    assert shipped.rehearsal is not None


def test_the_shipped_file_is_good_once_its_keys_are_made(tmp_path: Path) -> None:
    file = write(tmp_path, {})
    before = command_line.run(file, "config", "check")
    assert before.exit_code == 1
    assert {line.split()[0] for line in before.stderr.splitlines()} == {"N101"}

    assert command_line.run(file, "keys", "generate").exit_code == 0
    after = command_line.run(file, "config", "check")
    assert (after.exit_code, after.stdout, after.stderr) == (0, f"{file}: good\n", "")


def test_every_section_that_has_defaults_may_be_left_out(tmp_path: Path) -> None:
    loaded = settings.load(write(tmp_path, {"database": GONE, "rehearsal": GONE}))
    assert loaded.database.url == f"sqlite:///{tmp_path}/var/office.db"
    assert loaded.rehearsal is None


def test_no_setting_can_be_changed_once_it_is_read(tmp_path: Path) -> None:
    loaded = settings.load(write(tmp_path, {}))
    assert loaded.authorization_server
    for section, key in ((loaded.web, "listen"), (loaded, "wipo"), (loaded.authorization_server.clients[0], "profile")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, getattr(section, key))
    assert {type(value) for value in _values(loaded)} <= {str, int, float, bool, type(None), type(tmp_path)}


def _values(value: Any) -> Iterator[Any]:
    """Everything in the settings that is neither a section nor a tuple."""
    if isinstance(value, BaseModel):
        value = tuple(getattr(value, key) for key in type(value).model_fields)
    if isinstance(value, tuple):
        for inner in value:
            yield from _values(inner)
    else:
        yield value


def test_relative_paths_are_relative_to_the_file_wherever_the_reader_stands(tmp_path: Path) -> None:
    file = write(tmp_path / "node", {"wipo.ca_file": "wipo_ca.pem", "database.password_file": "/etc/password"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    seen = []
    for standing, name in ((elsewhere, file), (file.parent, Path(file.name)), (tmp_path, file.relative_to(tmp_path))):
        with contextlib.chdir(standing):
            seen.append(settings.load(name))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0].library.store == tmp_path / "node" / "var" / "library"
    assert seen[0].authorization_server
    assert seen[0].authorization_server.clients[0].public_key_files == (
        tmp_path / "node" / "keys" / "rehearsal_wipo_public.pem",
    )
    assert seen[0].wipo.ca_file == tmp_path / "node" / "config" / "wipo_ca.pem"
    assert seen[0].database.password_file == Path("/etc/password")
    assert seen[0].database.url == f"sqlite:///{tmp_path}/node/var/office.db"


def test_every_fault_of_the_file_is_told_at_once_each_with_its_own_number(tmp_path: Path) -> None:
    changes = {
        "office.code": "xx",
        "web.workers": "two",
        "web.lissen": "127.0.0.1:1",
        "libary": {"store": "x"},
        "authorization_server.clients.0.profile": "loose",
        "wipo.token_url": GONE,
        "wipo.base_url": "http://das.example.org",
        "off.download_link_seconds": 5,
    }
    with pytest.raises(SettingsFaulty) as caught:
        settings.load(write(tmp_path, changes))
    assert {(finding.number, finding.place) for finding in caught.value.findings} == {
        ("N014", "[office] code"),
        ("N013", "[web] workers"),
        ("N010", "[web] lissen"),
        ("N011", "[libary]"),
        ("N014", "[authorization_server.clients.#1] profile"),
        ("N012", "[wipo] token_url"),
        ("N016", "[wipo] base_url"),
        ("N014", "[off] download_link_seconds"),
    }


def test_the_command_line_prints_one_line_for_every_fault(tmp_path: Path) -> None:
    file = write(tmp_path, {"office.code": "xx", "wipo.token_url": GONE})
    for verb in (("config", "check"), ("config", "show"), ("library", "verify"), ("keys", "generate")):
        ran = command_line.run(file, *verb)
        assert ran.exit_code == 1
        assert ran.stdout == ""
        assert ran.stderr.splitlines() == [
            "N014 office.toml [office] code: must match pattern '^[A-Z]{2}$'; hint: Two letters of WIPO ST.3.",
            "N012 office.toml [wipo] token_url: missing; hint: WIPO's token endpoint; also `aud` of our assertions.",
        ]


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("office.code", 49),
        ("web.workers", "2"),
        ("web.workers", True),
        ("web.workers", 2.0),
        ("off.wrap_errors", "no"),
        ("off.wrap_errors", 1),
        ("worker.poll_seconds", "fast"),
        ("library.store", 3),
        ("authorization_server.clients.0.public_key_files", "../keys/one.pem"),
        ("authorization_server.clients.0.scopes", [1]),
        ("authorization_server.clients", {}),
        ("wipo.client_id", ["a"]),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_bent(tmp_path: Path, key: str, wrong: object) -> None:
    with pytest.raises(SettingsFaulty) as caught:
        settings.load(write(tmp_path, {key: wrong}))
    assert [finding.number for finding in caught.value.findings] == ["N013"]
