"""A folder like a fresh clone's, with keys."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, keys_folder: Path) -> Path:
    """A folder that holds every key of the shipped settings in `keys/`."""
    shutil.copytree(keys_folder, tmp_path / "keys")
    return tmp_path
