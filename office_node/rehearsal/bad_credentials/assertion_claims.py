"""Rows 1 to 10 and 42 to 60 of auth-checks.md: the claims of an assertion, each bent alone and signed well."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.adversary import Adversary, Answer
from office_node.rehearsal.bad_credentials.entry import Entry
from office_node.rehearsal.bad_credentials.expectations import (
    CLEAN,
    INVALID_CLIENT,
    ISSUED,
    asking,
    bad,
    good,
    malformed,
)
from office_node.rehearsal.bad_credentials.forging import ABSENT, compact, segment

Of = Callable[[Adversary], Any]


def _good(number: int, name: str, sentence: str, **claims: Of) -> Entry:
    """Claims that are right, each told by who asks."""
    return good(number, name, sentence, lambda who: who.assertion(**_asked(who, claims)))


def _bad(number: int, name: str, sentence: str, **claims: Of) -> Entry:
    return bad(number, name, sentence, lambda who: who.assertion(**_asked(who, claims)))


def _asked(who: Adversary, claims: dict[str, Of]) -> dict[str, Any]:
    return {name: value(who) for name, value in claims.items()}


def _for_compat(number: int, name: str, sentence: str, **claims: Of) -> Entry:
    """As WIPO's documents have it: a client of the profile compat gets its token, a strict one does not."""
    entry = bad(number, name, sentence, lambda who: who.documented(**_asked(who, claims)))
    return replace(entry, compat=ISSUED)


def _other_type(claim: str, name: str, value: Callable[[str], Any]) -> Entry:
    return _bad(44, f"{claim} {name}", f"{claim} is {name}", **{claim: lambda who: value(who.client_id)})


def _spelt(number: int, claim: str, name: str, spelling: str) -> Entry:
    def make(who: Adversary) -> str:
        text = spelling.replace("@", str(who.now() + 30))
        return compact(who.header(), forging.raw_claim(who.claims(), claim, text), forging.es(who.key))

    return malformed(number, f"{claim} {name}", f"{claim} is {name}", make)


def _strange(name: str, sentence: str, **claims: Any) -> Entry:
    return asking(56, name, sentence, CLEAN, lambda who: who.ask(who.assertion(**claims)))


def _audience(name: str, sentence: str, audience: Of) -> Entry:
    return _bad(50, f"aud {name}", f"aud is {sentence}", aud=audience)


def _deep(who: Adversary) -> str:
    return f"{segment(who.header())}.{segment(forging.nested(who.claims(), 5_000))}.{'A' * 86}"


def _alike(who: Adversary) -> Answer:
    unknown = who.ask(who.assertion(iss="nobody", sub="nobody"))
    forged = who.ask(who.assertion(None, forging.es(who.stranger)))
    return unknown if unknown == forged else replace(unknown, flaw=f"unlike {forged.told()}")


_TYPES: Final[tuple[tuple[str, Callable[[str], Any]], ...]] = (
    ("an array", lambda client_id: [client_id]),
    ("null", lambda _client_id: None),
    ("an object", lambda client_id: {client_id: client_id}),
)

ENTRIES: Final = [
    good(2, "no kid", "one key is registered, and the header names none", lambda who: who.assertion()),
    _good(3, "aud issuer", "aud is the issuer, as text", aud=lambda who: who.office_url),
    _for_compat(4, "aud endpoint", "aud is the token endpoint"),
    _for_compat(4, "aud array of one", "aud is an array that holds the issuer alone", aud=lambda who: [who.office_url]),
    _bad(4, "second aud", "aud names a second audience", aud=lambda who: [who.office_url, "https://as.example.org"]),
    _good(5, "8 s ahead", "iat and nbf 8 s ahead", iat=lambda who: who.now() + 8, nbf=lambda who: who.now() + 8),
    _good(8, "unknown claims", "claims that nobody knows", colour=lambda _who: "blue", realm=lambda _who: {"x": None}),
    _good(
        8, "fractions", "exp and iat with fractions", exp=lambda who: who.now() + 59.5, iat=lambda who: who.now() - 0.5
    ),
    _good(10, "1000 s of life", "exp 1000 s ahead, as WIPO's sample", exp=lambda who: who.now() + 1000),
    _good(10, "longest life", "exp as far ahead as allowed", exp=lambda who: who.now() + who.max_assertion_seconds),
    *(
        _bad(42, f"no {name}", f"{name} is missing", **{name: lambda _who: ABSENT})
        for name in ("sub", "iss", "aud", "exp")
    ),
    _bad(43, "sub of another", "sub names somebody else", sub=lambda _who: "somebody-else"),
    _bad(43, "iss of another", "iss names somebody else", iss=lambda _who: "somebody-else"),
    _bad(
        43,
        "client in capitals",
        "iss and sub in other case",
        iss=lambda who: who.client_id.swapcase(),
        sub=lambda who: who.client_id.swapcase(),
    ),
    *(_other_type(claim, name, value) for claim in ("iss", "sub") for name, value in _TYPES),
    _bad(45, "5 minutes late", "exp was 5 minutes ago", exp=lambda who: who.now() - 300),
    _bad(45, "2 minutes late", "exp was 2 minutes ago", exp=lambda who: who.now() - 120),
    *(
        _spelt(46, claim, name, spelling)
        for claim in ("exp", "iat", "nbf")
        for name, spelling in (("a text", '"@"'), ("a boolean", "true"), ("null", "null"), ("NaN", "NaN"))
    ),
    _spelt(47, "exp", "1e400", "1e400"),
    _spelt(47, "exp", "a number of 40 digits", "9" * 40),
    _spelt(47, "exp", "a number of 5,000 digits", "9" * 5_000),
    _bad(48, "nbf 90 s ahead", "nbf lies 90 s ahead", nbf=lambda who: who.now() + 90),
    _bad(49, "iat 90 s ahead", "iat lies 90 s ahead", iat=lambda who: who.now() + 90),
    _audience("another server", "another server", lambda _who: "https://as.example.org"),
    _audience("prefixed", "the issuer with more behind it", lambda who: f"{who.office_url}.example.org"),
    _audience("cut", "the issuer cut short", lambda who: who.office_url[:-1]),
    _audience("empty", "empty", lambda _who: ""),
    _audience("an object", "an object", lambda who: {who.office_url: who.token_endpoint}),
    _audience("client id", "the client id", lambda who: who.client_id),
    _for_compat(51, "no jti", "WIPO's documented assertion, without jti", aud=lambda who: who.office_url),
    _bad(52, "empty jti", "jti is empty", jti=lambda _who: ""),
    _bad(53, "jti number", "jti is a number", jti=lambda _who: 7),
    _bad(53, "jti null", "jti is null", jti=lambda _who: None),
    malformed(55, "nested 5,000 deep", "claims nested 5,000 deep, unsigned", _deep),
    _strange("strange sub", "sub with NUL and half a character", sub="\0\ud800", iss="\0\ud800"),
    _strange("strange jti", "jti with NUL and half a character", jti="\0\ud800"),
    _strange("long jti", "a jti of 10,000 characters", jti="j" * 10_000),
    asking(57, "unknown alike", "an unknown client and a forged signature are answered alike", INVALID_CLIENT, _alike),
    malformed(60, "access token", "the office's own access token as assertion", lambda who: who.own_token()),
]
