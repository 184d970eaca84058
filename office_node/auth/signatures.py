"""Whether a key that we trust signed a compact JWS, and whether the certificates it brings are that key's."""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from office_node.auth.unverified_jws import LONGEST_JWS, NotTrusted

SigningKey = ECKey | RSAKey


def is_signed_by(key: SigningKey, compact: str, alg: str) -> bool:
    """Whether `key` signed `compact` with `alg`, and with no other algorithm that the header may name."""
    # Unknown headers are ignored (RFC 7515 4); `take_apart` has refused the dangerous ones.
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = LONGEST_JWS
    try:
        jws.deserialize_compact(compact, key, registry=registry)
    except (JoseError, ValueError):
        return False
    return True


def check_certificate(header: Mapping[str, Any], key: SigningKey) -> None:
    """`x5c`, if it is there, begins with a certificate of `key` (RFC 7515 4.1.6). Raises `NotTrusted`.

    `key` is trusted already: a certificate adds nothing to that, and another key's must not come in by it.
    """
    if "x5c" not in header:
        return
    chain = header["x5c"]
    if not isinstance(chain, list) or not chain or not all(isinstance(item, str) for item in chain):
        raise NotTrusted("x5c is no list of certificates")
    try:
        certified = x509.load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise NotTrusted("x5c does not begin with a certificate") from None
    if certified != key.public_key:
        raise NotTrusted("x5c is the certificate of another key")
