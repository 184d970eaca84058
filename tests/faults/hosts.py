"""Several hosts of one office: an address each on loopback, one database, one store; and what stands before them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import requests

from tests.office import ROOT, Office, eventually

_BLOCK_BYTES = 1 << 16


@dataclass
class Host:
    """One machine: its web processes and its worker, started again when they were killed."""

    office: Office
    settings_file: Path
    url: str
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    program: Path = ROOT
    """The folder of the program that it runs."""
    is_out: bool = False
    """Whether what stands before the hosts sends nobody to it."""

    def start(self, verb: str) -> None:
        command = [sys.executable, "-m", "office_node", "--config", str(self.settings_file), verb]
        with self.office.log_file.open("ab") as log:
            self.running[verb] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.program)
        self.office.processes.append(self.running[verb])

    def stop(self, verb: str) -> int:
        """As an administrator does."""
        self.running[verb].terminate()
        return self.running[verb].wait(timeout=60)

    def answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/", timeout=5).status_code == 404
        return False

    def kill(self, verb: str) -> None:
        """Everything of it at once, as when the machine loses its power."""
        process = self.running[verb]
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()


def hosts_of(office: Office, count: int) -> list[Host]:
    """Hosts that share all but the address they listen on."""
    found = []
    port = office.url.rpartition(":")[2]
    for number in range(count):
        address = f"127.0.0.{2 + number}:{port}"
        file = office.settings_file.with_name(f"host{number}.toml")
        listen = f'listen = "{office.url.removeprefix("http://")}"'
        text = office.settings_file.read_text()
        assert listen in text
        file.write_text(text.replace(listen, f'listen = "{address}"'))
        found.append(Host(office, file, f"http://{address}"))
    return found


@contextmanager
def before_them(office: Office, hosts: list[Host]) -> Iterator[None]:
    """The office's public address: each connection goes to the next host that takes it, whoever it is."""
    address = office.url.removeprefix("http://").rpartition(":")
    listener = socket.create_server((address[0], int(address[2])), backlog=256)
    over, turn = threading.Event(), iter(range(1 << 30))

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError, OSError):
                line, _ = listener.accept()
                threading.Thread(target=_forward, args=(line, hosts, next(turn)), daemon=True).start()

    listener.settimeout(0.2)
    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        listener.close()


@contextmanager
def one_dies_now_and_then(hosts: list[Host], seed: int, every_seconds: float) -> Iterator[list[str]]:
    """A web or worker of one host is killed, and started again a second later, until the block ends."""
    chance, over = Random(seed), threading.Event()
    killed: list[str] = []

    def go_on() -> None:
        while not over.wait(every_seconds * chance.uniform(0.6, 1.4)):
            host, verb = chance.choice(hosts), chance.choice(("web", "worker"))
            host.kill(verb)
            killed.append(f"{verb} of {host.url}")
            over.wait(1.0)
            host.start(verb)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def start_all(hosts: list[Host]) -> None:
    for host in hosts:
        host.start("web")
        host.start("worker")
    eventually(lambda: all(host.answers() for host in hosts))


def _forward(line: socket.socket, hosts: list[Host], turn: int) -> None:
    with line:
        for tried in range(len(hosts) * 20):
            host = hosts[(turn + tried) % len(hosts)]
            if host.is_out:
                continue
            address, _, port = host.url.removeprefix("http://").rpartition(":")
            try:
                behind = socket.create_connection((address, int(port)), timeout=5)
            except OSError:
                time.sleep(0.05)
                continue
            behind.settimeout(None)
            with behind:
                back = threading.Thread(target=_copy, args=(behind, line), daemon=True)
                back.start()
                _copy(line, behind)
                back.join()
            return


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK_BYTES):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
