"""Where the demo plays: a folder and two ports of its own, and nothing of the node that stands beside it."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

_SHIPPED_OFFICE = "127.0.0.1:8180"
_SHIPPED_CENTRAL = "127.0.0.1:8190"
_LONGEST_VERB_SECONDS = 120
_PATHS = ("store", "folder", "_file", "_files")  # how the keys end that name files and folders


class NotAlone(Exception):
    """The settings reach beyond the stage; the message names the keys that do, never what they hold."""


@dataclass
class Stage:
    """A folder, two free ports, and the processes that run on them."""

    folder: Path
    config: Path
    office_url: str
    central_url: str
    log_file: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    """What must not be found in any log afterwards."""
    other: "Stage | None" = None

    @property
    def second(self) -> "Stage":
        """Another office beside the first: a folder and a port of its own, the same WIPO."""
        if self.other is None:
            raise LookupError("there is no second office")
        return self.other

    def run(self, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """One verb to its end; `typed` is its standard input."""
        command = [*self._command(), *arguments]
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, check=False, timeout=_LONGEST_VERB_SECONDS
        )

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with self.log_file.open("ab") as log:
            process = subprocess.Popen([*self._command(), *arguments], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = requests.get(f"{self.central_url}/rehearsal/ledger", timeout=5).json()
        return entries

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "office_node", "--config", str(self.config)]


@contextlib.contextmanager
def opened(shipped_config: Path) -> Iterator[Stage]:
    """A stage on a copy of the shipped settings; processes and folder are gone afterwards, after SIGTERM too.

    Raises `NotAlone`, before anything is started, if the settings are not those that ship and name what is elsewhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="office-node-demo-")).resolve()
    office, central = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    config = folder / "config" / "office.toml"
    stage = Stage(folder, config, f"http://{office}", f"http://{central}", folder / "demo.log")
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        config.parent.mkdir()
        text = shipped_config.read_text(encoding="utf-8")
        config.write_text(text.replace(_SHIPPED_OFFICE, office).replace(_SHIPPED_CENTRAL, central), encoding="utf-8")
        _insist_on_being_alone(stage)
        stage.other = _second(stage, text, central)
        yield stage
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice, it still puts everything away
        _end(stage.processes)
        shutil.rmtree(folder)
        signal.signal(signal.SIGTERM, before)


def _second(first: Stage, shipped: str, central: str) -> Stage:
    """Its settings are the shipped ones, with a name of its own; simulated WIPO is told of it."""
    address, folder = f"127.0.0.1:{_free_port()}", first.folder / "second"
    config = folder / "config" / "office.toml"
    config.parent.mkdir(parents=True)
    own, _, _ = shipped.partition("[rehearsal]")
    for before, after in (
        (_SHIPPED_OFFICE, address),
        (_SHIPPED_CENTRAL, central),
        ('code = "XX"', 'code = "YY"'),
        ("das-xx-office", "das-yy-office"),
        ('accept = ["own", "wipo"]', 'accept = ["wipo"]'),
    ):
        own = own.replace(before, after)
    own += "[osf]\npoll_seconds = 2\n\n[outbox]\nfirst_retry_seconds = 0.5\n"
    config.write_text(own, encoding="utf-8")
    certificate = folder / "keys" / "es256_cert.pem"
    with first.config.open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[[rehearsal.offices]]\nclient_id = "das-yy-office"\nurl = "http://{address}"\n'
            f'certificate_files = ["{certificate}"]\n'
        )
    return Stage(folder, config, f"http://{address}", first.central_url, first.log_file, first.processes, first.secrets)


def _end(processes: list["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _insist_on_being_alone(stage: Stage) -> None:
    content = tomllib.loads(stage.config.read_text(encoding="utf-8"))
    astray = [*_astray_addresses(content, stage), *_astray_files(content, stage)]
    if astray:
        raise NotAlone(", ".join(astray))


def _astray_addresses(content: dict[str, Any], stage: Stage) -> Iterator[str]:
    """The listeners and web addresses that are not the stage's; one that is left out would be the node's usual."""
    for section, key, url in (
        ("web", "listen", stage.office_url),
        ("web", "public_url", stage.office_url),
        ("wipo", "base_url", stage.central_url),
        ("wipo", "token_url", stage.central_url),
        ("wipo_authorization_server", "issuer", stage.central_url),
        ("wipo_authorization_server", "jwks_url", stage.central_url),
        ("rehearsal", "listen", stage.central_url),
    ):
        address = content.get(section, {}).get(key, "")
        whole = f"http://{address}" if key == "listen" else address
        if whole != url and not whole.startswith(f"{url}/"):
            yield f"[{section}] {key}"


def _astray_files(content: dict[str, Any], stage: Stage) -> Iterator[str]:
    """The paths that lead out of the stage's folder, and a database that is no file in it."""
    for section, key, value in _leaves(content):
        if (section, key) == ("database", "url"):
            scheme, _, rest = value.partition("://")
            if scheme != "sqlite" or _is_outside(rest.removeprefix("/"), stage):
                yield "[database] url"
        elif key.endswith(_PATHS) and any(_is_outside(path, stage) for path in _listed(value)):
            yield f"[{section}] {key}"


def _leaves(table: dict[str, Any], section: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every key that holds no table, with the section it stands in."""
    for key, value in table.items():
        inner = [entry for entry in _listed(value) if isinstance(entry, dict)]
        for entry in inner:
            yield from _leaves(entry, f"{section}.{key}".lstrip("."))
        if not inner:
            yield section, key, value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_outside(path: str, stage: Stage) -> bool:
    whole = (stage.config.parent / Path(path).expanduser()).resolve()  # as the settings read it
    return not whole.is_relative_to(stage.folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
