"""Every verb there is stands on a page; that no page names one that is not there, `tests/test_documents.py` sees to."""

import re

import pytest

from tests.cli.test_command_line import every_verb
from tests.office import ROOT

PAGES = "".join(page.read_text() for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("verb", every_verb())
def test_every_verb_stands_on_a_page(verb: str) -> None:
    assert re.search(rf"`(?:office-node )?{verb}\b", PAGES)
