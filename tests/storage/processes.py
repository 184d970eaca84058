"""Several processes of `tests.storage.peer`, let go at one moment."""

import subprocess
import sys
from pathlib import Path

from tests.office import ROOT


def run_at_once(verb: str, url: str, go_file: Path, *, processes: int, threads: int, times: int) -> list[str]:
    """What each process wrote to standard error and its exit code when that was not 0; empty if all went well."""
    command = [sys.executable, "-m", "tests.storage.peer", verb, url, str(go_file), str(threads), str(times)]
    started = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    go_file.touch()
    ended = [(process.communicate(timeout=90)[1], process.returncode) for process in started]
    return [f"exit code {code}: {errors}" for errors, code in ended if code or errors]
