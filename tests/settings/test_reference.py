"""docs/configuration.md tells every key, as the settings' own types have it."""

from office_node import settings
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
    shipped = settings.load(SHIPPED_SETTINGS)
    assert shipped.authorization_server
    sections = [getattr(shipped, name) for name in Settings.model_fields] + [*shipped.authorization_server.clients]
    keys = [key for section in sections for key in type(section).model_fields if key != "clients"]
    assert sorted(row[0].strip("`") for row in rows) == sorted(keys)


def test_every_key_of_the_shipped_file_stands_on_the_page() -> None:
    page = PAGE.read_text()
    for line in SHIPPED_SETTINGS.read_text().splitlines():
        if line.startswith("["):
            assert f"### {line.partition('#')[0].strip()}\n" in page
        elif " = " in line and not line.startswith("#"):
            assert f"| `{line.partition(' = ')[0]}` |" in page
