"""Settings files for tests: the shipped one, with single keys changed."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.office import SHIPPED_SETTINGS, to_toml

GONE: Final = object()
"""As the value of a change: the key or section is taken out."""
Changes = Mapping[str, Any]
"""`section.key` (or `section.list.0.key`) to value."""


def changed(changes: Changes) -> str:
    """The shipped settings with `changes`, as TOML."""
    content = tomllib.loads(SHIPPED_SETTINGS.read_text())
    for path, value in changes.items():
        *above, key = path.split(".")
        table: Any = content
        for part in above:
            table = table[int(part)] if isinstance(table, list) else table.setdefault(part, {})
        if value is GONE:
            del table[key]
        else:
            table[key] = value
    return to_toml(content)


def write(folder: Path, changes: Changes) -> Path:
    """A file `config/office.toml` under `folder`: the shipped settings with `changes`."""
    file = folder / "config" / "office.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(changed(changes))
    return file
