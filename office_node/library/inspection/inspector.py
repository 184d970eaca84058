"""The node's side: one limited process for each file, told in plain text what it found, ended in any case."""

import json
import math
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Final

from office_node.errors import OfficeNodeError
from office_node.library import formats
from office_node.library.formats import FileFormat
from office_node.library.inspection import inside
from office_node.library.inspection.findings import Kind, PackageFinding, UnsoundPackage, named, printable
from office_node.library.inspection.limits import Limits
from office_node.library.sealing.at_rest import FileAtRest

_MEMORY_BYTES: Final = 1 << 30
_BYTES_A_SECOND: Final = 16 << 20
_MOST_TOLD_BYTES: Final = 1 << 18

# Imported once, by the server that only forks and opens no file: the checks, and what the script `office-node` imports,
# because `multiprocessing` runs the main script again in each child.
_PRELOADED: Final = ("office_node.library.inspection.package", "office_node.cli")
_CONTEXT = multiprocessing.get_context("forkserver")
# One at a time: `multiprocessing` looks after all children whenever one is started, also those that a thread is ending.
_TURN = threading.Lock()


class InspectionImpossible(OfficeNodeError):
    """No process to inspect in could be had: nothing is said of the file."""

    code = "N315"
    hint = "see that the machine has memory and processes left and a folder for temporary files, then try again"


class _BrokeOff(Exception):
    """The process ended, or was ended, before its verdict."""


class Inspector:
    """Looks into PDFs and ZIPs without opening them itself. Making one starts nothing."""

    def __init__(self, *, max_unpacked_bytes: int, seconds: float = 60, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._max_unpacked_bytes = max_unpacked_bytes
        self._seconds = seconds
        self._memory_bytes = memory_bytes

    def inspect(self, at_rest: FileAtRest) -> FileFormat:
        """The format of a sound package; a large file is given a second more for each 16 MiB.

        Raises `NotADocument`, `UnsoundPackage` with every finding, and `InspectionImpossible`.
        """
        with at_rest.open() as file:
            file_format = formats.detect(file)
        seconds = self._seconds + at_rest.path.stat().st_size / _BYTES_A_SECOND
        limits = Limits(math.ceil(seconds), self._memory_bytes, self._max_unpacked_bytes)
        try:
            with _process(at_rest, file_format, limits) as receiver:
                findings, total = _verdict(_told(receiver, time.monotonic() + seconds))
        except _BrokeOff as exc:
            raise UnsoundPackage((_broke_off(str(exc)),)) from exc
        if findings:
            raise UnsoundPackage(findings, total)
        return file_format


@contextmanager
def _process(at_rest: FileAtRest, file_format: FileFormat, limits: Limits) -> Iterator[Connection]:
    receiver, process = _started(at_rest, file_format, limits)
    try:
        yield receiver
    finally:
        receiver.close()
        with _TURN:
            if process.is_alive():
                process.kill()
            process.join()
            process.close()


def _started(at_rest: FileAtRest, file_format: FileFormat, limits: Limits) -> tuple[Connection, ForkServerProcess]:
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    arguments = (sender, replace(at_rest, path=at_rest.path.resolve()), file_format, limits)
    process = _CONTEXT.Process(target=inside.run, args=arguments, name="inspection", daemon=True)
    try:
        with _TURN:
            _CONTEXT.set_forkserver_preload([*_PRELOADED])
            process.start()
    except (OSError, EOFError) as exc:
        receiver.close()
        raise InspectionImpossible(f"no process to inspect in could be started ({type(exc).__name__})") from exc
    finally:
        sender.close()
    return receiver, process


def _told(receiver: Connection, deadline: float) -> bytes:
    # Raw bytes to the end, never `recv`: unpickling would let the other side run code here, and a message that is
    # announced and does not come would hold this thread.
    told = b""
    while receiver.poll(max(0.0, deadline - time.monotonic())):
        block = os.read(receiver.fileno(), 1 << 16)
        if not block:
            return told
        told += block
        if len(told) > _MOST_TOLD_BYTES:
            raise _BrokeOff("it said too much")
    raise _BrokeOff("it took too long")


def _verdict(told: bytes) -> tuple[tuple[PackageFinding, ...], int]:
    if not told.startswith(inside.READY):
        raise InspectionImpossible("the process to inspect in ended before it looked at the file")
    if told == inside.READY:
        raise _BrokeOff("its process died")
    try:
        said = json.loads(told.removeprefix(inside.READY))
        return named((str(number), str(what)) for number, what in said["findings"]), int(said["total"])
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _BrokeOff("its verdict cannot be read") from exc


def _broke_off(why: str) -> PackageFinding:
    return PackageFinding(Kind.BROKE_OFF.number, printable(f"{Kind.BROKE_OFF.title} ({why})"), Kind.BROKE_OFF.hint)
