"""The one client that speaks to WIPO's central service.

Every answer that is not success is sorted into three: the line or a passing state (`PeerUnavailable`), a refusal of
what we said (`PeerRefused`), and our standing with WIPO (`AccessDenied`, which waits for a human).
"""

from typing import Any

from office_node.das.access_token import AccessDenied, AccessTokens
from office_node.errors import OfficeNodeError, PeerRefused, PeerUnavailable
from office_node.network.egress import Answer, Egress

_PEER = "WIPO"
_PASSING = (408, 425, 429)
_LONGEST_QUOTE = 300


class DasClient:
    """Calls WIPO's DAS services."""

    def __init__(self, egress: Egress, tokens: AccessTokens, base_url: str) -> None:
        self._egress = egress
        self._tokens = tokens
        self._requests_url = f"{base_url.rstrip('/')}/requests"

    def notify(self, notification: dict[str, Any]) -> None:
        """E13: tell WIPO that a document is available, or that it will not be. Any 2xx counts (C-6).

        Raises `PeerUnavailable`, `AccessDenied` or `PeerRefused`.
        """
        self._call("POST", "notifications", json=notification)

    def _call(self, method: str, path: str, **request: Any) -> Answer:
        token = self._tokens.current()
        answer = self._send(method, path, token, request)
        if answer.status == 401:  # expired early or revoked: once more with a fresh one (protocol.md 2.3)
            answer = self._send(method, path, self._tokens.current(instead_of=token), request)
        if answer.is_success and not _is_html(answer):
            return answer
        raise _failure(answer)

    def _send(self, method: str, path: str, token: str, request: dict[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return self._egress.call(method, f"{self._requests_url}/{path}", peer=_PEER, headers=headers, **request)


def _failure(answer: Answer) -> OfficeNodeError:
    said = _reason(answer)
    what = f"WIPO answered {answer.status}" + (f": {said}" if said else "")
    if answer.status in (401, 403):
        return AccessDenied(what, at_least_seconds=60)
    if answer.status < 400 or answer.status >= 500 or _is_html(answer):
        return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds)
    # A 404 that says nothing in DAS's words comes from a gateway on the way, not from the service.
    if answer.status in _PASSING or (answer.status == 404 and not said):
        return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds, at_least_seconds=60)
    return PeerRefused(what)


def _reason(answer: Answer) -> str:
    """What a DAS error says, in either shape (C-7), shortened. Access codes that WIPO quotes are left out."""
    said = answer.json()
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        said = said["error"]
    if not isinstance(said, dict):
        return ""
    details = said.get("details")
    entries = details if isinstance(details, list) else []
    sentences = [_sentence(entry) for entry in entries if isinstance(entry, dict)]
    return ("; ".join(sentences) or str(said.get("message") or said.get("code") or ""))[:_LONGEST_QUOTE]


def _sentence(entry: dict[str, Any]) -> str:
    message = str(entry.get("message"))
    if "accesscode" in message.lower().replace(" ", ""):
        message = message.partition(":")[0]  # WIPO adds the code it expected (protocol.md 5.2)
    return f"{entry.get('code')} {message}"


def _is_html(answer: Answer) -> bool:
    """A page of some gateway's, not an answer of the service's."""
    return bool(answer.body) and "html" in answer.headers.get("Content-Type", "").lower()
