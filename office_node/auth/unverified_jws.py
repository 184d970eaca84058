"""A compact JWS taken apart, strictly, before anything in it is believed.

Everything that a library might stumble over (a header that is no object, `crit` of any kind, 5,000-deep claims,
padding, numbers that are none) ends here with one clean refusal. The signature is checked by others.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from office_node.errors import OfficeNodeError

LONGEST_JWS = 16_384  # as gunicorn's limit on a header (web/server.py)
ES256_SIGNATURE_BYTES = 64  # RFC 7518 3.4: r and s, 32 bytes each; a shorter one lost its leading zeros
CLOCK_TOLERANCE_SECONDS = 60  # reliability.md 1
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_LONGEST_KID = 256
_MOST_BRACKETS = 100  # an honest token has ten; near the interpreter's limit the next parser of the same JSON may fail
# RFC 8725 3.10: a token does not bring the key it is checked with. `x5c`: signatures.check_certificate.
_KEY_BRINGING_HEADERS = ("jwk", "jku", "x5u")


class NotTrusted(OfficeNodeError):
    """A credential that fails a check. The message is for our log; the caller never reads it."""

    code = "N401"
    owner = "caller"
    hint = "if the peer is honest, compare its registration here with what it sends"


@dataclass(frozen=True, slots=True)
class UnverifiedJws:
    """Header and claims as somebody wrote them; nothing is known about who."""

    compact: str
    signing_input: bytes
    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes


def take_apart(compact: str, max_length: int = LONGEST_JWS) -> UnverifiedJws:
    """The parts of `compact`. Raises `NotTrusted` for anything that is not a plain JWT in strict form."""
    if len(compact) > max_length:
        raise NotTrusted("longer than any honest token")
    parts = _COMPACT.fullmatch(compact)
    if parts is None:
        raise NotTrusted("not three base64url parts")
    header, claims = (_json_object(_decoded(part)) for part in parts.group(1, 2))
    _check_header(header)
    signing_input = compact.rpartition(".")[0].encode()
    return UnverifiedJws(compact, signing_input, header, claims, _decoded(parts[3]))


def check_times(claims: dict[str, Any], now: float) -> None:
    """`exp` is required; `exp`, `nbf` and `iat` are honoured with 60 s of tolerance. Raises `NotTrusted`."""
    expires = moment(claims, "exp")
    if expires is None:
        raise NotTrusted("no exp")
    if expires <= now - CLOCK_TOLERANCE_SECONDS:
        raise NotTrusted("expired")
    for name in ("nbf", "iat"):
        value = moment(claims, name)
        if value is not None and value > now + CLOCK_TOLERANCE_SECONDS:
            raise NotTrusted(f"{name} lies in the future")


def moment(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 2), fractions allowed; None if absent. Raises `NotTrusted` for anything else."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        raise NotTrusted(f"{name} is no moment in time")
    return float(value)


def _check_header(header: dict[str, Any]) -> None:
    if not isinstance(header.get("alg"), str):
        raise NotTrusted("no alg")
    if "crit" in header or "b64" in header:
        raise NotTrusted("crit or b64 in the header")
    if any(name in header for name in _KEY_BRINGING_HEADERS):
        raise NotTrusted("brings its own key")
    kid = header.get("kid", "")
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID:
        raise NotTrusted("kid is no short text")
    if not isinstance(header.get("typ", ""), str):
        raise NotTrusted("typ is no text")


def media_type(header: dict[str, Any]) -> str:
    """`typ` in lower case without the `application/` that RFC 7515 4.1.9 lets one leave out."""
    return str(header.get("typ", "")).lower().removeprefix("application/")


def _decoded(part: str) -> bytes:
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise NotTrusted("not base64url") from None
    # Spare bits in the last character would give one token two spellings.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode():
        raise NotTrusted("not base64url in its one spelling")
    return decoded


def _json_object(data: bytes) -> dict[str, Any]:
    if data.count(b"[") + data.count(b"{") > _MOST_BRACKETS:
        raise NotTrusted("header or claims are nested too deep")
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except ValueError:
        raise NotTrusted("header or claims are no JSON") from None
    if not isinstance(value, dict):
        raise NotTrusted("header or claims are no JSON object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
