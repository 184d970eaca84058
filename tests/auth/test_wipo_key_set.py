"""What of WIPO's key set counts: whole keys for signatures, each for the algorithms it was published for."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, RSAKey

from tests.auth.assertions import ABSENT
from tests.auth.wipo_office import WipoOffice
from tests.auth.wipo_server import (
    KID,
    NEXT_KID,
    WipoServer,
    WipoTokens,
    next_key,
    next_tokens,
    present_key,
    published,
    rsa_key,
)

MakeWipoOffice = Callable[..., WipoOffice]


def strange_members() -> list[Any]:
    """What is no key for us, most of it under the kid of the next key."""
    good = next_key()
    return [
        *(None, 7, "key", [], {}),
        _without(good, "kid"),
        {**good, "kid": [NEXT_KID]},
        {"kty": "AKP", "kid": NEXT_KID, "use": "sig", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "oct", "kid": NEXT_KID, "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"},
        {**good, "kty": ["RSA"]},
        _without(good, "n"),
        {**good, "n": "*"},
        {**good, "n": 7},
        {**good, "e": "Ag"},  # an even exponent
        {**good, "kty": "EC", "crv": "P-257", "x": "AA", "y": "AA"},
        {**good, "kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": NEXT_KID},  # off the curve
        {**ECKey.generate_key("P-384").as_dict(private=False), "kid": NEXT_KID},
        {**good, "alg": "RS512"},
        {**good, "use": "enc"},
        {**good, "use": None},
        {**_without(good, "use"), "key_ops": ["wrapKey"]},
        {**good, "key_ops": 7},
    ]


def _without(member: dict[str, Any], name: str) -> dict[str, Any]:
    return {known: value for known, value in member.items() if known != name}


@pytest.mark.parametrize("place", ["first", "last"])
def test_094_what_is_strange_in_a_set_never_spoils_the_rest(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens, place: str
) -> None:
    members = strange_members()
    wipo.publish(*([*members, present_key()] if place == "first" else [present_key(), *members]))
    assert wipo_office.call(wipo_tokens.token()) == 200
    assert wipo_office.call(next_tokens().token()) == 401


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_094_an_rsa_key_of_1024_bits_is_none(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    small = rsa.generate_private_key(65537, 1024)
    pem = small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = RSAKey.import_key(pem)
    wipo.publish(present_key(), published(key, "small"))
    office = new_wipo_office()
    assert office.call(wipo_tokens.token()) == 200
    assert office.call(WipoTokens(key, "small").token()) == 401


def test_094_a_repeated_kid_is_settled_by_algorithm_and_signature(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, stranger: ECKey
) -> None:
    kid = "twice"
    es256 = published(stranger, kid, alg="ES256")
    wipo.publish(published(rsa_key("WIPO"), kid), es256, published(rsa_key("next"), kid, alg=ABSENT))
    office = new_wipo_office(algorithms=["RS256", "ES256"])
    for key, alg in ((rsa_key("WIPO"), "RS256"), (rsa_key("next"), "RS256"), (stranger, "ES256")):
        assert office.call(WipoTokens(kid=kid).token({"alg": alg}, key=key)) == 200
    for key, alg in ((rsa_key("stranger"), "RS256"), (rsa_key("WIPO"), "PS256"), (rsa_key("WIPO"), "ES256")):
        assert office.call(WipoTokens(kid=kid).token({"alg": alg}, key=key)) == 401


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_078_a_key_checks_no_other_algorithm_than_it_was_published_for(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, stranger: ECKey, alg: str
) -> None:
    key: RSAKey | ECKey = stranger if alg == "ES256" else rsa_key("WIPO")
    wipo.publish(published(key, KID, alg=alg))
    office = new_wipo_office(algorithms=["RS256", "PS256", "ES256"])
    for said in ("RS256", "PS256", "ES256"):
        answer = office.call(WipoTokens().token({"alg": said}, key=key))
        assert (said, answer) == (said, 200 if said == alg else 401)
