"""Names of a ZIP's entries: plain ones, below the folder they are unpacked to, each once."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from office_node.library.inspection.findings import Findings, Kind

_DRIVE = re.compile(r"[A-Za-z]:")
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def judge(given: Sequence[str], findings: Findings) -> None:
    """Every name that is unsafe, for each reason, and every one that came before."""
    seen: set[str] = set()
    for name in given:
        for reason in _reasons(name):
            findings.add(Kind.UNSAFE_NAME, reason, name)
        plain = unicodedata.normalize("NFC", name).casefold().rstrip("/")
        if plain in seen:
            findings.add(Kind.NAME_TWICE, "", name)
        seen.add(plain)


def _reasons(name: str) -> Iterator[str]:
    if not name.strip("/ "):
        yield "it is empty"
    if name.startswith("/"):
        yield "it is absolute"
    if _DRIVE.match(name):
        yield "it has a drive"
    if "\\" in name:
        yield "it has a backslash"
    if ".." in name.replace("\\", "/").split("/"):
        yield "it has `..`"
    if any(unicodedata.category(char) in _UNSEEN for char in name):
        yield "it has characters that are not seen"
