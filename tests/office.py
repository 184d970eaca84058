"""An office for a test: a folder with settings, keys and a database of its own, and the processes it runs."""

import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import requests
from joserfc.jwk import ECKey

from office_node import settings
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.outbox.outbox import Message
from office_node.rehearsal import papers
from office_node.rehearsal.operator import Operator, Wanted
from office_node.settings import Settings
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.wiring.node import build_node
from office_node.wiring.rows import build_outbox

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
SHIPPED_SETTINGS = ROOT / "config" / "office.toml"
PATIENCE_SECONDS = 60.0
WANTED = Wanted("patent", "US 98/012,357", "2023-11-02", "AB21")
"""The document that `Office.add_document` takes in unless told otherwise."""


@dataclass
class Office:
    """Made by `make_office`; `close` ends every process it started."""

    folder: Path
    settings_file: Path
    url: str
    central_url: str
    log_file: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def settings(self) -> Settings:
        return settings.load(self.settings_file)

    def upgrade(self) -> None:
        """Bring the database's schema up, as `serve` does."""
        database = Database(self.settings().database.url)
        schema.upgrade(database)
        database.close()

    def run(self, *arguments: str, seconds: float = 60, **environment: str) -> "subprocess.CompletedProcess[str]":
        """One verb of the command line, to its end."""
        return subprocess.run(
            [*self._command(), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env={**os.environ, **environment},
        )

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """One verb of the command line that goes on; its output goes to `log_file`."""
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [*self._command(), *arguments], stdout=log, stderr=log, env={**os.environ, **environment}
            )
        self.processes.append(process)
        return process

    def start_web(self, verb: str = "web", **environment: str) -> "subprocess.Popen[bytes]":
        """Web processes, answering when this returns."""
        process = self.start(verb, **environment)
        eventually(lambda: requests.get(f"{self.url}/", timeout=30).status_code == 404)
        return process

    def start_central(self) -> "subprocess.Popen[bytes]":
        """Simulated WIPO, answering when this returns."""
        process = self.start("rehearsal", "serve")
        eventually(lambda: requests.get(f"{self.central_url}/rehearsal/alive", timeout=30).ok)
        return process

    def close(self) -> None:
        """Stop everything; a process that does not stop when told is killed."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def add_document(self, content: bytes | None = None, wanted: Wanted = WANTED) -> bytes:
        """A document into the library; returns its bytes."""
        content = content or pdf(200_000)
        document = PriorityDocumentId(DocumentKind(wanted.kind), wanted.number, date.fromisoformat(wanted.date))
        node = build_node(self.settings())
        node.accession.add(io.BytesIO(content), document, wanted.access_code)
        node.database.close()
        return content

    def waiting(self) -> list[Message]:
        """Every message of the outbox that is not settled."""
        database = Database(self.settings().database.url)
        messages = build_outbox(self.settings(), database).messages()
        database.close()
        return messages

    def told(self, event: str) -> int:
        """How often this event stands in the log."""
        return sum(line["event"] == event for line in self.log_lines())

    def operator(self, prefix: str = "/das-api/v1") -> Operator:
        """Simulated WIPO's operator, with a token of this office."""
        operator = self.stranger(prefix)
        operator.ask_token(operator.assertion()).raise_for_status()
        return operator

    def stranger(self, prefix: str = "/das-api/v1") -> Operator:
        """The same without a token."""
        key = ECKey.import_key((self.folder / "keys" / "rehearsal_wipo.pem").read_bytes())
        scope = "das-api/office-exchange"
        return Operator(office_url=self.url, client_id="wipo-das", key=key, scope=scope, prefix=prefix)

    def ledger(self, effect: str = "notified") -> list[dict[str, Any]]:
        """What had this effect at simulated WIPO; every effect for an empty one."""
        entries = requests.get(f"{self.central_url}/rehearsal/ledger", timeout=30).json()
        return [entry for entry in entries if effect in ("", entry["effect"])]

    def downloaded(self) -> set[str]:
        """Our ids of the retrievals whose documents simulated WIPO has."""
        return {entry["key"] for entry in self.ledger("downloaded")}

    def forward(self, wanted: Wanted = WANTED) -> str:
        """A retrieval that simulated WIPO forwards itself, and fetches once it is told; returns our id for it."""
        asked = {"kind": wanted.kind, "number": wanted.number, "date": wanted.date, "access_code": wanted.access_code}
        answer = requests.post(f"{self.central_url}/rehearsal/retrievals", json=asked, timeout=30).json()
        return str(answer["requestAckId"])

    def pace_central(self, **seconds: float) -> None:
        """How fast simulated WIPO is from now on."""
        requests.post(f"{self.central_url}/rehearsal/pace", json=seconds, timeout=30).raise_for_status()

    def script_central(self, *answers: dict[str, Any]) -> None:
        """What simulated WIPO answers to the next notifications, one each, or at the `place` an answer names."""
        requests.post(f"{self.central_url}/rehearsal/next-answers", json=list(answers), timeout=30).raise_for_status()

    def log_lines(self) -> list[dict[str, Any]]:
        """Every JSON line that the processes wrote."""
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "office_node", "--config", str(self.settings_file)]


def make_office(
    folder: Path, keys: Path, database_url: str | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> Office:
    """An office on the shipped settings, on free ports, with `overrides` laid over them section by section."""
    shutil.copytree(keys, folder / "keys")
    listen, central = (f"127.0.0.1:{free_port()}" for _ in range(2))
    text = SHIPPED_SETTINGS.read_text().replace("127.0.0.1:8180", listen).replace("127.0.0.1:8190", central)
    content = tomllib.loads(text)
    content["backup"]["at"] = "23:59"  # not now, whatever the hour: a backup is a message too, and tests count messages
    if database_url:
        content["database"]["url"] = database_url
    for section, values in (overrides or {}).items():
        content.setdefault(section, {}).update(values)
    file = folder / "config" / "office.toml"
    file.parent.mkdir()
    file.write_text(to_toml(content))
    return Office(folder, file, f"http://{listen}", f"http://{central}", folder / "office.log")


def to_toml(content: dict[str, dict[str, Any]]) -> str:
    """Two levels of tables, with lists of tables in them: all that the settings have."""
    lines = []
    for section, values in content.items():
        tables = {
            key: value
            for key, value in values.items()
            if isinstance(value, list) and value and isinstance(value[0], dict)
        }
        lines += [f"[{section}]", *(f"{key} = {_value(value)}" for key, value in values.items() if key not in tables)]
        for key, entries in tables.items():
            for entry in entries:
                lines += [f"[[{section}.{key}]]", *(f"{name} = {_value(value)}" for name, value in entry.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return json.dumps(value)  # which is TOML too, for text, numbers, booleans and lists of them


def pdf(size: int) -> bytes:
    """A PDF of one page and of a little more than `size` bytes, different each time."""
    return b"".join(papers.pdf([secrets.token_hex(8)], size))


def pdf_of(total_bytes: int) -> bytes:
    """The same, of exactly so many bytes, some thousands at least."""
    filler_bytes = total_bytes - len(pdf(total_bytes)) + total_bytes
    filler_bytes += total_bytes - len(pdf(filler_bytes))  # its own length is written in it
    return pdf(filler_bytes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` gives, once it gives something; fails the test when patience ends."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := look():
                return found
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def secrets_in(text: str) -> list[str]:
    """What looks like a JWT, a signed link or an access code in clear."""
    patterns = (
        r"eyJ[\w-]{8,}\.[\w-]+",
        r"signature=(?!\[cut)[\w-]{20,}",
        r'(?i)access_?code"?[=:] ?"?(?!\[cut)[0-9a-z]{4}\b',
    )
    return [match.group() for pattern in patterns for match in re.finditer(pattern, text)]
