"""docs/configuration.md tells every key, as the settings' own types have it."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from office_node.settings import Settings
from office_node.settings.reference import settings_reference
from tests import command_line
from tests.office import ROOT, SHIPPED_SETTINGS

PAGE = ROOT / "docs" / "configuration.md"
BEGINNING = "<!-- From here on printed by `office-node config reference`; a test keeps it so. -->\n\n"


def test_the_page_is_what_config_reference_prints() -> None:
    _introduction, _, generated = PAGE.read_text().partition(BEGINNING)
    assert generated == command_line.run(SHIPPED_SETTINGS, "config", "reference").stdout


def test_every_key_of_every_section_has_a_row_with_a_type_a_default_and_a_meaning() -> None:
    rows = [line.strip("| ").split(" | ") for line in settings_reference().splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    assert sorted(row[0].strip("`") for row in rows) == sorted(_keys(Settings))


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key that holds no table, in the model and in the tables of it."""
    for name, field in model.model_fields.items():
        tables = [*_models(field.annotation)]
        if not tables:
            yield name
        for table in tables:
            yield from _keys(table)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def test_every_key_of_the_shipped_file_stands_on_the_page() -> None:
    page = PAGE.read_text()
    for line in SHIPPED_SETTINGS.read_text().splitlines():
        if line.startswith("["):
            assert f"### {line.partition('#')[0].strip()}\n" in page
        elif " = " in line and not line.startswith("#"):
            assert f"| `{line.partition(' = ')[0]}` |" in page
