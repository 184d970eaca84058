"""Rows 6, 7 and 26 to 41 of auth-checks.md: form, header and signature of an assertion."""

import json
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from joserfc.jwk import ECKey

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.adversary import Adversary, Answer
from office_node.rehearsal.bad_credentials.entry import Entry
from office_node.rehearsal.bad_credentials.expectations import NOT_AUTHENTICATED, asking, bad, good, malformed
from office_node.rehearsal.bad_credentials.forging import ABSENT, P256_ORDER, compact, resigned

_LONG_KID: Final = "k" * 20_000
_ORDER: Final = P256_ORDER.to_bytes(32)


def _header(number: int, name: str, sentence: str, **changes: Any) -> Entry:
    """An assertion whose header is changed so, signed well."""
    return malformed(number, name, sentence, lambda who: who.assertion(changes))


def _typ(name: str, typ: Any) -> Entry:
    return good(6, name, f"{name} in the header", lambda who: who.assertion({"typ": typ}))


def _whole(number: int, name: str, sentence: str, header: Any = None, claims: Any = None) -> Entry:
    """Another header or other claims as a whole, signed well; bytes stand as they are."""

    def make(who: Adversary) -> str:
        return compact(
            who.header() if header is None else header, who.claims() if claims is None else claims, forging.es(who.key)
        )

    return malformed(number, name, sentence, make)


def _written(number: int, name: str, sentence: str, spelling: str) -> Entry:
    """The honest assertion written as `spelling`, in which it stands at @."""
    return malformed(number, name, sentence, lambda who: spelling.replace("@", who.assertion()))


def _alg_none(spelling: str, *, signed: bool) -> Entry:
    def make(who: Adversary) -> str:
        return who.assertion({"alg": spelling}, None if signed else forging.unsigned)

    name = f"alg {spelling}{', signed' if signed else ''}"
    return bad(31, name, f"{name}: no signature is to be checked", make)


def _hmac(name: str, secret: Callable[[Adversary], bytes]) -> Entry:
    def make(who: Adversary) -> str:
        return who.assertion({"alg": "HS256"}, forging.hs(secret(who)))

    return bad(32, f"hs256 with {name}", f"HS256, keyed with {name} of the client", make)


def _alg(alg: str, signer: Callable[[Adversary], forging.Signer]) -> Entry:
    return bad(33, alg, f"signed with {alg}", lambda who: who.assertion({"alg": alg}, signer(who)))


def _signature(name: str, sentence: str, change: Callable[[bytes], bytes]) -> Entry:
    """The honest assertion under other signature bytes."""

    def make(who: Adversary) -> str:
        honest = who.assertion()
        return resigned(honest, change(forging.signature(honest)))

    return bad(34, name, sentence, make)


def _brought(name: str) -> Entry:
    def attempt(who: Adversary) -> Answer:
        value: Any = {"jwk": who.stranger.as_dict(private=False), "x5c": ["MIIB"]}.get(name, who.lure_url)
        header = {name: value, "kid": who.stranger.thumbprint()}
        return who.unvisited(lambda: who.ask(who.assertion(header, forging.es(who.stranger))))

    sentence = f"signed by a stranger, whose key {name} in the header brings"
    return asking(35, f"{name} of a stranger", sentence, NOT_AUTHENTICATED, attempt)


def _json_serialization(who: Adversary) -> str:
    header, payload, signature = who.assertion().split(".")
    return json.dumps({"protected": header, "payload": payload, "signature": signature})


def _empty_parts(who: Adversary) -> str:
    return f"{who.assertion().partition('.')[0]}.."


def _der(who: Adversary) -> str:
    honest = who.assertion()
    return resigned(honest, forging.der(who.key, honest.rpartition(".")[0].encode()))


def _public_jwk(who: Adversary) -> bytes:
    return json.dumps(who.key.as_dict(private=False)).encode()


ENTRIES: Final = [
    _typ("no typ", ABSENT),
    _typ("typ JWT", "JWT"),
    _typ("typ client-authentication+jwt", "client-authentication+jwt"),
    good(7, "unknown header", "a header parameter that nobody knows", lambda who: who.assertion({"colour": "blue"})),
    malformed(26, "no jws", "text that is no token", lambda _who: "not a token"),
    malformed(26, "empty parts", "no claims and no signature", _empty_parts),
    _written(26, "five parts", "five parts, as an encrypted token has", "@.x.y"),
    malformed(26, "json serialization", "the JSON form of a JWS", _json_serialization),
    _whole(27, "claims as array", "the claims are an array", claims=[]),
    _whole(27, "claims no json", "the claims are no JSON", claims=b"not JSON"),
    _whole(27, "claims no utf-8", "the claims are no UTF-8", claims=b'{"sub": "\xff"}'),
    _whole(28, "header as array", "the header is an array", ["ES256"]),
    _whole(28, "header as text", "the header is a text", "ES256"),
    _header(29, "no alg", "no alg in the header", alg=ABSENT),
    _header(29, "alg as array", "alg is an array", alg=["ES256"]),
    _written(30, "padding", "= behind the assertion", "@="),
    _written(30, "line break", "a line break behind the assertion", "@\n"),
    _written(30, "blanks", "blanks around the assertion", " @ "),
    *(_alg_none(alg, signed=signed) for alg in ("none", "NONE", "nOnE") for signed in (False, True)),
    _hmac("the public PEM", lambda who: who.key.as_pem(private=False)),
    _hmac("the public JWK", _public_jwk),
    _hmac("the client id", lambda who: who.client_id.encode()),
    _alg("RS256", lambda who: forging.rs(who.stranger_rsa)),
    _alg("PS256", lambda who: forging.ps(who.stranger_rsa)),
    _alg("ES384", lambda _who: forging.es(ECKey.generate_key("P-384"), hashes.SHA384())),
    _alg("ES512", lambda _who: forging.es(ECKey.generate_key("P-521"), hashes.SHA512())),
    bad(34, "stranger's key", "signed by a stranger", lambda who: who.assertion(None, forging.es(who.stranger))),
    bad(34, "claims changed", "the claims were changed after", lambda who: forging.repainted(who.assertion(), x=1)),
    malformed(34, "no signature", "the signature is missing", lambda who: who.assertion(None, forging.unsigned)),
    bad(34, "der signature", "the signature as OpenSSL writes it", _der),
    _signature("cut signature", "the signature lost its last byte", lambda signature: signature[:-1]),
    _signature("r = s = 0", "a signature of zeros", lambda _signature: bytes(64)),
    _signature("r = s = n", "a signature of the order of the curve, twice", lambda _signature: _ORDER * 2),
    *(_brought(name) for name in ("jwk", "jku", "x5u", "x5c")),
    _header(36, "crit unknown", "crit names an extension that nobody knows", crit=["unknown"], unknown=1),
    _header(37, "crit number", "crit is a number", crit=7),
    _header(37, "crit objects", "crit is an array of objects", crit=[{}]),
    _header(38, "b64 false", "a payload that is not encoded (RFC 7797)", b64=False, crit=["b64"]),
    _header(39, "kid nobody has", "a kid that no key of the client has", kid="nobody"),
    *(
        _header(40, f"kid with {name}", f"{name} in kid", kid=f"k{text}")
        for name, text in (("quote", '"'), ("backslash", "\\"), ("newline", "\n"), ("é", "é"))
    ),
    *(
        _header(40, f"alg with {name}", f"{name} in alg", alg=f"ES256{text}")
        for name, text in (("quote", '"'), ("newline", "\n"), ("é", "é"))
    ),
    _header(41, "kid too long", "a kid of 20,000 characters", kid=_LONG_KID),
    _header(41, "kid a path", "a kid that is a path", kid="../../etc/passwd"),
    _header(41, "kid an array", "a kid that is an array", kid=["nobody"]),
]
