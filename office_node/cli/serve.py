"""office-node serve, web, worker: start what runs."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

import click
import structlog

from office_node import in_force, settings
from office_node.errors import OfficeNodeError
from office_node.in_force import InForce
from office_node.settings import Finding, Settings, SettingsFaulty
from office_node.storage import schema
from office_node.wiring.rows import build_database

log = structlog.get_logger()

_RESTART_SECONDS = 1.0
_MOST_FALLS = 6  # a killed gunicorn's workers may hold the listener for some seconds: the first tries may fail
_FALLS_WITHIN_SECONDS = 60.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h


@click.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Start web and worker together, restart what falls, stop them together.

    The embedded default: the database's schema is brought up first.
    """
    _hold_back_reload()
    file: Path = ctx.find_root().obj
    found = in_force.read(file, "serve")
    _refuse_taken_listener(found, file.name)
    database = build_database(found)
    schema.upgrade(database)
    database.close()
    sys.exit(_Supervisor(file, found.web.drain_seconds).run(["web", "worker"]))


@click.command()
@click.pass_context
def web(ctx: click.Context) -> None:
    """Start the web processes that WIPO reaches."""
    _hold_back_reload()
    from office_node.web.server import WebServer

    WebServer(InForce(ctx.find_root().obj, "web")).run()


@click.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Start a worker: delivers the outbox, keeps house."""
    _hold_back_reload()
    from office_node import worker as worker_door

    worker_door.run(InForce(ctx.find_root().obj, "worker"))


def _hold_back_reload() -> None:
    """A SIGHUP that comes before there is anything to reload waits; it would end the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def _refuse_taken_listener(settings: Settings, file: str) -> None:
    host, _, port = settings.web.listen.rpartition(":")
    try:
        socket.create_server(
            (host.strip("[]"), int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as exc:
        what = f"{settings.web.listen} cannot be bound: {exc.strerror}"
        hint = "stop what listens there (another node?), or name another host:port"
        raise SettingsFaulty([Finding("N711", file, "[web] listen", what, hint)]) from exc


class ChildKeepsFalling(OfficeNodeError):
    """Web or worker ends again and again as soon as it is started."""

    code = "N710"
    hint = "its own lines above tell why; mend that, then start again"


class _Supervisor:
    """Keeps child processes running until it is told to stop."""

    def __init__(self, config_file: Path, drain_seconds: float) -> None:
        self._config_file = config_file
        self._command = [sys.executable, "-m", "office_node", "--config", str(config_file)]
        self._drain_seconds = drain_seconds
        self._stopping = False
        self._told_to_reload = False
        self._falls: list[float] = []

    def run(self, verbs: list[str]) -> int:
        """Start one child a verb and wait. Returns the exit code: 0 when everything stopped as told."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._note_reload)
        children = {verb: self._start(verb) for verb in verbs}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        while not self._stopping:
            time.sleep(0.2)
            if self._told_to_reload:
                self._reload(list(children.values()))
            for verb, child in children.items():
                if child.poll() is not None and not self._stopping:
                    log.error(
                        "child ended, starting it again",
                        code=ChildKeepsFalling.code,
                        verb=verb,
                        ended_with=child.returncode,
                    )
                    time.sleep(_RESTART_SECONDS)
                    children[verb] = self._start_again(verb, list(children.values()))
        return self._end(list(children.values()))

    def _start_again(self, verb: str, children: list["subprocess.Popen[bytes]"]) -> "subprocess.Popen[bytes]":
        now = time.monotonic()
        self._falls = [fall for fall in self._falls if now - fall < _FALLS_WITHIN_SECONDS] + [now]
        if len(self._falls) >= _MOST_FALLS:
            self._end(children)
            raise ChildKeepsFalling(f"{verb} ended {_MOST_FALLS} times within {_FALLS_WITHIN_SECONDS:g} seconds")
        return self._start(verb)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _note_reload(self, _signal: int, _frame: FrameType | None) -> None:
        self._told_to_reload = True

    def _reload(self, children: list["subprocess.Popen[bytes]"]) -> None:
        self._told_to_reload = False
        for child in children:
            child.send_signal(signal.SIGHUP)
        with suppress(SettingsFaulty):  # which the children tell
            self._drain_seconds = settings.load(self._config_file).web.drain_seconds

    def _start(self, verb: str) -> "subprocess.Popen[bytes]":
        # In a process group of its own: a Ctrl-C at the terminal reaches us alone, and we tell the children to drain.
        prepare = partial(_prepare_child, os.getpid())
        return subprocess.Popen([*self._command, verb], preexec_fn=prepare, process_group=0)  # noqa: PLW1509

    def _end(self, children: list["subprocess.Popen[bytes]"]) -> int:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + self._drain_seconds + 5
        for child in children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return max(_exit_code(child.returncode) for child in children)


def _exit_code(returncode: int) -> int:
    """A child that our SIGTERM met before it could listen has ended as it was told."""
    return 0 if returncode == -signal.SIGTERM else abs(returncode)


def _prepare_child(parent: int) -> None:
    """A killed `serve` must not leave web and worker behind (Linux; elsewhere they stay until told)."""
    _hold_back_reload()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
        if os.getppid() != parent:  # it died before prctl; in a container the living parent may well be PID 1
            os._exit(1)
