"""Settings that change under running processes, and callers who are there meanwhile."""

import signal
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

import psutil
import requests
from joserfc.jwk import ECKey

from office_node.rehearsal.operator import Operator
from office_node.settings import API_SCOPE
from tests.conftest import MakeOffice
from tests.office import PATIENCE_SECONDS, WANTED, Office, eventually, to_toml

WIPO, OTHER = "wipo-das", "other-das"
KEY = "../keys/rehearsal_wipo_public.pem"


def two_clients(new_office: MakeOffice, **web: Any) -> Office:
    """An office with `wipo-das` and `other-das`, which have one key between them; nothing running."""
    clients = [{"client_id": name, "profile": "compat", "public_key_files": [KEY]} for name in (WIPO, OTHER)]
    office = new_office(overrides={"authorization_server": {"clients": clients}, "web": web})
    office.upgrade()
    return office


def operator(office: Office, client_id: str) -> Operator:
    """Simulated WIPO's operator under that name, with a token."""
    key = ECKey.import_key((office.folder / "keys" / "rehearsal_wipo.pem").read_bytes())
    made = Operator(office_url=office.url, client_id=client_id, key=key, scope=API_SCOPE)
    made.ask_token(made.assertion()).raise_for_status()
    return made


def change(office: Office, section: str, **values: Any) -> None:
    """Write these into the settings file, and nothing more: nobody is told."""
    content = tomllib.loads(office.settings_file.read_text())
    content.setdefault(section, {}).update(values)
    whole = office.settings_file.with_suffix(".new")  # whoever reads it in this moment finds the old or the new
    whole.write_text(to_toml(content))
    whole.rename(office.settings_file)


def keep_clients(office: Office, *client_ids: str) -> None:
    """Take every other client out of the settings file."""
    clients = tomllib.loads(office.settings_file.read_text())["authorization_server"]["clients"]
    kept = [client for client in clients if client["client_id"] in client_ids]
    change(office, "authorization_server", clients=kept)


def reload(office: Office, process: "subprocess.Popen[bytes]", of: str = "web") -> None:
    """SIGHUP, until the log says that the new settings are in force."""
    before = told_by(office, of)
    process.send_signal(signal.SIGHUP)
    eventually(lambda: told_by(office, of) > before)


def told_by(office: Office, process: str, event: str = "reloaded") -> int:
    return len(lines_of(office, process, event))


def lines_of(office: Office, process: str, event: str) -> list[dict[str, Any]]:
    return [line for line in office.log_lines() if (line["process"], line["event"]) == (process, event)]


def children_of(process: "subprocess.Popen[bytes]") -> set[int]:
    """The processes that it started: of web those that answer."""
    return {child.pid for child in psutil.Process(process.pid).children()}


@dataclass
class Answers:
    """What a steady caller was answered: when it asked, and the status; or what failed."""

    seen: list[tuple[float, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def statuses(self, since: float = 0) -> set[int]:
        return {status for began, status in self.seen if began > since}


@contextmanager
def calling(call: Callable[[], requests.Response], pause_seconds: float = 0.05) -> Iterator[Answers]:
    """Somebody calls again and again for the length of the block; once at least before it begins."""
    answers, enough = Answers(), threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            began = time.time()
            try:
                answers.seen.append((began, call().status_code))
            except requests.RequestException as exc:
                answers.failures.append(repr(exc))
            enough.wait(pause_seconds)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        eventually(lambda: answers.seen)
        yield answers
    finally:
        enough.set()
        thread.join()


def reloaded_at(office: Office) -> float:
    """When the web processes last told it."""
    return datetime.fromisoformat(lines_of(office, "web", "reloaded")[-1]["time"]).timestamp()


def link_to(office: Office, content: bytes) -> str:
    """A download link to a document that was just taken in; a worker runs."""
    office.add_document(content)
    wipo = office.operator()
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(lambda: wipo.locate(WANTED, acknowledgement_id).ok)
    return str(wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"])


class SlowReader:
    """A download on a slow line, for the length of a block: nothing is read but what is asked for here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._file.close()
        self._line.close()

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        self._request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self._line = socket.socket()
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._line.settimeout(PATIENCE_SECONDS)
        self._line.connect((str(parts.hostname), parts.port))
        self._line.sendall(self._request)
        self._file = self._line.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def ask_again(self) -> bytes:
        """What comes when the same is asked for again on the same line."""
        try:
            self._line.sendall(self._request)
            return self._file.read(1)
        except ConnectionError:
            return b""
