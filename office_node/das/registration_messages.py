"""Registrations on the wire: what we write of a document (E6, E7), and what WIPO answers (E2 to E9, E17).

Answers are read leniently (protocol.md 9): unknown members are passed over, words compared without case, numbers taken
as text, and a status that was never seen is one to wait for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from office_node.das.refusals import printable, without_access_code
from office_node.document_id import PriorityDocumentId

_LONGEST_ID = 100

Category = Literal["pending", "success", "error"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What WIPO is told of a priority document. `access_code` is a secret; `file_id` only if WIPO keeps the content."""

    document: PriorityDocumentId
    access_code: str
    application_category: str | None = "priority document"  # C-11
    application_number: str | None = None
    application_filing_date: date | None = None
    email: str | None = None
    file_id: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """The body of E6 and E7; E7 says `registration` too."""
        filing_date = self.application_filing_date
        body: dict[str, Any] = {
            "operationCategory": "registration",
            **identity(self.document, self.access_code),
            "applicationCategory": self.application_category,
            "applicationNumber": self.application_number,
            "applicationFilingDate": filing_date.isoformat() if filing_date else None,
            "email": self.email,
        }
        return body | ({"fileId": self.file_id} if self.file_id else {})

    def __repr__(self) -> str:
        return f"Registration({self.document})"


def identity(document: PriorityDocumentId, access_code: str) -> dict[str, str]:
    """The four members that name a document and prove that we may (E8, E10, E17)."""
    return {**document_members(document), "dasAccessCode": access_code}


def document_members(document: PriorityDocumentId) -> dict[str, str]:
    """The three members that name a document (E14, E16)."""
    return {
        "documentKindCategory": document.kind.value,
        "documentNumber": document.number,
        "documentDate": document.date.isoformat(),
    }


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where the bytes of a file go (E2, E3). `url` is a secret while it lives."""

    file_id: str
    url: str

    def __repr__(self) -> str:
        return f"UploadPlace({self.file_id})"


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What WIPO makes of an uploaded file (E5)."""

    verdict: Literal["accepted", "rejected", "processing"]
    said: str
    """WIPO's own word, or its reason."""


@dataclass(frozen=True, slots=True)
class RegistrationStatus:
    """What has become of a registration at WIPO (E6, E7, E9)."""

    acknowledgement_id: str | None
    category: Category
    said: str
    """WIPO's own word, with its reason if it gives one."""


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What WIPO answers to kind, number, date and access code (E17)."""

    is_registered: bool
    """Registered, and all four agree."""
    numbers: tuple[int, ...]
    """WIPO's numbers for what does not: -7, -12, -14."""
    said: str


def file_status(said: Mapping[str, Any]) -> FileStatus:
    """By the rules of E5; the word decides where there is one, else an error is final and a size is good."""
    word = text_in(said, "fileStatusCategory")
    told = ": ".join(filter(None, (word, reason_in(said))))
    if "reject" in word.lower() or (not word and has_error(said)):
        return FileStatus("rejected", told or "rejected")
    if word.lower() == "accepted" or (not word and _size(said) > 0):
        return FileStatus("accepted", told or "accepted")
    return FileStatus("processing", told or "no status")


def registration_status(said: Mapping[str, Any], *, unsaid: Category) -> RegistrationStatus:
    """`unsaid` is what an answer means that carries no status."""
    word = text_in(said, "requestStatusCategory")
    told = ": ".join(filter(None, (word, reason_in(said))))
    # A pending registration may carry an error code too (protocol.md 3): the word decides where there is one.
    category = category_in(word, "error" if has_error(said) else unsaid)
    return RegistrationStatus(fit_id(said.get("requestAckId")), category, told or unsaid)


def fit_id(value: object) -> str | None:
    """An id of WIPO's as it can be kept and sent again; None for what is none: never a part of one."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= _LONGEST_ID and text.isprintable() and text.isascii() else None


def category_in(word: str, unsaid: Category) -> Category:
    """C-16: whatever an older text says."""
    plain = word.lower()
    if not plain:
        return unsaid
    if "record" in plain or "success" in plain:
        return "success"
    return "error" if "error" in plain or "reject" in plain else "pending"


def has_error(said: Mapping[str, Any]) -> bool:
    return bool(text_in(said, "errorCode")) and text_in(said, "errorCode") != "0"


def reason_in(said: Mapping[str, Any]) -> str:
    return without_access_code(" ".join(filter(None, (text_in(said, "errorCode"), text_in(said, "statusMessage")))))


def text_in(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # numbers may come in any form (protocol.md 9)
    return printable(str(value).strip(), 200) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _size(said: Mapping[str, Any]) -> int:
    text = text_in(said, "fileSizeQuantity")
    return int(text) if text.isascii() and text.isdigit() else 0
