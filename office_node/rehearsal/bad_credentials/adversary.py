"""Whoever tries the office's doors: what it holds, how it sends, and what it reads of the answer."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import urllib3
from joserfc.jwk import ECKey, RSAKey

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.forging import ABSENT, Signer, changed, compact
from office_node.rehearsal.token_server import TokenServer

FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AT_ONCE = 20
_API_PATH = "/das-api/v1/requests/retrievals"
_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # RFC 6749 5.2
_ERROR = re.compile(r'error="([^"]*)"')
_PATIENCE = urllib3.Timeout(connect=5, read=30)


class NoHonestToken(Exception):
    """The office refused what it should have accepted first; the message says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the office answered; never a token."""

    status: int
    error: str = ""
    flaw: str = ""
    """What is wrong with the answer though status and error were right."""

    def told(self) -> str:
        return f"{self.status} {self.error} {self.flaw}".replace("  ", " ").strip()


@dataclass(frozen=True, slots=True)
class Adversary:
    """Simulated WIPO with its keys, and a stranger's beside them."""

    office_url: str
    client_id: str
    scope: str
    max_assertion_seconds: int
    key: ECKey
    tokens: TokenServer
    stranger: ECKey
    stranger_rsa: RSAKey
    lure_url: str
    """Where the stranger's key can be fetched; nobody should."""
    lure_visits: Callable[[], int]
    http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=AT_ONCE, retries=False, timeout=_PATIENCE)
    )

    @property
    def token_endpoint(self) -> str:
        return f"{self.office_url}/oauth2/access_token"

    def now(self) -> int:
        return int(time.time())

    def header(self, **changes: Any) -> dict[str, Any]:
        return changed({"alg": "ES256", "typ": "JWT"}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of an assertion that every profile accepts, with `changes`."""
        now = self.now()
        who = {"iss": self.client_id, "sub": self.client_id, "aud": self.office_url}
        return changed({**who, "iat": now, "exp": now + 60, "jti": uuid4().hex}, changes)

    def assertion(self, header: dict[str, Any] | None = None, sign: Signer | None = None, **claims: Any) -> str:
        """An honest assertion with changes, or signed in another way."""
        signer = sign or forging.es(self.key)
        return compact(self.header(**(header or {})), self.claims(**claims), signer)

    def documented(self, **changes: Any) -> str:
        """The assertion of WIPO's own documents (protocol.md 2.2): no jti, no iat, the endpoint as audience."""
        bent = {"aud": self.token_endpoint, "exp": self.now() + 1000, "jti": ABSENT, "iat": ABSENT}
        return self.assertion(**{**bent, **changes})

    def form(self, assertion: str, **changes: Any) -> dict[str, str]:
        honest = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER}
        return changed({**honest, "client_assertion": assertion}, changes)

    def ask(self, assertion: str, **form: Any) -> Answer:
        """An honest token request but for what `form` changes."""
        return self.post(urlencode(self.form(assertion, **form)))

    def post(self, body: str | bytes, *, content_type: str = FORM, method: str = "POST", **more: Any) -> Answer:
        """Any request to the token endpoint; `query` and `headers` as wanted."""
        return _told_by_token_endpoint(self._post(body, content_type, method, **more))

    def own_token(self) -> str:
        """An honest token of the office's own server. Raises `NoHonestToken`."""
        response = self._post(urlencode(self.form(self.assertion())), FORM, "POST")
        if response.status != 200:
            raise NoHonestToken(_told_by_token_endpoint(response).told())
        return str(_members(response)["access_token"])

    def wipo_token(self, header: dict[str, Any] | None = None, sign: Signer | None = None, **claims: Any) -> str:
        """A token of WIPO's server with changes, or signed in another way."""
        key = self.tokens.signing_key
        honest = {"typ": "JWT", "kid": key.kid, "alg": "RS256"}
        whole = changed(self.tokens.claims(self.client_id), claims)
        return compact(changed(honest, header or {}), whole, sign or forging.rs(key))

    def call(self, *authorization: str, query: str = "", body: bytes | None = None) -> Answer:
        """A call on the office's API with these Authorization headers."""
        headers = urllib3.HTTPHeaderDict([("Authorization", value) for value in authorization])
        if body is not None:
            headers["Content-Type"] = FORM
        method = "GET" if body is None else "POST"
        return _told_by_api(self._send(method, f"{self.office_url}{_API_PATH}{query}", body, headers))

    def published_key(self) -> tuple[dict[str, Any], ECKey]:
        """The key that the office publishes for its own tokens, as it stands there and as a key."""
        response = self._send("GET", f"{self.office_url}/oauth2/jwks", None, urllib3.HTTPHeaderDict())
        member = _members(response)["keys"][0]
        return member, ECKey.import_key(member)

    def unvisited(self, attempt: Callable[[], Answer]) -> Answer:
        """The answer to `attempt`, flawed if the office went and fetched the stranger's key."""
        before = self.lure_visits()
        answer = attempt()
        return answer if self.lure_visits() == before else replace(answer, flaw="and the stranger's key was fetched")

    def _post(
        self, body: str | bytes, content_type: str, method: str, query: str = "", headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        whole = urllib3.HTTPHeaderDict({"Content-Type": content_type, **(headers or {})})
        return self._send(method, f"{self.token_endpoint}{query}", body, whole)

    def _send(
        self, method: str, url: str, body: str | bytes | None, headers: urllib3.HTTPHeaderDict
    ) -> urllib3.BaseHTTPResponse:
        return self.http.request(method, url, body=body, headers=headers, redirect=False)


def _told_by_token_endpoint(response: urllib3.BaseHTTPResponse) -> Answer:
    told = _members(response)
    error = told.get("error")
    return Answer(response.status, error if isinstance(error, str) else "", _flaw(response, told))


def _flaw(response: urllib3.BaseHTTPResponse, told: dict[str, Any]) -> str:
    """What RFC 6749 5.1 and 5.2 want of every answer of a token endpoint; rows 1 and 58."""
    if response.status == 200:
        good = isinstance(told.get("access_token"), str) and str(told.get("token_type")).lower() == "bearer"
        if not good or "refresh_token" in told or not told.get("expires_in", 0) > 0:
            return "but no plain bearer token"
    elif "access_token" in told:
        return "with a token in it"
    if response.status in (200, 400, 401):
        if "no-store" not in response.headers.get("Cache-Control", ""):
            return "without no-store"
        if not response.headers.get("Content-Type", "").startswith("application/json"):
            return "but no JSON"
    if not _TEXT.fullmatch(str(told.get("error_description", ""))):
        return "with a description of forbidden characters"
    return ""


def _told_by_api(response: urllib3.BaseHTTPResponse) -> Answer:
    challenge = response.headers.get("WWW-Authenticate", "")
    error = _ERROR.search(challenge)
    flaw = "without a Bearer challenge" if response.status == 401 and not challenge.startswith("Bearer") else ""
    return Answer(response.status, error[1] if error else "", flaw)


def _members(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        told = json.loads(response.data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
