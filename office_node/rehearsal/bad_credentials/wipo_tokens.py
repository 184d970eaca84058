"""Rows 66 to 69, 75 to 88, 91 and 95 of auth-checks.md: tokens that WIPO's true key signed, good and bad.

Only simulated WIPO can make them; that an office refuses the bad ones is what keeps any token of WIPO's, minted for
somebody or something else, from opening its API.
"""

from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.adversary import Adversary
from office_node.rehearsal.bad_credentials.entry import Entry, Expected
from office_node.rehearsal.bad_credentials.forging import ABSENT
from office_node.rehearsal.bad_credentials.tokens import ACCEPTED, INVALID_TOKEN, calling

Of = Callable[[Adversary], Any]
Make = Callable[[Adversary], str]

NOT_ALLOWED: Final = Expected((401, 403))
NO_SCOPE: Final = Expected((403,), ("insufficient_scope",))


def _made(number: int, name: str, sentence: str, expected: Expected, make: Make) -> Entry:
    return calling("wipo", number, name, sentence, expected, lambda who: who.call(f"Bearer {make(who)}"))


def _header(number: int, name: str, sentence: str, expected: Expected, **header: Any) -> Entry:
    """A token whose header is changed so, signed well."""
    return _made(number, name, sentence, expected, lambda who: who.wipo_token(header))


def _claims(number: int, name: str, sentence: str, expected: Expected, **claims: Of) -> Entry:
    """A token with claims changed so, each told by who asks, signed well."""

    def make(who: Adversary) -> str:
        return who.wipo_token(**{claim: value(who) for claim, value in claims.items()})

    return _made(number, name, sentence, expected, make)


def _bad(number: int, name: str, sentence: str, **claims: Of) -> Entry:
    return _claims(number, name, sentence, INVALID_TOKEN, **claims)


def _scope(number: int, name: str, expected: Expected, scope: Of) -> Entry:
    return _claims(number, f"scope {name}", f"scope is {name}", expected, scope=scope)


def _signed(number: int, name: str, sentence: str, header: dict[str, Any], sign: Callable[[Adversary], Any]) -> Entry:
    return _made(number, name, sentence, INVALID_TOKEN, lambda who: who.wipo_token(header, sign(who)))


def _by_enc_key(who: Adversary) -> str:
    key = who.tokens.encryption_key
    return who.wipo_token({"kid": key.kid}, forging.rs(key))


def _array_header(who: Adversary) -> str:
    claims = who.tokens.claims(who.client_id)
    return forging.compact(["RS256"], claims, forging.rs(who.tokens.signing_key))


def _of_5_kb(who: Adversary) -> str:
    return who.wipo_token({"note": "n" * 2_500}, groups=["g" * 500])


def _always(value: Any) -> Of:
    return lambda _who: value


ENTRIES: Final = [
    _made(66, "openam token", "a token in the shape of WIPO's", ACCEPTED, lambda who: who.wipo_token()),
    _scope(67, "a text", ACCEPTED, lambda who: who.scope),
    _scope(67, "an array with others", ACCEPTED, lambda who: ["das-api/other", who.scope]),
    _claims(67, "aud an array", "aud is an array", ACCEPTED, aud=lambda who: ["somebody-else", who.client_id]),
    _claims(
        67,
        "fractions",
        "dates with fractions",
        ACCEPTED,
        exp=lambda who: who.now() + 60.5,
        iat=lambda who: who.now() - 0.5,
    ),
    _claims(
        67,
        "no nbf, realm, cts",
        "nbf, realm and cts are missing",
        ACCEPTED,
        nbf=_always(ABSENT),
        realm=_always(ABSENT),
        cts=_always(ABSENT),
    ),
    _header(68, "zip NONE", "zip NONE in the header, as older OpenAM writes it", ACCEPTED, zip="NONE"),
    _header(68, "unknown header", "a header parameter that nobody knows", ACCEPTED, colour="blue"),
    _made(69, "5 kb", "a long header, and a token of 5 KB", ACCEPTED, _of_5_kb),
    _made(75, "array header, signed", "the header is an array, signed well", INVALID_TOKEN, _array_header),
    _header(75, "crit number, signed", "crit is a number, signed well", INVALID_TOKEN, crit=7),
    _signed(
        78,
        "RS512",
        "RS512 by the right key",
        {"alg": "RS512"},
        lambda who: forging.rs(who.tokens.signing_key, hashes.SHA512()),
    ),
    _signed(78, "PS256", "PS256 by the right key", {"alg": "PS256"}, lambda who: forging.ps(who.tokens.signing_key)),
    _made(79, "encryption key", "signed by the key that is published for encryption", INVALID_TOKEN, _by_enc_key),
    _header(81, "crit unknown", "crit names an unknown extension", INVALID_TOKEN, crit=["unknown"], unknown=1),
    _header(81, "b64 false", "a payload that is not encoded (RFC 7797)", INVALID_TOKEN, b64=False, crit=["b64"]),
    _bad(82, "expired", "exp was 5 minutes ago", exp=lambda who: who.now() - 300),
    _bad(82, "no exp", "exp is missing", exp=_always(ABSENT)),
    _bad(82, "exp a text", "exp is a text", exp=lambda who: str(who.now() + 600)),
    _bad(82, "exp true", "exp is true", exp=_always(value=True)),
    _bad(82, "nbf in an hour", "nbf lies an hour ahead", nbf=lambda who: who.now() + 3600),
    _bad(83, "iss of another", "iss names another server", iss=_always("https://as.example.org/am/oauth2")),
    _bad(83, "no iss", "iss is missing", iss=_always(ABSENT)),
    _bad(83, "iss with slash", "iss with a slash behind it", iss=lambda who: f"{who.tokens.issuer}/"),
    _bad(83, "iss an array", "iss is an array", iss=lambda who: [who.tokens.issuer]),
    _bad(83, "iss the office", "WIPO's key, and the office as issuer", iss=lambda who: who.office_url),
    _bad(84, "aud of another", "aud names another client", aud=_always("das-yy-office")),
    _bad(84, "no aud", "aud is missing", aud=_always(ABSENT)),
    _bad(84, "aud prefixed", "aud with more behind it", aud=lambda who: f"{who.client_id}-2"),
    _bad(84, "aud an object", "aud is an object", aud=lambda who: {who.client_id: 1}),
    _claims(85, "sub not allowed", "sub is a client that may not call", NOT_ALLOWED, sub=_always("das-yy-office")),
    _claims(85, "no sub", "sub is missing", NOT_ALLOWED, sub=_always(ABSENT)),
    _claims(85, "sub an array", "sub is an array", NOT_ALLOWED, sub=lambda who: [who.client_id]),
    _claims(85, "sub in capitals", "sub in other case", NOT_ALLOWED, sub=lambda who: who.client_id.swapcase()),
    _scope(86, "missing", NO_SCOPE, _always(ABSENT)),
    _scope(86, "another", NO_SCOPE, _always(["das-api/other"])),
    _scope(86, "longer", NO_SCOPE, lambda who: [f"{who.scope}s"]),
    _scope(86, "cut", NO_SCOPE, lambda who: [who.scope[:-1]]),
    _scope(86, "in other case", NO_SCOPE, lambda who: [who.scope.upper()]),
    _scope(86, "empty", NO_SCOPE, _always([])),
    _scope(87, "a number", NOT_ALLOWED, _always(7)),
    _scope(87, "an object", NOT_ALLOWED, lambda who: {who.scope: True}),
    _scope(87, "null", NOT_ALLOWED, _always(None)),
    _scope(87, "a nested array", NOT_ALLOWED, lambda who: [[who.scope]]),
    _bad(88, "refresh token", "a refresh token", tokenName=_always("refresh_token")),
    _bad(88, "id token", "an id token", tokenName=_always("id_token")),
    _header(88, "logout token", "typ of a logout token", INVALID_TOKEN, typ="logout+jwt"),
    _header(91, "invented kid", "a kid that was never published", INVALID_TOKEN, kid="aW52ZW50ZWQ+a2lk/w=="),
    _header(95, "no kid", "no kid, while several keys are published", INVALID_TOKEN, kid=ABSENT),
]
