"""Reads the members of a message that an office sent; what is wrong with them comes together in one refusal.

Sources: protocol.md 3, 9. Unknown members are accepted, `null` is absent, numbers may come where text is meant.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from office_node.das.number_formats import BadDocumentNumber, normalise
from office_node.document_id import DocumentKind
from office_node.rehearsal.refusals import Refused

KINDS = tuple(kind.value for kind in DocumentKind)
_LONGEST_TEXT = 200
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T\S*)?")


class Members:
    """One message. Every reader gives "" for what is absent or wrong; `insist` raises what was wrong."""

    def __init__(self, message: object) -> None:
        if not isinstance(message, Mapping):
            raise Refused(400, "the body is no JSON object")
        self._message = message
        self._problems: list[str] = []

    def text(self, name: str, *, needed: bool = True) -> str:
        value = self._message.get(name)
        if value is None or value == "":
            return self._wrong(name, "missing") if needed else ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            return self._wrong(name, "is no text")
        text = str(value).strip()
        return text if text and len(text) <= _LONGEST_TEXT and text.isprintable() else self._wrong(name, "is no text")

    def optional(self, name: str) -> str | None:
        return self.text(name, needed=False) or None

    def matching(self, name: str, pattern: "re.Pattern[str]", what: str, *, needed: bool = True) -> str:
        text = self.text(name, needed=needed)
        return text if not text or pattern.fullmatch(text) else self._wrong(name, f"is not {what}")

    def one_of(self, name: str, words: Sequence[str], *, needed: bool = True) -> str:
        """In any letter case."""
        text = " ".join(self.text(name, needed=needed).lower().split())
        return text if not text or text in words else self._wrong(name, f"is none of {', '.join(words)}")

    def date(self, name: str, *, needed: bool = True) -> str:
        """`YYYY-MM-DD`, without the time part that may follow."""
        text = self.text(name, needed=needed)
        return plain_date(text) or (self._wrong(name, "is no date") if text else "")

    def number(self, name: str, kind: str) -> str:
        """A document number of `kind` in its normal form."""
        text = self.text(name)
        if not (text and kind):
            return ""
        try:
            return normalise(DocumentKind(kind), text)
        except BadDocumentNumber:
            return self._wrong(name, f"is no number of a {kind} there")

    def insist(self) -> None:
        """Raises `Refused` if anything was wrong."""
        if self._problems:
            raise Refused(400, *self._problems)

    def _wrong(self, name: str, what: str) -> str:
        self._problems.append(f"{name}: {what}")
        return ""


def plain_date(text: str) -> str:
    """`YYYY-MM-DD` of a date that may have a time part; "" if it is none."""
    match = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(match[1]).isoformat() if match else ""
    except ValueError:
        return ""
