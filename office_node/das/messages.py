"""The messages of the wire: what we read strictly by type and leniently by content, and what we write.

Sources: protocol.md 3, E11 to E14, 9. Unknown members are accepted, `null` is absent, dates may carry a time part.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from office_node.das.error_codes import OUR_OWN, Detail, Malformed
from office_node.document_id import DocumentKind

M = TypeVar("M", bound=BaseModel)

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[0-9:.,]{2,20}(?:Z|[+-]\d{2}:?\d{2})?)?")


def _plain_date(value: object) -> date:
    """`YYYY-MM-DD`, with a time part tolerated (protocol.md 9)."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        return date.fromisoformat(match[1])
    except ValueError:
        raise PydanticCustomError("das_date", "is no date; write it as YYYY-MM-DD") from None


def _kind(value: object) -> DocumentKind:
    """Case never matters; so that `Utility Model` of a clerk's system is understood."""
    try:
        return DocumentKind(" ".join(str(value).lower().split()))
    except ValueError:
        raise PydanticCustomError("das_kind", "is none of patent, design, trademark, utility model") from None


def _printable(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("das_text", "holds characters that do not print")
    return value


def _number_as_text(value: object) -> object:
    """Numbers may come where text is meant (protocol.md 9)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[
    str, Field(strict=True, min_length=1, max_length=100), BeforeValidator(_number_as_text), AfterValidator(_printable)
]
PlainDate = Annotated[date, BeforeValidator(_plain_date)]
Kind = Annotated[DocumentKind, BeforeValidator(_kind)]
AccessCode = Annotated[
    str, Field(strict=True, pattern=r"^[0-9A-Za-z]{4}$", repr=False), BeforeValidator(_number_as_text)
]


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True)


class _AcknowledgementIds(_Message):
    """The acknowledgement id under every name it may come by (E13, C-9)."""

    osf_ack_id: Text | None = None
    request_ack_id: Text | None = None
    off_ack_id: Text | None = None
    ack_id: Text | None = None

    @property
    def acknowledgement_ids(self) -> tuple[str, ...]:
        """Every id that was sent, each once."""
        sent = (self.request_ack_id, self.osf_ack_id, self.off_ack_id, self.ack_id)
        return tuple(dict.fromkeys(value for value in sent if value))


class RetrievalRequest(_AcknowledgementIds):
    """E11: somebody asks for a document; forwarded to us by WIPO when we are the office of first filing."""

    operation_category: Literal["retrieval"]
    document_kind_category: Kind
    document_number: Text
    document_date: PlainDate
    das_access_code: AccessCode
    application_category: Text | None = None
    application_number: Text | None = None
    application_filing_date: PlainDate | None = None


class DocumentFilter(_AcknowledgementIds):
    """What a status check (E12) or a deletion (E16) is about; nothing given means everything of the caller's."""

    file_id: Text | None = None
    document_kind_category: Kind | None = None
    document_number: Text | None = None
    document_date: PlainDate | None = None

    @property
    def acknowledgement_ids(self) -> tuple[str, ...]:
        """Every id that was sent; a `fileId` is one too, for we gave out no other."""
        return (*super().acknowledgement_ids, *((self.file_id,) if self.file_id else ()))


class UrlDownloadRequest(DocumentFilter):
    """E14: where are the bytes?"""

    document_kind_category: Kind
    document_number: Text
    document_date: PlainDate


def parse_json(model: type[M], body: bytes) -> M:
    """The message in `body`. Raises `Malformed` naming every member that is wrong, never its value."""
    refuse_names_given_twice(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        raise _malformed(exc) from None


def refuse_names_given_twice(body: bytes) -> None:
    """Which of the two was meant? Our parser would take the last, another one the first."""

    def once(members: list[tuple[str, object]]) -> None:
        if len({name for name, _ in members}) < len(members):
            raise Malformed("A name stands twice in one object")

    try:
        json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return  # no JSON: the model says so


def parse_query(model: type[M], query: Mapping[str, Sequence[str]]) -> M:
    """The same for members sent as a query. One that was sent more than once is wrong: which of them was meant?"""
    sent = {name: [value for value in values if value] for name, values in query.items()}
    try:
        return model.model_validate(
            {name: values[0] if len(values) == 1 else values for name, values in sent.items() if values}
        )
    except ValidationError as exc:
        raise _malformed(exc) from None


def _malformed(exc: ValidationError) -> Malformed:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    return Malformed("the message is malformed", details=[Detail(OUR_OWN, _sentence(error)) for error in errors[:20]])


def _sentence(error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "json_invalid":
            return "The body is no JSON that can be read"
        case "model_type" | "model_attributes_type":
            return "The body is no JSON object"
        case "missing":
            return f"{name}: missing"
        case "string_pattern_mismatch":
            return f"{name}: has the wrong form"
        case _:
            return f"{name}: {error['msg'].replace('Input should', 'must').replace('String should', 'must')}"


@dataclass(frozen=True, slots=True)
class RetrievalStatus:
    """How far a retrieval is, in the three words of protocol.md 3 (`requestStatusCategory`)."""

    acknowledgement_id: str
    category: Literal["pending", "success", "error"]
    kind: DocumentKind
    number: str
    date: date
    available_since: datetime | None = None
    error_code: int | None = None
    status_message: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """One entry of E12's answer, and the body of E13."""
        return _without_none(
            {
                "requestAckId": self.acknowledgement_id,
                "requestStatusCategory": self.category,
                "documentKindCategory": self.kind.value,
                "documentNumber": self.number,
                "documentDate": self.date.isoformat(),
                "documentAvailabilityDate": self.available_since.date().isoformat() if self.available_since else None,
                "errorCode": self.error_code,
                "statusMessage": self.status_message,
            }
        )


def retrieval_bag(statuses: list[RetrievalStatus]) -> dict[str, Any]:
    """E12's answer."""
    return {"documentRetrievalResponseBag": [status.to_wire() for status in statuses]}


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
