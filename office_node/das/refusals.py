"""What a DAS error says, in either of its shapes (protocol.md 5, C-7). Access codes that WIPO quotes are left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_QUOTE = 300
_ACCESS_CODE_DIFFERS = -14
_ACCESS_CODE = re.compile(r"(?is).*?access[\W_]*code")
_LIKE_A_CODE = re.compile(r"\b(?=\w*[0-9A-Z]{4})[0-9A-Za-z]{4}\b")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error's sentences, shortened, and WIPO's numbers in it."""

    said: str
    numbers: tuple[int, ...]


def read(body: Any) -> Refusal | None:
    """The error in an answer's JSON; None if it holds none. An answer of any status may."""
    wrapped = isinstance(body, Mapping) and isinstance(body.get("error"), Mapping)
    said = body["error"] if wrapped else body
    if not isinstance(said, Mapping) or not (wrapped or "details" in said or "code" in said):
        return None
    details = said.get("details")
    entries = [entry for entry in details if isinstance(entry, Mapping)] if isinstance(details, list) else []
    sentences = "; ".join(_sentence(entry) for entry in entries)
    text = sentences or without_access_code(str(said.get("message") or said.get("code") or ""))
    return Refusal(printable(text, _LONGEST_QUOTE), tuple(filter(None, map(_number, entries))))


def printable(text: str, most: int) -> str:
    """A peer's words, fit for a terminal, a log and every database: NUL, half surrogates and escape codes are not."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])


def without_access_code(message: str) -> str:
    """`message` up to where it names the access code: WIPO tells which one it expected (protocol.md 5.2)."""
    named = _ACCESS_CODE.match(message)
    return _LIKE_A_CODE.sub("[cut]", named[0]) if named else message


def without(text: str, access_code: str) -> str:
    """`text` without the access code that WIPO was sent, wherever it stands and however it is written."""
    return re.sub(rf"(?<![0-9a-z]){re.escape(access_code)}(?![0-9a-z])", "[cut]", text, flags=re.IGNORECASE)


def _sentence(entry: Mapping[str, Any]) -> str:
    if _number(entry) == _ACCESS_CODE_DIFFERS:  # whatever its words: they tell which one was expected
        return f"{_ACCESS_CODE_DIFFERS} Mismatched access code"
    return f"{entry.get('code')} {without_access_code(str(entry.get('message')))}"


def _number(entry: Mapping[str, Any]) -> int:
    """WIPO's number; 0 if there is none. Numbers may come as text (protocol.md 9)."""
    try:
        return int(float(str(entry.get("code"))))
    except (ValueError, OverflowError):
        return 0
