"""Retrievals on the wire, as the office of second filing speaks them: what it asks (E11), what WIPO says of its
requests (E12, E13), and where the bytes are (E14).

Answers are read leniently (protocol.md 9): an entry that makes no sense is passed over, never the whole list.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from office_node.das import number_formats
from office_node.das.error_codes import Malformed
from office_node.das.messages import refuse_names_given_twice
from office_node.das.number_formats import BadDocumentNumber
from office_node.das.registration_messages import Category, category_in, fit_id, has_error, identity, reason_in, text_in
from office_node.document_id import DocumentKind, PriorityDocumentId

_BAGS = ("documentretrievalresponsebag", "documentretrievalbag")
_WRAPPERS = ("documentnotificationretrievalstatus", "documentretrievalrequeststatus", "documentavailability")
_IDS = ("requestAckId", "osfAckId", "offAckId", "ackId")
_FORMATS = ("pdf", "zip", "xml")
_DEEPEST = 6
_MOST_ADDRESSES = 20
_Date = date  # a member of this name hides it below


@dataclass(frozen=True, slots=True)
class Asking:
    """What WIPO is asked for (E11). `access_code` is a secret; the application is this office's own."""

    document: PriorityDocumentId
    access_code: str = field(repr=False)
    application_category: str | None = None
    application_number: str | None = None
    application_filing_date: date | None = None

    def to_wire(self) -> dict[str, Any]:
        """The body of E11."""
        filing_date = self.application_filing_date
        return {
            "operationCategory": "retrieval",
            **identity(self.document, self.access_code),
            "applicationCategory": self.application_category,
            "applicationNumber": self.application_number,
            "applicationFilingDate": filing_date.isoformat() if filing_date else None,
        }


@dataclass(frozen=True, slots=True)
class RetrievalNews:
    """What WIPO says of one of our requests, in an answer (E11, E12) or by a notification (E13)."""

    acknowledgement_ids: tuple[str, ...]
    category: Category
    said: str
    """WIPO's word and reason."""
    error_code: int | None
    kind: DocumentKind | None = None
    number: str | None = None
    """In normal form."""
    date: _Date | None = None
    url: str | None = field(default=None, repr=False)
    """Where the bytes are, if it says so already; a secret while it lives."""

    @property
    def document(self) -> PriorityDocumentId | None:
        """Which document it is about, if it says so."""
        return (
            PriorityDocumentId(self.kind, self.number, self.date) if self.kind and self.number and self.date else None
        )


@dataclass(frozen=True, slots=True)
class Address:
    """Where bytes are: a secret while it lives."""

    url: str = field(repr=False)
    file_format: str | None
    """`pdf`, `zip` or `xml`, if WIPO says so."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where WIPO keeps a document for us (E14): the document, and what else belongs to it."""

    url: str = field(repr=False)
    others: tuple[Address, ...]


def news_in(said: Any, *, unsaid: Category = "pending") -> RetrievalNews:
    """One entry, whatever wraps it. `unsaid` is what it means when it has no status."""
    members = _unwrapped(said)
    word = text_in(members, "requestStatusCategory")
    told = ": ".join(filter(None, (word, reason_in(members))))
    kind = _kind(members.get("documentKindCategory"))
    return RetrievalNews(
        acknowledgement_ids=tuple(dict.fromkeys(filter(None, (fit_id(members.get(name)) for name in _IDS)))),
        category=category_in(word, "error" if has_error(members) else unsaid),
        said=told or unsaid,
        error_code=_number(text_in(members, "errorCode")),
        kind=kind,
        number=_normal(kind, members.get("documentNumber")),
        date=_date(members.get("documentDate")),
        url=_address(members.get("fileDownloadUrl")),
    )


def news_of_all(said: Any) -> list[RetrievalNews]:
    """E12's answer: under either name of the list in any case, as a bare list, or a single entry."""
    return [news_in(entry) for entry in _entries(said) if isinstance(entry, Mapping)]


def location_in(said: Any) -> Location | None:
    """E14's answer; None while it says no address. What else it names is kept, whatever the member's name."""
    found = [*_addresses(said, 0)]
    first = next((address for name, address in found if name.lower() == "filedownloadurl"), None)
    if first is None:
        return None
    others = {address.url: address for _, address in found if address.url != first.url}
    return Location(first.url, tuple(others.values())[:_MOST_ADDRESSES])


def original_address(headers: Mapping[str, str], wanted: str) -> str | None:
    """The original document's address: in the header of that name, else in any that speaks of it (E12)."""
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    named = [lowered.get(wanted.lower(), "")] + [value for name, value in lowered.items() if "original" in name]
    return next(filter(None, map(_address, named)), None)


def notification_in(body: bytes) -> RetrievalNews:
    """E13 as it comes in: the id under any of its names, in a wrapper or not. Raises `Malformed`."""
    refuse_names_given_twice(body)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is no JSON that can be read") from None
    if not isinstance(said, Mapping):
        raise Malformed("The body is no JSON object")
    news = news_in(said, unsaid="success")
    if not news.acknowledgement_ids:
        raise Malformed("The notification names no acknowledgement id")
    return news


def _entries(said: Any) -> list[Any]:
    if isinstance(said, list):
        return said
    if not isinstance(said, Mapping):
        return []
    for name, value in said.items():
        if name.lower() in _BAGS:
            return value if isinstance(value, list) else [value]
    return [said] if any(name in said for name in (*_IDS, "requestStatusCategory")) else []


def _unwrapped(said: Any) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        return {}
    for name, value in said.items():
        if name.lower() in _WRAPPERS and isinstance(value, Mapping):
            return {**said, **value}
    return said


def _addresses(said: Any, depth: int) -> Iterator[tuple[str, Address]]:
    if depth > _DEEPEST:
        return
    if isinstance(said, list):
        for entry in said:
            yield from _addresses(entry, depth + 1)
    if not isinstance(said, Mapping):
        return
    word = said.get("fileFormatCategory")
    file_format = word.lower() if isinstance(word, str) and word.lower() in _FORMATS else None
    for name, value in said.items():
        if url := _address(value):
            yield name, Address(url, file_format)
        else:
            yield from _addresses(value, depth + 1)


def _address(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > 8000:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


def _kind(value: object) -> DocumentKind | None:
    try:
        return DocumentKind(" ".join(str(value).lower().split()))
    except ValueError:
        return None


def _normal(kind: DocumentKind | None, value: object) -> str | None:
    if kind is None or not isinstance(value, str):
        return None
    try:
        return number_formats.normalise(kind, value)
    except BadDocumentNumber:
        return None


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _number(text: str) -> int | None:
    try:
        return int(float(text)) if text else None
    except (ValueError, OverflowError):
        return None
