"""An office whose keys were made at a known moment."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from tests import command_line
from tests.settings.files import write

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Its settings."""
    file = write(tmp_path, {})
    with time_machine.travel(NOW, tick=False):
        assert command_line.run(file, "keys", "generate").exit_code == 0
    return file


@pytest.fixture
def folder(file: Path) -> Path:
    """Where its keys lie."""
    return file.parent.parent / "keys"
