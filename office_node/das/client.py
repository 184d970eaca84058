"""The one client that speaks to WIPO's central service.

Every answer that is not success is sorted into three: the line or a passing state (`PeerUnavailable`), a refusal of
what we said (`PeerRefused`), and our standing with WIPO (`AccessDenied`, which waits for a human). Each verb raises
these three.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import quote

from office_node.das import refusals, registration_messages, retrieval_messages
from office_node.das.access_token import AccessDenied, AccessTokens
from office_node.das.drift import Drift
from office_node.das.registration_messages import (
    DocumentStatus,
    FileStatus,
    Registration,
    RegistrationStatus,
    UploadPlace,
    document_members,
    identity,
)
from office_node.das.retrieval_messages import Asking, Location, RetrievalNews
from office_node.document_id import PriorityDocumentId
from office_node.errors import NotYet, OfficeNodeError, PeerRefused, PeerUnavailable
from office_node.network.egress import Answer, Egress

_PEER = "WIPO"
_PASSING = (408, 425, 429)
_NOT_READY = (404, 409, 425)
_NOT_ALLOWED, _GONE, _NOT_NOW = 405, 404, 503
_LOOK_SECONDS = 30.0
_NO_ERROR = {"requestStatusCategory", "requestAckId", "fileStatusCategory", "fileId", "fileUploadUrl"}
_MOST_CERTIFICATE_BYTES = 16 << 20


class DasClient:
    """Calls WIPO's DAS services.

    `withdraw_by` and `status_by` say how a withdrawal names its document, and where a registration's status is asked
    for: WIPO's texts show neither (protocol.md E8, E9). `locate_by` is how a location is asked for (C-1), and
    `original_header` the header that names an original document's address (E12).
    """

    def __init__(
        self,
        egress: Egress,
        tokens: AccessTokens,
        base_url: str,
        *,
        withdraw_by: Literal["query", "body"] = "query",
        status_by: Literal["path", "query"] = "path",
        locate_by: Literal["POST", "GET"] = "POST",
        original_header: str = "Original-Document-Url",
    ) -> None:
        self._egress = egress
        self._tokens = tokens
        self._base_url = base_url.rstrip("/")
        self._requests_url = f"{self._base_url}/requests"
        self._withdraw_by = withdraw_by
        self._status_by = status_by
        self._locate_by = locate_by
        self._original_header = original_header
        self._drift = Drift()

    def notify(self, notification: dict[str, Any]) -> None:
        """E13: tell WIPO that a document is available, or that it will not be. Any 2xx counts (C-6)."""
        self._call("POST", "notifications", json=notification)

    def request_upload(self, file_format: str, sha256: str, reference: str) -> UploadPlace:
        """E2: a file id, and an address for the bytes with this digest."""
        members = {"fileReference": reference, "fileFormatCategory": file_format, "fileChecksum": sha256}
        said = self._said("POST", "files/url-uploads", json=members)
        file_id = registration_messages.fit_id(said.get("fileId"))
        if file_id is None:
            raise PeerUnavailable("WIPO answered without a fileId that can be kept", may_have_happened=True)
        return UploadPlace(file_id, _address_in(said))

    def renew_upload(self, file_id: str) -> UploadPlace:
        """E3: a new address for a file whose first one has expired."""
        said = self._said("PUT", "files/url-uploads", json={"fileId": file_id})
        return UploadPlace(file_id, _address_in(said))

    def file_status(self, file_id: str) -> FileStatus:
        """E5: what WIPO makes of the bytes."""
        return registration_messages.file_status(self._said("GET", "files", params={"fileId": file_id}))

    def register(self, registration: Registration) -> RegistrationStatus:
        """E6. An answer without acknowledgement id may have had its effect: it is `PeerUnavailable`."""
        with _hidden(registration.access_code):
            said = self._said("POST", "registrations", json=registration.to_wire())
        status = registration_messages.registration_status(said, unsaid="success")
        if status.category != "error" and status.acknowledgement_id is None:
            raise PeerUnavailable("WIPO answered without a requestAckId that can be kept", may_have_happened=True)
        return _without(status, registration.access_code)

    def correct(self, registration: Registration) -> RegistrationStatus:
        """E7: other data, or with `file_id` another content. The same again changes nothing."""
        with _hidden(registration.access_code):
            said = self._said("PUT", "registrations", json=registration.to_wire())
        status = registration_messages.registration_status(said, unsaid="success")
        return _without(status, registration.access_code)

    def withdraw(self, document: PriorityDocumentId, access_code: str) -> None:
        """E8."""
        carrier = "params" if self._withdraw_by == "query" else "json"
        with _hidden(access_code):
            carried: dict[str, Any] = {carrier: identity(document, access_code)}
            self._call("DELETE", "registrations", **carried)

    def registration_status(self, acknowledgement_id: str, access_code: str) -> RegistrationStatus:
        """E9. The access code is not sent: it is kept out of what WIPO says."""
        with _hidden(access_code):
            status = self._registration_status(acknowledgement_id)
        return _without(status, access_code)

    def _registration_status(self, acknowledgement_id: str) -> RegistrationStatus:
        if self._status_by == "query":
            said = self._said("GET", "registrations/statuses", params={"requestAckId": acknowledgement_id})
        else:
            said = self._said("GET", f"registrations/{quote(acknowledgement_id, safe='')}")
        return registration_messages.registration_status(said, unsaid="pending")

    def certificate(self, document: PriorityDocumentId, access_code: str) -> bytes:
        """E10: the certificate of registration, a PDF."""
        sent = identity(document, access_code)
        with _hidden(access_code):
            answer = self._call("GET", "registrations/certificates", params=sent, most_bytes=_MOST_CERTIFICATE_BYTES)
        if not answer.body.startswith(b"%PDF-"):
            raise PeerUnavailable("WIPO answered a certificate that is no PDF")
        return answer.body

    def document_status(self, document: PriorityDocumentId, access_code: str) -> DocumentStatus:
        """E17: whether it is registered with exactly these data. What differs is an answer here, not an error."""
        url = f"{self._base_url}/documents/registrations/statuses"
        try:
            with _hidden(access_code):
                said = self._said("GET", url, params=identity(document, access_code))
        except PeerRefused as exc:
            if not set(exc.numbers) & {-7, -12, -14}:
                raise
            return DocumentStatus(False, exc.numbers, exc.message)
        status = registration_messages.registration_status(said, unsaid="success")
        return DocumentStatus(status.category == "success", (), refusals.without(status.said, access_code))

    def request_retrieval(self, asking: Asking) -> RetrievalNews:
        """E11: ask for a document. An answer without acknowledgement id may have had its effect: `PeerUnavailable`."""
        with _hidden(asking.access_code):
            said = self._said("POST", "retrievals", json=asking.to_wire())
        news = retrieval_messages.news_in(said)
        if news.category != "error" and not news.acknowledgement_ids:
            raise PeerUnavailable("WIPO answered without a requestAckId that can be kept", may_have_happened=True)
        return replace(news, said=refusals.without(news.said, asking.access_code))

    def retrievals(self, **wanted: str) -> list[RetrievalNews]:
        """E12: how far our requests are, all that are open or newly ended; or those that fit `wanted`."""
        return retrieval_messages.news_of_all(self._call("GET", "retrievals", params=wanted).json())

    def original_of(self, acknowledgement_id: str) -> str | None:
        """E12 with `originalDocumentIndicator`: where the original document is, if there is one beside WIPO's."""
        wanted = {"requestAckId": acknowledgement_id, "originalDocumentIndicator": "true"}
        answer = self._call("GET", "retrievals", params=wanted)
        return retrieval_messages.original_address(answer.headers, self._original_header)

    def locate(self, document: PriorityDocumentId, acknowledgement_id: str) -> Location:
        """E14: where the bytes are. Raises `NotYet` while WIPO has them not ready."""
        members = {**document_members(document), "osfAckId": acknowledgement_id}
        answer = self._located(self._locate_by, members)
        if answer.status == _NOT_ALLOWED:  # C-1: once by the other method
            answer = self._located("GET" if self._locate_by == "POST" else "POST", members)
        location = retrieval_messages.location_in(answer.json()) if answer.is_success else None
        if location is None:
            raise NotYet(f"WIPO answered {answer.status} without an address", seconds=_LOOK_SECONDS)
        return location

    def _located(self, method: str, members: dict[str, str]) -> Answer:
        carried: dict[str, Any] = {"params" if method == "GET" else "json": members}
        return self._call(method, "files/url-downloads", also=(*_NOT_READY, _NOT_ALLOWED), **carried)

    def delete_file(self, document: PriorityDocumentId, acknowledgement_id: str) -> None:
        """E16: WIPO may drop its copy. One that is gone already (404) is as good."""
        named = {**document_members(document), "osfAckId": acknowledgement_id}
        self._call("DELETE", "files", also=(_GONE,), params=named)

    def _said(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        """The members of a success. Nothing at all has none; what is no JSON object is not the service's answer."""
        answer = self._call(method, path, **request)
        said = answer.json() if answer.body.strip() else {}
        if not isinstance(said, dict):
            what = f"WIPO answered {answer.status} without a JSON object"
            raise PeerUnavailable(what, may_have_happened=method != "GET")
        return said

    def _call(self, method: str, path: str, *, also: Collection[int] = (), **request: Any) -> Answer:
        """A success, or an answer with a status of `also`."""
        token = self._tokens.current()
        answer = self._send(method, path, token, request)
        if answer.status == 401:  # expired early or revoked: once more with a fresh one (protocol.md 2.3)
            answer = self._send(method, path, self._tokens.current(instead_of=token), request)
        if answer.is_success and not _is_html(answer):
            _refuse_error_in_success(answer)
            self._drift.look(method, path, answer)
            return answer
        if answer.status in also and not _is_html(answer):
            return answer
        raise _failure(answer, changes=method != "GET")

    def _send(self, method: str, path: str, token: str, request: dict[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, application/pdf;q=0.9"}
        url = path if path.startswith(self._base_url) else f"{self._requests_url}/{path}"
        return self._egress.call(method, url, peer=_PEER, headers=headers, **request)


@contextmanager
def _hidden(access_code: str) -> Iterator[None]:
    """No failure within tells the access code, even if WIPO quotes it."""
    try:
        yield
    except OfficeNodeError as exc:
        exc.message = refusals.without(exc.message, access_code)
        exc.args = (exc.message,)
        raise


def _without(status: RegistrationStatus, access_code: str) -> RegistrationStatus:
    return replace(status, said=refusals.without(status.said, access_code))


def _address_in(said: Mapping[str, Any]) -> str:
    address = said.get("fileUploadUrl")
    if not isinstance(address, str) or not address:
        raise PeerUnavailable("WIPO answered without fileUploadUrl")
    return address


def _refuse_error_in_success(answer: Answer) -> None:
    """An error may come as a success (protocol.md 5); a status word or an id says that it is none."""
    said = answer.json()
    if isinstance(said, dict) and _NO_ERROR & said.keys():
        return
    if (refusal := refusals.read(said)) and refusal.said:
        raise PeerRefused(f"WIPO answered {answer.status}: {refusal.said}", numbers=refusal.numbers)


def _failure(answer: Answer, *, changes: bool) -> OfficeNodeError:
    """`changes`: what was asked for has an effect, and an error of the server's own may have come after it."""
    refusal = refusals.read(answer.json())
    said = refusal.said if refusal else ""
    what = f"WIPO answered {answer.status}" + (f": {said}" if said else "")
    if answer.status in (401, 403):
        return AccessDenied(what, needs_rest=True)
    if answer.status < 400 or answer.status >= 500 or _is_html(answer):
        uncertain = changes and answer.status != _NOT_NOW
        return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds, may_have_happened=uncertain)
    # A 404 that says nothing in DAS's words comes from a gateway on the way, not from the service.
    if answer.status in _PASSING or (answer.status == 404 and not said):
        return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds, needs_rest=True)
    return PeerRefused(what, status=answer.status, numbers=refusal.numbers if refusal else ())


def _is_html(answer: Answer) -> bool:
    """A page of some gateway's, not an answer of the service's."""
    return bool(answer.body) and "html" in answer.headers.get("Content-Type", "").lower()
