"""Rows 70 to 81 and 88 of auth-checks.md: what an outsider can do to a token, in both setups.

For the office's own tokens this is all there is: only the office has the key that could sign a bad one.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

from joserfc.jwk import ECKey

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.adversary import Adversary, Answer
from office_node.rehearsal.bad_credentials.entry import Attempt, Entry, Expected
from office_node.rehearsal.bad_credentials.forging import repainted, resigned

Setup = Literal["own", "wipo"]
Bend = Callable[[Adversary, str], str]

ACCEPTED: Final = Expected((200,), ("",))
INVALID_TOKEN: Final = Expected((401,), ("invalid_token",))
NOT_ASKED: Final = Expected((401,), ("",))
NOT_ONE_TOKEN: Final = Expected((400, 401), ("", "invalid_token", "invalid_request"))
NO_TOKEN: Final = Expected((400, 401, 431))
NO_TOKEN_HERE: Final = Expected((400, 401))


def calling(setup: Setup, number: int, name: str, sentence: str, expected: Expected, attempt: Attempt) -> Entry:
    """An entry for the API."""
    return Entry(number, name, sentence, expected, attempt, "token", setup)


def honest(who: Adversary, setup: Setup) -> str:
    return who.own_token() if setup == "own" else who.wipo_token()


def in_both_setups() -> list[Entry]:
    setups: tuple[Setup, ...] = ("own", "wipo")
    return [entry for setup in setups for entry in [*_sent(setup), *_bent(setup)]]


def _sent(setup: Setup) -> list[Entry]:
    """An honest token, sent right and wrong."""
    entry = partial(calling, setup)

    def sent(*authorization: str) -> Attempt:
        def attempt(who: Adversary) -> Answer:
            token = honest(who, setup)
            return who.call(*(value.replace("@", token) for value in authorization))

        return attempt

    return [
        *(
            entry(70, f"scheme {name}", f"{name} before the token", ACCEPTED, sent(f"{name} @"))
            for name in ("Bearer", "bearer", "BEARER")
        ),
        entry(71, "no token", "no token at all", NOT_ASKED, lambda who: who.call()),
        entry(72, "basic", "HTTP Basic", NOT_ONE_TOKEN, lambda who: who.call("Basic d2lwbzpzZWNyZXQ=")),
        entry(72, "bearer alone", "Bearer and nothing behind it", NOT_ONE_TOKEN, lambda who: who.call("Bearer")),
        entry(72, "two tokens", "two tokens in one header", NOT_ONE_TOKEN, sent("Bearer @ @")),
        entry(72, "two headers", "two Authorization headers", NOT_ONE_TOKEN, sent("Bearer @", "Bearer @")),
        entry(
            73,
            "in the query",
            "the token stands in the query",
            NO_TOKEN_HERE,
            lambda who: who.call(query=f"?access_token={honest(who, setup)}"),
        ),
        entry(
            73,
            "in the form",
            "the token stands in a form",
            NO_TOKEN_HERE,
            lambda who: who.call(body=f"access_token={honest(who, setup)}".encode()),
        ),
        entry(74, "no jwt", "text that is no token", NO_TOKEN, lambda who: who.call("Bearer text")),
        entry(74, "five parts", "five parts", NO_TOKEN, sent("Bearer @.x.y")),
        entry(74, "beyond ascii", "letters beyond ASCII", NO_TOKEN, lambda who: who.call("Bearer é.é.é")),
        entry(74, "200 kb", "a token of 200 KB", NO_TOKEN, lambda who: who.call(f"Bearer {'a' * 200_000}")),
    ]


def _bent(setup: Setup) -> list[Entry]:
    """An honest token, changed by somebody who does not have its key."""

    def bad(number: int, name: str, sentence: str, bend: Bend) -> Entry:
        def attempt(who: Adversary) -> Answer:
            return who.call(f"Bearer {bend(who, honest(who, setup))}")

        return calling(setup, number, name, sentence, INVALID_TOKEN, attempt)

    def brought(name: str) -> Entry:
        def attempt(who: Adversary) -> Answer:
            value: Any = {"jwk": who.stranger.as_dict(private=False), "x5c": ["MIIB"]}.get(name, who.lure_url)
            bend = _by_stranger(who, honest(who, setup), {name: value, "kid": who.stranger.thumbprint()})
            return who.unvisited(lambda: who.call(f"Bearer {bend}"))

        sentence = f"signed by a stranger, whose key {name} in the header brings"
        return calling(setup, 80, f"{name} of a stranger", sentence, INVALID_TOKEN, attempt)

    return [
        bad(75, "header as array", "the header is an array", lambda _who, token: _with_header(token, ["RS256"])),
        bad(75, "crit number", "crit is a number", lambda _who, token: repainted(token, {"crit": 7})),
        *(bad(76, f"alg {alg}", f"alg {alg}, and no signature", partial(_alg_none, alg)) for alg in ("none", "NONE")),
        bad(76, "hs256 with the PEM", "HS256, keyed with the published key as PEM", partial(_hmac, setup, _pem)),
        bad(76, "hs256 with the cut PEM", "the same PEM without its last line break", partial(_hmac, setup, _stripped)),
        bad(76, "hs256 with the JWK", "HS256, keyed with the published key as JWK", partial(_hmac, setup, _jwk)),
        bad(77, "stranger's EC key", "signed by a stranger with ES256 under the known kid", _by_stranger),
        bad(77, "stranger's RSA key", "signed by a stranger with RS256 under the known kid", _by_stranger_rsa),
        bad(77, "claims changed", "the claims were changed after", lambda _who, token: repainted(token, added=1)),
        bad(77, "no signature", "the signature is missing", lambda _who, token: resigned(token, b"")),
        bad(77, "cut signature", "the signature lost its end", lambda _who, token: _cut(token)),
        *(brought(name) for name in ("jwk", "jku", "x5u", "x5c")),
        bad(88, "client assertion", "a client assertion in the place of a token", lambda who, _token: who.assertion()),
    ]


def _with_header(token: str, header: Any) -> str:
    return f"{forging.segment(header)}.{token.partition('.')[2]}"


def _alg_none(alg: str, _who: Adversary, token: str) -> str:
    return resigned(repainted(token, {"alg": alg}), b"")


def _cut(token: str) -> str:
    return resigned(token, forging.signature(token)[:-1])


def _by_stranger(who: Adversary, token: str, header: dict[str, Any] | None = None) -> str:
    old, claims = forging.parts(token)
    return forging.compact({**old, "alg": "ES256", **(header or {})}, claims, forging.es(who.stranger))


def _by_stranger_rsa(who: Adversary, token: str) -> str:
    old, claims = forging.parts(token)
    return forging.compact({**old, "alg": "RS256"}, claims, forging.rs(who.stranger_rsa))


def _hmac(setup: Setup, secret: Callable[[dict[str, Any], bytes], bytes], who: Adversary, token: str) -> str:
    """Whoever keys HMAC with a public key hopes for a verifier that does not look which kind of key it holds."""
    if setup == "own":
        member, key = who.published_key()
        pem = ECKey.as_pem(key, private=False)
    else:
        signing = who.tokens.signing_key
        member, pem = dict(signing.as_dict(private=False)), signing.as_pem(private=False)
    old, claims = forging.parts(token)
    return forging.compact({**old, "alg": "HS256"}, claims, forging.hs(secret(member, pem)))


def _pem(_member: dict[str, Any], pem: bytes) -> bytes:
    return pem


def _stripped(_member: dict[str, Any], pem: bytes) -> bytes:
    return pem.strip()


def _jwk(member: dict[str, Any], _pem: bytes) -> bytes:
    return json.dumps(member).encode()
