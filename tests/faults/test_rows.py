"""Every row of the faults the node is held to has a test with its number in its name."""

import re

from tests.faults.rows import LACKING, ROWS
from tests.office import ROOT


def test_every_row_is_shown_by_a_test() -> None:
    shown = {
        int(number)
        for file in (ROOT / "tests").rglob("test_*.py")
        for number in re.findall(r"^def test_row_(\d\d)_", file.read_text(), re.MULTILINE)
    }
    assert shown == set(ROWS) == set(range(1, 41))
    assert set(LACKING) <= set(ROWS)
