"""The demo plays on a stage of its own, or not at all: the administrator's node is never part of it."""

from pathlib import Path

import pytest

from tests import command_line
from tests.office import SHIPPED_SETTINGS

ASTRAY = {
    "a library elsewhere": ('store = "../var/library"', 'store = "{elsewhere}/library"', "[library] store"),
    "a library above": ('store = "../var/library"', 'store = "../../library"', "[library] store"),
    "a database elsewhere": ("sqlite:///../var/office.db", "sqlite:///{elsewhere}/office.db", "[database] url"),
    "a server": ("sqlite:///../var/office.db", "postgresql://office@127.0.0.1:1/office", "[database] url"),
    "a key elsewhere": ("../keys/download_links.key", "{elsewhere}/links.key", "[off] download_link_key_file"),
    "a client's key": (
        '["../keys/rehearsal_wipo_public.pem"]',
        '["{elsewhere}/wipo.pem"]',
        "[authorization_server.clients] public_key_files",
    ),
    "a listener": ('listen = "127.0.0.1:8180"', 'listen = "127.0.0.1:8443"', "[web] listen"),
    "the usual listener": ('listen = "127.0.0.1:8190"', "", "[rehearsal] listen"),
    "a public address": ('public_url = "http://127.0.0.1:8180"', 'public_url = "https://o.test"', "[web] public_url"),
    "another central": ("http://127.0.0.1:8190/das-api/v1", "https://das.test/das-api/v1", "[wipo] base_url"),
}


@pytest.mark.parametrize(("shipped", "changed", "told"), ASTRAY.values(), ids=ASTRAY)
def test_it_refuses_settings_that_reach_beyond_its_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: str, changed: str, told: str
) -> None:
    stages, elsewhere, file = tmp_path / "stages", tmp_path / "elsewhere", tmp_path / "config" / "office.toml"
    for folder in (stages, elsewhere, file.parent):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(stages))
    text = SHIPPED_SETTINGS.read_text()
    assert shipped in text
    file.write_text(text.replace(shipped, changed.format(elsewhere=elsewhere), 1))

    ran = command_line.run(file, "rehearsal", "demo")

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"N703 the demo would reach beyond its own folder and ports: {told}; hint: ")
    assert ran.stderr.count("\n") == 1
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["config", "config/office.toml", "elsewhere", "stages"]
