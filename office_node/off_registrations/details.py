"""What the office tells WIPO about the application behind a document, and what of it may be corrected."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError

CORRECTABLE: Final = ("application_category", "application_number", "application_filing_date", "email")
DATES: Final = ("filing_date", "application_filing_date")
PRIORITY_DOCUMENT = "priority document"  # protocol.md C-11
APPLICATION_CATEGORIES: Final = (PRIORITY_DOCUMENT, *(kind.value for kind in DocumentKind))
_LONGEST: Final = {"application_number": 100, "email": 200, "file_reference": 100}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class BadDetails(OfficeNodeError):
    """Data about the application that WIPO does not take, or that no row has room for."""

    code = "N371"
    owner = "office"
    hint = "correct what is named; all but the document itself may be left out"


def _insist(details: object) -> None:
    """Raises `BadDetails` with everything that is wrong."""
    faults = []
    for name, longest in _LONGEST.items():
        value = getattr(details, name, None)
        if value is not None and len(value) > longest:
            faults.append(f"{name} has more than {longest} characters")
        if value is not None and not value.isprintable():
            faults.append(f"{name} has characters that cannot be printed")
    email, category = getattr(details, "email", None), getattr(details, "application_category", None)
    if email is not None and not _EMAIL.fullmatch(email):
        faults.append("email is no address")
    if category is not None and category not in APPLICATION_CATEGORIES:
        faults.append(f"application_category is none of {', '.join(APPLICATION_CATEGORIES)}")
    if faults:
        raise BadDetails("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Details:
    """The members of E6 beside the document itself, and the office's own reference. Raises `BadDetails`."""

    application_category: str | None = PRIORITY_DOCUMENT
    application_number: str | None = None
    application_filing_date: date | None = None
    email: str | None = None
    file_reference: str | None = None

    def __post_init__(self) -> None:
        _insist(self)

    def columns(self) -> dict[str, Any]:
        """As they stand in a row."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Corrections:
    """What shall be different; None leaves a thing as it is. Raises `BadDetails`."""

    filing_date: date | None = None
    """Of the document itself (`documentDate`)."""
    access_code: str | None = None
    application_category: str | None = None
    application_number: str | None = None
    application_filing_date: date | None = None
    email: str | None = None

    def __post_init__(self) -> None:
        _insist(self)

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
