"""The other side: what runs in the process that lives for one file. Nothing it says is trusted."""

import importlib
import json
import os
from multiprocessing.connection import Connection

from office_node.library.formats import FileFormat
from office_node.library.inspection import limits
from office_node.library.inspection.findings import Findings, Kind
from office_node.library.inspection.limits import Limits
from office_node.library.sealing.at_rest import FileAtRest

READY = b"ready\n"


def run(sender: Connection, at_rest: FileAtRest, file_format: FileFormat, allowed: Limits) -> None:
    """Inspect the file and say what was found; then this process ends, whatever still lives in it."""
    limits.be_mortal(allowed.seconds)
    limits.keep_only(sender.fileno())
    # By name: the node imports this file too, and must not load what parses.
    package = importlib.import_module("office_node.library.inspection.package")
    limits.apply(allowed)
    _say(sender, READY)
    findings = Findings()
    try:
        package.inspect(at_rest, file_format, allowed.max_unpacked_bytes, findings)
    except Exception as exc:
        findings.add(Kind.BROKE_OFF, _why(exc))
    _say(sender, json.dumps({"findings": findings.named, "total": findings.total}).encode())
    os._exit(0)


def _why(exc: Exception) -> str:
    if isinstance(exc, MemoryError):
        return "it needed too much memory"
    return f"{type(exc).__name__}: {exc.strerror}" if isinstance(exc, OSError) else type(exc).__name__


def _say(sender: Connection, said: bytes) -> None:
    while said:
        said = said[os.write(sender.fileno(), said) :]
