"""The whole suite of the program before the newest migration, on the schema with that migration.

This is what expand-then-contract promises (docs/decisions/0014-expand-then-contract.md): an older program on one host
works on, while a newer one on another has brought the schema up. The older program is taken from the history of this
checkout: the commit before the one that brought the newest migration.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from office_node.storage import schema
from tests.office import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

VERSIONS = Path("office_node/storage/migrations/versions")
ABOUT_THE_SCHEMA_ITSELF = "tests/storage/test_migrations.py"
"""Compares the schema with what the program knows of it, and the newer one is more, by intent."""


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def test_the_suite_of_the_program_before_passes_on_the_schema_of_now(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    [newest] = (ROOT / VERSIONS).glob(f"{schema.head()}_*.py")
    brought_by = _git("log", "--diff-filter=A", "-1", "--format=%H", "--", str(VERSIONS / newest.name)).decode().strip()
    assert brought_by, f"{newest.name} is committed, in a checkout with its history"
    program = tmp_path / "before"
    with tarfile.open(fileobj=io.BytesIO(_git("archive", f"{brought_by}^"))) as archive:
        archive.extractall(program, filter="data")
    assert not (program / VERSIONS / newest.name).exists()
    shutil.copy(newest, program / VERSIONS)
    suite = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", f"--ignore={ABOUT_THE_SCHEMA_ITSELF}"],
        cwd=program,
        env={**os.environ, "PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = suite.stdout.strip().splitlines()[-1]
    record_property("figure", last)
    assert suite.returncode == 0, suite.stdout[-20_000:]
    assert int(re.findall(r"(\d+) passed", last)[0]) > 5000
