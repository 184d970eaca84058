"""`config show` tells every setting in force, in a form that can be read again, and no secret."""

import json
import tomllib
from pathlib import Path

import pytest

from office_node import settings
from tests import command_line
from tests.settings.files import Changes, write

EVERY_SECTION = set(settings.Settings.model_fields)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"database.url": "postgresql://db.example.org:5432/office?sslmode=verify-full"},
        {
            "library.store": 'a folder/with "quotes" and \\ in it',
            "wipo.ca_file": "tab\there, line\nhere and é",
            "off.wrap_errors": True,
            "worker.poll_seconds": 0.05,
            "outbox.lease_seconds": 120,
            "wipo.client_id": 'quote"and\\backslash',
        },
        {
            "authorization_server.clients": [
                {"client_id": "one", "public_key_files": ["../keys/a.pem", "../keys/b.pem"], "scopes": ["x", "y"]},
                {"client_id": "two", "public_key_files": ["/c.json"], "profile": "compat"},
            ]
        },
    ],
    ids=["as shipped", "postgresql", "odd characters", "two clients"],
)
def test_what_it_prints_loads_again_to_the_same_settings(tmp_path: Path, changes: Changes) -> None:
    file = write(tmp_path, changes)
    shown = command_line.run(file, "config", "show")
    assert (shown.exit_code, shown.stderr) == (0, "")
    elsewhere = tmp_path / "elsewhere" / "shown.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(shown.stdout)
    assert settings.load(elsewhere) == settings.load(file)


def test_characters_that_toml_has_its_own_way_with_come_through(tmp_path: Path) -> None:
    file = write(tmp_path, {})
    file.write_text(file.read_text().replace("/var/library", r"/\u007F, \U0001F4C4, \u001B"))
    again = tmp_path / "again.toml"
    again.write_text(command_line.run(file, "config", "show").stdout)
    assert settings.load(again) == settings.load(file)
    assert settings.load(again).library.store.name == "\x7f, \U0001f4c4, \x1b"


def test_it_names_every_section_and_every_key_that_has_a_value(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"database.password_file": "p", "wipo.ca_file": "c", "authorization_server.audience": "a"}
        | {f"web.{key}": f"/{key}" for key in ("certificate_file", "certificate_key_file", "accel_redirect")}
        | {"egress.proxy": "http://proxy:3128"}
        | {f"s3.{key}": "a" for key in ("bucket", "region", "access_key_id", "secret_key_file")}
        | {"s3.endpoint_url": "https://s3.example.org"},
    )
    shown = tomllib.loads(command_line.run(file, "config", "show").stdout)
    assert set(shown) == EVERY_SECTION
    for section, values in shown.items():
        expected = type(getattr(settings.load(file), section)).model_fields
        assert set(values) == set(expected)


def test_json_says_the_same_as_toml(tmp_path: Path) -> None:
    file = write(tmp_path, {"off.wrap_errors": True})
    as_json = json.loads(command_line.run(file, "config", "show", "--json").stdout)
    assert as_json == tomllib.loads(command_line.run(file, "config", "show").stdout)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://pl4nted-user@db.example.org/office",
        "postgresql://pl4nted-user:@db.example.org/office",
        "postgresql://pl4nted-user@/office?host=/run/postgresql",
    ],
)
def test_no_planted_secret_is_shown(folder: Path, url: str) -> None:
    (folder / "keys" / "db.password").write_text("pl4nted-password\n")
    planted = ["pl4nted-user", "pl4nted-password"]
    planted += [
        line for key in (folder / "keys").iterdir() for line in key.read_text().splitlines() if "-----" not in line
    ]
    file = write(folder, {"database.url": url, "database.password_file": "../keys/db.password"})
    for arguments in (("config", "show"), ("config", "show", "--json"), ("config", "check")):
        said = command_line.run(file, *arguments)
        assert not [secret for secret in planted if secret in said.stdout + said.stderr]
    assert settings.load(file).database.url == url


def test_the_masked_address_is_still_one_that_loads(tmp_path: Path) -> None:
    shown = command_line.run(
        write(tmp_path, {"database.url": "postgresql://me@db.example.org/office"}), "config", "show"
    )
    file = tmp_path / "shown.toml"
    file.write_text(shown.stdout)
    assert settings.load(file).database.url == "postgresql://***@db.example.org/office"
