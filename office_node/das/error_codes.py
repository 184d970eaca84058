"""Every failure that WIPO can read from us: one class, one status, one code. `body` gives it DAS's shape.

Sources: protocol.md 5. The codes -7, -12 and -14 are WIPO's; what WIPO never numbered carries -1000 here, far from
any number of WIPO's that we might not know. No message ever tells what was expected (5.2, security note).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from office_node.errors import OfficeNodeError, Owner

OUR_OWN = -1000


@dataclass(frozen=True, slots=True)
class Detail:
    """One problem: WIPO's number for it, and a sentence."""

    code: int
    message: str


class DasRefusal(OfficeNodeError):
    """An answer other than success, in words that may leave the house."""

    code = "N500"
    owner: ClassVar[Owner] = "caller"
    hint = "the caller has to change its request"
    status: ClassVar[int] = 400
    outer_code: ClassVar[str] = "INVALID_INPUT_DATA"
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, message: str, *, details: Sequence[Detail] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.details = tuple(details) or (Detail(OUR_OWN, message),)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries beside its body."""
        return {"Retry-After": str(self.retry_after_seconds)} if self.retry_after_seconds else {}

    def body(self, *, wrapped: bool = False) -> dict[str, Any]:
        """JSON in DAS's shape; `wrapped` in `error` as before 2024-03-04 (C-7)."""
        details = [{"code": detail.code, "message": detail.message} for detail in self.details]
        plain = {"code": self.outer_code, "message": None, "details": details}
        return {"error": plain} if wrapped else plain


class Malformed(DasRefusal):
    """Not the message this place takes."""

    code = "N501"


class DocumentMismatch(DasRefusal):
    """The document that was named is not one we may hand out: -7, -12 and -14 of protocol.md 5.2."""

    code = "N502"


NOT_REGISTERED = Detail(-7, "The requested document is not registered in the system")
DATE_DIFFERS = Detail(-12, "Mismatched priority filing date")
ACCESS_CODE_DIFFERS = Detail(-14, "Mismatched access code")


class Unauthenticated(DasRefusal):
    """No token, or one that is not to be trusted. The reason goes to our log only."""

    code, status, outer_code = "N510", 401, "UNAUTHORIZED"


class Forbidden(DasRefusal):
    """A good token whose holder may not do this."""

    code, status, outer_code = "N511", 403, "FORBIDDEN"


class NotFound(DasRefusal):
    """No such request or place."""

    code, status, outer_code = "N520", 404, "NOT_FOUND"


class MethodNotAllowed(DasRefusal):
    """The place is there, the method is not."""

    code, status, outer_code = "N521", 405, "METHOD_NOT_ALLOWED"


class NotReady(DasRefusal):
    """The request is known, the document is not ready yet (E14: a caller treats 409 as pending)."""

    code, status, outer_code = "N522", 409, "NOT_READY"


class Gone(DasRefusal):
    """The request has ended; there is nothing left to fetch."""

    code, status, outer_code = "N523", 410, "GONE"


class PreconditionFailed(DasRefusal):
    """If-Match named another content than the present one."""

    code, status, outer_code = "N524", 412, "PRECONDITION_FAILED"


class TooLarge(DasRefusal):
    """The body is larger than the settings allow."""

    code, status, outer_code = "N525", 413, "PAYLOAD_TOO_LARGE"


class WrongMediaType(DasRefusal):
    """The body is not declared as JSON."""

    code, status, outer_code = "N526", 415, "UNSUPPORTED_MEDIA_TYPE"


class RangeNotSatisfiable(DasRefusal):
    """The range begins behind the end of the document."""

    code, status, outer_code = "N527", 416, "RANGE_NOT_SATISFIABLE"

    def __init__(self, size: int) -> None:
        super().__init__("The range begins behind the end of the document")
        self.size = size

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self.size}"}


class HeaderTooLarge(DasRefusal):
    """The request's head is larger than `web.gunicorn_options` allows."""

    code, status, outer_code = "N528", 431, "REQUEST_HEADER_FIELDS_TOO_LARGE"


class AddressRefused(DasRefusal):
    """Nobody calls from this address, or not this client. The reason goes to our log only."""

    code, status, outer_code = "N540", 403, "ADDRESS_REFUSED"
    hint = "the line before this one in the log says which setting refuses"


class TooManyRequests(DasRefusal):
    """More calls than the settings allow."""

    code, status, outer_code = "N541", 429, "TOO_MANY_REQUESTS"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Too many requests")
        self._retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self._retry_after_seconds)}


class RequestTimeout(DasRefusal):
    """The request did not arrive whole within [web] receive_seconds."""

    code, status, outer_code = "N529", 408, "REQUEST_TIMEOUT"


class TooManyDownloads(DasRefusal):
    """Every download slot of this process is taken, or every one that a single client may have."""

    code, status, outer_code, retry_after_seconds = "N530", 503, "BUSY", 5
    owner: ClassVar[Owner] = "operator"
    hint = "raise [web] max_downloads, max_downloads_per_client and threads, or workers, if this is common"


class Unavailable(DasRefusal):
    """Something of ours is out of order for now; nothing was written."""

    code, status, outer_code, retry_after_seconds = "N531", 503, "SERVICE_UNAVAILABLE", 30
    owner: ClassVar[Owner] = "operator"
    hint = "the cause stands in the log"


class InternalError(DasRefusal):
    """A bug of ours."""

    code, status, outer_code = "N599", 500, "SYSTEM_ERROR"
    owner: ClassVar[Owner] = "operator"
    hint = "report the log lines with this acknowledgement id"
