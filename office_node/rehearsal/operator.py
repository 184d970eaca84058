"""Simulated WIPO's other half: it asks the office for a token, forwards a retrieval, and fetches the document."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TIMEOUT = (5, 60)
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """The document that somebody asked simulated WIPO for, in WIPO's words."""

    kind: str
    number: str
    date: str
    access_code: str

    def members(self) -> dict[str, str]:
        return {"documentKindCategory": self.kind, "documentNumber": self.number, "documentDate": self.date}


class Operator:
    """Calls an office the way WIPO does, in either setup (protocol.md 2.5).

    With `mint` it brings tokens of WIPO's own server; without it asks the office for one.
    """

    def __init__(
        self,
        *,
        office_url: str,
        client_id: str,
        key: ECKey,
        scope: str,
        prefix: str = "/das-api/v1",
        mint: Callable[[], str] | None = None,
    ) -> None:
        self._office_url = office_url
        self._prefix = prefix
        self._client_id = client_id
        self._key = key
        self._scope = scope
        self._mint = mint
        self._requests_url = f"{office_url}{prefix}/requests"
        self._token = ""
        self._token_taken = 0.0
        self.http = requests.Session()
        self.http.trust_env = False

    def another(self) -> "Operator":
        """The same caller with connections of its own and no token yet: for a thread of its own."""
        return Operator(
            office_url=self._office_url,
            client_id=self._client_id,
            key=self._key,
            scope=self._scope,
            prefix=self._prefix,
            mint=self._mint,
        )

    def take_token(self) -> requests.Response | None:
        """A fresh token in hand. Returns the office's answer if it had to be asked and refused, else None."""
        if self._mint:
            self._hold(self._mint())
            return None
        answer = self.ask_token(self.assertion())
        return None if answer.ok else answer

    def keep_token(self, seconds: float) -> requests.Response | None:
        """The same, unless the one in hand is not that old (protocol.md 2.3: a token is used again)."""
        is_fresh = self._token and time.monotonic() - self._token_taken < seconds
        return None if is_fresh else self.take_token()

    def assertion(self) -> str:
        """WIPO's documented assertion: no jti, no kid, 1000 s of life (protocol.md 2.2)."""
        audience = f"{self._office_url}/oauth2/access_token"
        claims = {"iss": self._client_id, "sub": self._client_id, "aud": audience, "exp": int(time.time()) + 1000}
        return jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, self._key, algorithms=["ES256"])

    def ask_token(self, assertion: str, *, percent_encoded: bool = False) -> requests.Response:
        """E1 at the office's endpoint. WIPO's sample sends `:` and `/` raw; a later token call uses what comes back."""
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        body = urlencode(form) if percent_encoded else "&".join(f"{name}={value}" for name, value in form.items())
        answer = self.http.post(
            f"{self._office_url}/oauth2/access_token",
            data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        if answer.ok:
            self._hold(answer.json()["access_token"])
        return answer

    def _hold(self, token: str) -> None:
        self._token, self._token_taken = token, time.monotonic()

    def forward(self, wanted: Wanted, *, wipo_acknowledgement_id: str | None = None) -> requests.Response:
        """E11 on the office. Simulated WIPO sends its own id along when it has one."""
        body: dict[str, Any] = {
            "operationCategory": "retrieval",
            **wanted.members(),
            "dasAccessCode": wanted.access_code,
            "applicationCategory": None,
            "applicationNumber": None,
            "applicationFilingDate": None,
        }
        if wipo_acknowledgement_id:
            body["osfAckId"] = wipo_acknowledgement_id
        return self.call("POST", "retrievals", json=body)

    def status(self, acknowledgement_id: str) -> requests.Response:
        """E12 on the office."""
        return self.call("GET", "retrievals", params={"requestAckId": acknowledgement_id})

    def locate(self, wanted: Wanted, acknowledgement_id: str) -> requests.Response:
        """E14 on the office."""
        return self.call("POST", "files/url-downloads", json={**wanted.members(), "osfAckId": acknowledgement_id})

    def delete(self, acknowledgement_id: str) -> requests.Response:
        """E16 on the office."""
        return self.call("DELETE", "files", params={"requestAckId": acknowledgement_id})

    def call(self, method: str, path: str, **request: Any) -> requests.Response:
        """Any call on the office's API, with the token in hand."""
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        headers = {**bearer, **request.pop("headers", {})}
        url = f"{self._requests_url}/{path}"
        return self.http.request(method, url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, **request)

    def fetch(self, url: str, **headers: str) -> requests.Response:
        """E15: the presigned download, without a token."""
        return self.http.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True)

    def download(self, url: str, target: Path) -> tuple[str, int]:
        """Fetch to a file, going on by Range from what is there; returns SHA-256 and size of the whole.

        Raises `requests.RequestException` when the line is cut; call again to go on.
        """
        have = target.stat().st_size if target.exists() else 0
        with self.fetch(url, **({"Range": f"bytes={have}-"} if have else {})) as answer:
            if not (have and answer.status_code == requests.codes.requested_range_not_satisfiable):
                answer.raise_for_status()
                whole = answer.status_code != requests.codes.partial_content
                with target.open("wb" if whole else "ab") as file:
                    for block in answer.iter_content(_BLOCK_BYTES):
                        file.write(block)
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), target.stat().st_size
