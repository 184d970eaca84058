"""NAME.json of the watched folder: what the office's own system wants."""

import difflib
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from office_node.das import number_formats
from office_node.das.error_codes import Malformed
from office_node.das.messages import AccessCode, Kind, PlainDate, Text, refuse_names_given_twice
from office_node.document_id import PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.intake.files import MOST_REQUEST_BYTES
from office_node.library.classification import Classification
from office_node.off_registrations.details import PRIORITY_DOCUMENT, Corrections, Details
from office_node.off_registrations.service import ContentAt
from office_node.osf_retrievals.service import Wanted

_MOST_TOLD = 20
_LONGEST_KEY = 40


class BadRequest(OfficeNodeError):
    """NAME.json does not say what is wanted, or not so that it can be understood."""

    code = "N361"
    owner = "office"
    hint = "correct the keys that are named (docs/watched-folder.md), then drop both files again"

    def __init__(self, findings: list[str]) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings


def _address(value: str) -> str:
    if not value.isprintable() or " " in value or value.count("@") != 1 or value[0] == "@" or value[-1] == "@":
        raise PydanticCustomError("das_email", "is no e-mail address")
    return value


Email = Annotated[str, Field(strict=True, min_length=3, max_length=200), AfterValidator(_address)]
_APPLICATION: Final = ("application_category", "application_number", "application_date", "email")
_KEYS: Final = {
    "register": ("date", "access_code", "content", "in_library", "file_reference", *_APPLICATION),
    "replace": (),
    "correct": ("new_date", "new_access_code", *_APPLICATION),
    "withdraw": (),
    "retrieve": ("date", "access_code", "class", "application_category", "application_number", "application_date"),
}


class IntakeRequest(BaseModel):
    """One request. Access codes stand in no repr."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    operation: Literal["register", "replace", "correct", "withdraw", "retrieve"] = "register"
    kind: Kind
    number: Text
    date: PlainDate | None = None
    access_code: AccessCode = Field(default="", repr=False)
    content: ContentAt | None = None
    in_library: bool = Field(default=False, strict=True)
    file_reference: Text | None = None
    application_category: Text | None = None
    application_number: Text | None = None
    application_date: PlainDate | None = None
    email: Email | None = None
    new_date: PlainDate | None = None
    new_access_code: AccessCode = Field(default="", repr=False)
    classification: Classification = Field(default=Classification.CONFIDENTIAL, alias="class")

    @property
    def needs_content(self) -> bool:
        """Whether NAME.pdf or NAME.zip belongs to it."""
        return self.operation == "replace" or (self.operation == "register" and not self.in_library)

    def normal_number(self) -> str:
        """The number in WIPO's normal form. Raises `BadDocumentNumber`."""
        return number_formats.normalise(self.kind, self.number)

    def document(self) -> PriorityDocumentId:
        """What shall be registered, or asked for. Raises `BadDocumentNumber`."""
        assert self.date, "one without it was refused"  # noqa: S101  for the type alone
        return number_formats.document_id(self.kind, self.number, self.date)

    def wanted(self) -> Wanted:
        """What WIPO shall be asked for. Raises `BadDocumentNumber`."""
        return Wanted(
            self.document(),
            self.access_code,
            self.classification,
            self.application_category,
            self.application_number,
            self.application_date,
        )

    def details(self) -> Details:
        """What is said of the application."""
        return Details(
            application_category=self.application_category or PRIORITY_DOCUMENT,
            application_number=self.application_number,
            application_filing_date=self.application_date,
            email=self.email,
            file_reference=self.file_reference,
        )

    def corrections(self) -> Corrections:
        """What shall be different."""
        return Corrections(
            filing_date=self.new_date,
            access_code=self.new_access_code or None,
            application_category=self.application_category,
            application_number=self.application_number,
            application_filing_date=self.application_date,
            email=self.email,
        )

    def named(self) -> dict[str, Any]:
        """What a result says of the request."""
        told: dict[str, date | str | None] = {
            "operation": self.operation,
            "kind": self.kind.value,
            "number": self.number,
            "date": self.date,
        }
        return {key: str(value) for key, value in told.items() if value is not None}


_NAMES: Final = {name: field.alias or name for name, field in IntakeRequest.model_fields.items()}


def parse(body: bytes) -> IntakeRequest:
    """The request in `body`. Raises `BadRequest` naming every key that is wrong, never its value."""
    if len(body) > MOST_REQUEST_BYTES:
        raise BadRequest([f"the JSON has more than {MOST_REQUEST_BYTES} bytes"])
    body = body.removeprefix(b"\xef\xbb\xbf")  # which Windows programs put before UTF-8
    try:
        refuse_names_given_twice(body)
        request = IntakeRequest.model_validate_json(body)
    except Malformed:
        raise BadRequest(["a key stands twice in the JSON"]) from None
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        raise BadRequest([_sentence(error) for error in errors[:_MOST_TOLD]]) from None
    if faults := _faults(request):
        raise BadRequest(faults)
    return request


def _faults(request: IntakeRequest) -> list[str]:
    """What the operation lacks, and what does not belong to it."""
    allowed = ("operation", "kind", "number", *_KEYS[request.operation])
    faults = [
        f"{key}: does not belong to operation {request.operation}"
        for name, key in _NAMES.items()
        if name in request.model_fields_set and key not in allowed
    ]
    if request.operation in ("register", "retrieve") and request.date is None:
        faults.append("date: missing")
    if request.operation == "retrieve" and not request.access_code:
        faults.append("access_code: missing")
    if request.operation == "correct" and not request.model_fields_set & {*_KEYS["correct"]}:
        faults.append("nothing that shall be different is given, such as new_date")
    return faults


def _sentence(error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "json_invalid":
            return "the file is no JSON that can be read"
        case "model_type" | "model_attributes_type":
            return "the file is no JSON object"
        case "missing":
            return f"{key}: missing"
        case "extra_forbidden":
            return _unknown(key)
        case "string_pattern_mismatch":
            return f"{key}: has the wrong form"
        case "value_error":
            return f"{key}: cannot be read"
        case _:
            return f"{key}: {error['msg'].replace('Input should', 'must').replace('String should', 'must')}"


def _unknown(key: str) -> str:
    known = list(_NAMES.values())
    near = difflib.get_close_matches(key.lower()[:_LONGEST_KEY], known, n=1, cutoff=0.5)
    shown = key.encode(errors="backslashreplace").decode()[:_LONGEST_KEY]
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    return f"{shown}: unknown key; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")
