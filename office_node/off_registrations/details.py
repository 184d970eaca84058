"""What the office tells WIPO about the application behind a document, and what of it may be corrected."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

CORRECTABLE: Final = ("application_category", "application_number", "application_filing_date", "email")
PRIORITY_DOCUMENT = "priority document"  # protocol.md C-11


@dataclass(frozen=True, slots=True)
class Details:
    """The members of E6 beside the document itself, and the office's own reference."""

    application_category: str | None = PRIORITY_DOCUMENT
    application_number: str | None = None
    application_filing_date: date | None = None
    email: str | None = None
    file_reference: str | None = None

    def columns(self) -> dict[str, Any]:
        """As they stand in a row."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Corrections:
    """What shall be different; None leaves a thing as it is."""

    filing_date: date | None = None
    """Of the document itself (`documentDate`)."""
    access_code: str | None = None
    application_category: str | None = None
    application_number: str | None = None
    application_filing_date: date | None = None
    email: str | None = None

    def __repr__(self) -> str:
        return "Corrections(...)"

    def differing_from(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The members that differ from what is known under their names, as JSON; the access code is not among them."""
        names = ("filing_date", *CORRECTABLE)
        wanted = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in wanted.items()
            if known.get(name) != value
        }

    @staticmethod
    def date_in(facts: Mapping[str, Any], name: str = "filing_date") -> date | None:
        """The date of that name in what `differing_from` gave."""
        return date.fromisoformat(facts[name]) if name in facts else None
