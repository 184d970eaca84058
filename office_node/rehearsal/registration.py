"""A registration in WIPO's words: what an office asks for, what simulated WIPO keeps of it, and what it tells.

Sources: protocol.md E6 to E10, E17.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from office_node.das.number_formats import BadDocumentNumber, normalise
from office_node.document_id import DocumentKind
from office_node.rehearsal.members import KINDS, Members, plain_date
from office_node.rehearsal.refusals import UNNUMBERED, Problem, Refused

_ACCESS_CODE = re.compile(r"[0-9A-Za-z]{4}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CATEGORIES = ("priority document", *KINDS)


@dataclass(frozen=True, slots=True)
class Data:
    """What E7 may correct; None for what was not told."""

    date: str
    access_code: str
    application_category: str | None
    application_number: str | None
    application_filing_date: str | None
    email: str | None

    def for_the_ledger(self) -> dict[str, Any]:
        """Never the access code, and nobody's address."""
        return {
            "documentDate": self.date,
            "applicationCategory": self.application_category,
            "applicationNumber": self.application_number,
            "applicationFilingDate": self.application_filing_date,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """E6 or E7, as it was understood."""

    kind: str
    number: str
    data: Data
    file_id: str | None

    @property
    def document(self) -> str:
        return f"{self.kind} {self.number}"

    @classmethod
    def read(cls, message: object) -> "Asked":
        """Raises `Refused` with everything that is wrong."""
        members = Members(message)
        members.one_of("operationCategory", ("registration",))
        kind = members.one_of("documentKindCategory", KINDS)
        asked = cls(kind, members.number("documentNumber", kind), _data(members), members.optional("fileId"))
        members.insist()
        return asked


def _data(members: Members) -> Data:
    return Data(
        date=members.date("documentDate"),
        # The old convention of withdrawing with the access code `unregister` is dead, and longer than four.
        access_code=members.matching("dasAccessCode", _ACCESS_CODE, "4 letters or digits").upper(),
        application_category=members.one_of("applicationCategory", _CATEGORIES, needed=False) or None,
        application_number=members.optional("applicationNumber"),
        application_filing_date=members.date("applicationFilingDate", needed=False) or None,
        email=members.matching("email", _EMAIL, "an address", needed=False) or None,
    )


@dataclass(frozen=True, slots=True)
class Named:
    """A document as E8, E10 and E17 name it, word by word; what is no such word matches nothing."""

    kind: str
    number: str
    date: str
    access_code: str

    @classmethod
    def read(cls, message: object) -> "Named":
        """Raises `Refused` with everything that is missing."""
        members = Members(message)
        names = ("documentKindCategory", "documentNumber", "documentDate", "dasAccessCode")
        named = cls(*(members.text(name) for name in names))
        members.insist()
        return named

    @property
    def document(self) -> str:
        """As `Asked.document`; "" if it can be none."""
        kind = " ".join(self.kind.lower().split())
        try:
            return f"{kind} {normalise(DocumentKind(kind), self.number)}"
        except (BadDocumentNumber, ValueError):
            return ""

    def mismatches(self, data: Data) -> list[Problem]:
        """WIPO's own words, which tell what was expected (protocol.md 5.2)."""
        problems = []
        if plain_date(self.date) != data.date:
            told = f"Mismatched priority filing date: documentDate: expected documentDate={data.date}"
            problems.append(Problem(told, -12))
        if self.access_code.upper() != data.access_code:
            told = f"Mismatched access code: dasAccessCode: expected dasAccessCode={data.access_code}"
            problems.append(Problem(told, -14))
        return problems


def not_registered(kind: str, number: str) -> Refused:
    """The refusal with -7."""
    said = f"documentNumber={number}, documentKindCategory={kind}"
    return Refused(400, Problem(f"The requested document is not registered in the system: {said}", -7))


@dataclass(frozen=True, slots=True)
class Version:
    """A registration as one E6 or E7 left it."""

    acknowledgement_id: str
    asked: Asked
    file_id: str | None
    """Of the content; None while the office keeps it."""
    sha256: str | None
    ledger_entry: tuple[str, str]
    at: datetime
    ready_at: float
    """When it stops being pending."""
    error: str
    """What it ends as, if not well."""

    @property
    def status(self) -> Literal["pending", "success", "error"]:
        if time.monotonic() < self.ready_at:
            return "pending"
        return "error" if self.error else "success"

    def to_wire(self) -> dict[str, Any]:
        """The answer to E6, E7 and E9."""
        told = {"requestAckId": self.acknowledgement_id, "requestStatusCategory": self.status, **self._document()}
        return told | (
            {"errorCode": UNNUMBERED, "statusMessage": self.error} if told["requestStatusCategory"] == "error" else {}
        )

    def availability(self) -> dict[str, Any]:
        """The answer to E17; not available as long as it is pending."""
        status = self.status
        since = {"documentAvailabilityDate": self.at.date().isoformat()} if status == "success" else {}
        return {**self._document(), "requestStatusCategory": status, **since}

    def _document(self) -> dict[str, str]:
        return {
            "documentKindCategory": self.asked.kind,
            "documentNumber": self.asked.number,
            "documentDate": self.asked.data.date,
        }


def now() -> datetime:
    return datetime.now(UTC)
