"""office-node serve, web, worker: start what runs."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click

from office_node import checks, logs
from office_node.cli.context import load_settings
from office_node.settings import Settings, SettingsFaulty
from office_node.storage import schema
from office_node.wiring import build_database, build_node

_RESTART_SECONDS = 1.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h


@click.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Start web and worker together, restart what falls, stop them together.

    The embedded default: the database's schema is brought up first.
    """
    settings = _checked(ctx, "serve")
    database = build_database(settings)
    schema.upgrade(database)
    database.close()
    sys.exit(_Supervisor(ctx.find_root().obj, settings.web.drain_seconds).run(["web", "worker"]))


@click.command()
@click.pass_context
def web(ctx: click.Context) -> None:
    """Start the web processes that WIPO reaches."""
    settings = _checked(ctx, "web")
    database = build_database(settings)
    schema.check(database)
    database.close()
    from office_node.web import WebServer

    WebServer(settings).run()


@click.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Start a worker: delivers the outbox, keeps house."""
    settings = _checked(ctx, "worker")
    node = build_node(settings)
    schema.check(node.database)
    from office_node import worker as worker_door

    worker_door.run(node)


def _checked(ctx: click.Context, process: str) -> Settings:
    settings = load_settings(ctx)
    findings = checks.check(settings, ctx.find_root().obj.name)
    if findings:
        raise SettingsFaulty(findings)
    logs.configure(settings.logging.level, process=process)
    return settings


class _Supervisor:
    """Keeps child processes running until it is told to stop."""

    def __init__(self, config_file: Path, drain_seconds: float) -> None:
        self._command = [sys.executable, "-m", "office_node", "--config", str(config_file)]
        self._drain_seconds = drain_seconds
        self._stopping = False

    def run(self, verbs: list[str]) -> int:
        """Start one child a verb and wait. Returns the exit code: 0 when everything stopped as told."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        children = {verb: self._start(verb) for verb in verbs}
        while not self._stopping:
            time.sleep(0.2)
            for verb, child in children.items():
                if child.poll() is not None and not self._stopping:
                    click.echo(f"{verb} ended with {child.returncode}, starting it again", err=True)
                    time.sleep(_RESTART_SECONDS)
                    children[verb] = self._start(verb)
        return self._end(list(children.values()))

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, verb: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([*self._command, verb], preexec_fn=_die_with_parent)  # noqa: PLW1509

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
        return max(abs(int(child.returncode)) for child in children)


def _die_with_parent() -> None:
    """A killed `serve` must not leave web and worker behind (Linux; elsewhere they stay until told)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(1)
