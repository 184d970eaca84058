"""WIPO's authorization server as far as an office sees it: a key set over HTTP, and tokens in OpenAM's shape."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc.jwk import ECKey, RSAKey

from office_node.settings import API_SCOPE
from tests.auth.assertions import ABSENT, es256, segment
from tests.peer import Says

ISSUER = "https://logindev.wipo.int:443/am/oauth2"
CLIENT_ID = "das-ib-xx-api-id"
OTHER_CLIENT_ID = "das-ib-xx-next-id"
KID = "wU3ifIIaLOUAReRB/FG6eM1P1QM="
NEXT_KID = "fI/3iq+LOUAReRB8FG6eM1P1QM0="
ENCRYPTION_KID = "enc+FG6eM1P1QM/wU3ifIIaLOU="
JWKS_PATH = "/am/oauth2/connect/jwk_uri"
_SHA = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


@cache
def rsa_key(name: str) -> RSAKey:
    """The key of that name, the same for a whole run."""
    return RSAKey.generate_key(2048)


def published(key: RSAKey | ECKey, kid: str, **changes: Any) -> dict[str, Any]:
    """A member of WIPO's key set, with `changes`."""
    honest = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256", "x5t": "9f1Z"}
    return {name: value for name, value in {**honest, **changes}.items() if value is not ABSENT}


def present_key() -> dict[str, Any]:
    """What WIPO signs with, as it publishes it."""
    return published(rsa_key("WIPO"), KID)


def next_key() -> dict[str, Any]:
    """What it will sign with after a rotation."""
    return published(rsa_key("next"), NEXT_KID)


@dataclass
class WipoServer:
    """Made by `listening_wipo`: what it publishes, and how often somebody came for it."""

    url: str = ""
    says: Says = field(default_factory=Says)
    fetches: int = 0
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared: it takes requests and says nothing."""

    @property
    def jwks_url(self) -> str:
        return self.url + JWKS_PATH

    def publish(self, *members: Any, **headers: str) -> None:
        """From now on the key set is this; `Cache_Control` and the like are its headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.says = Says(200, {"keys": list(members)}, {"Content-Type": "application/json", **named})

    def to_settings(self) -> dict[str, Any]:
        """[wipo_authorization_server] of an office that trusts this server."""
        return {
            "issuer": ISSUER,
            "jwks_url": self.jwks_url,
            "audiences": [CLIENT_ID, OTHER_CLIENT_ID],
            "client_ids": [CLIENT_ID, OTHER_CLIENT_ID],
        }


@contextmanager
def listening_wipo() -> Iterator[WipoServer]:
    """WIPO's server on a free port, for the length of the block; one key for signatures and one for encryption."""
    wipo = WipoServer()
    wipo.publish(published(rsa_key("encryption"), ENCRYPTION_KID, use="enc", alg="RSA-OAEP-256"), present_key())
    wipo.answers.set()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wipo.fetches += self.path == JWKS_PATH
            said = wipo.says
            wipo.answers.wait()
            self.send_response_only(said.status)  # which adds no Date of its own
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.content())

        def log_message(self, *_parts: object) -> None:
            """Nothing on the terminal."""

    class Listener(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, *_parts: object) -> None:
            """A caller that hung up."""

    with Listener(("127.0.0.1", 0), Door) as listener:
        wipo.url = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield wipo
        wipo.answers.set()
        listener.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True)
class WipoTokens:
    """Makes what WIPO's OpenAM mints (protocol.md 2.4), and bends it."""

    key: RSAKey = field(default_factory=lambda: rsa_key("WIPO"))
    kid: str = KID

    def token(self, header: dict[str, Any] | None = None, key: RSAKey | ECKey | None = None, **claims: Any) -> str:
        """An honest token, with changes in header and claims, or signed by another key."""
        honest_header = {"typ": "JWT", "kid": self.kid, "alg": "RS256"}
        bent = _changed(honest_header, header or {})
        return wipo_signed(key or self.key, bent, self.claims(**claims))

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        honest = {
            "sub": CLIENT_ID,
            "cts": "OAUTH2_STATELESS_GRANT",
            "auditTrackingId": f"{uuid4()}-1234",
            "iss": ISSUER,
            "tokenName": "access_token",
            "token_type": "Bearer",
            "authGrantId": uuid4().hex,
            "aud": CLIENT_ID,
            "nbf": now,
            "grant_type": "client_credentials",
            "scope": [API_SCOPE],
            "auth_time": now,
            "realm": "/",
            "exp": now + 3600,
            "iat": now,
            "expires_in": 3600,
            "jti": uuid4().hex,
        }
        return _changed(honest, changes)


def next_tokens() -> WipoTokens:
    """Tokens after the rotation."""
    return WipoTokens(rsa_key("next"), NEXT_KID)


def invented() -> str:
    """A token of the right issuer whose kid nobody ever published."""
    return WipoTokens(rsa_key("stranger"), uuid4().hex).token()


def wipo_signed(key: RSAKey | ECKey, header: Any, claims: Any) -> str:
    """A compact JWS over whatever `header` and `claims` are; RSA signs as the header's alg says, RS256 for others."""
    signing_input = f"{segment(header)}.{segment(claims)}"
    alg = str(header.get("alg", "")) if isinstance(header, dict) else ""
    if isinstance(key, ECKey):
        return f"{signing_input}.{segment(es256(key, signing_input))}"
    private = key.private_key
    assert isinstance(private, rsa.RSAPrivateKey)
    digest = _SHA.get(alg[2:], hashes.SHA256())
    form = padding.PSS(padding.MGF1(digest), digest.digest_size) if alg.startswith("PS") else padding.PKCS1v15()
    return f"{signing_input}.{segment(private.sign(signing_input.encode(), form, digest))}"


def _changed(honest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **changes}.items() if value is not ABSENT}
