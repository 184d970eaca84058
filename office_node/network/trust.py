"""Whom the node trusts when it calls out: the public CAs, or those of one file instead of them."""

import ssl
from pathlib import Path
from typing import ClassVar

import certifi

from office_node.errors import OfficeNodeError, Owner, PeerUnavailable

_RENEW = "check certificates: the peer has to renew its own; mind this machine's clock too"
_NAMES = "check certificates: compare the host in the settings with the names in the peer's certificate"
_ISSUER = "check certificates: if the peer has a CA of its own, name it by [wipo] ca_file; else ask who stands between"
_OLD = "the peer has to offer TLS 1.2 or later; nothing older is spoken here"
# X509_V_ERR_ of OpenSSL's x509_vfy.h
_OF_THE_CERTIFICATE = {
    9: ("its certificate is not valid yet", _RENEW),
    10: ("its certificate has expired", _RENEW),
    62: ("its certificate is for another name", _NAMES),
    64: ("its certificate is for another name", _NAMES),
    **dict.fromkeys((2, 18, 19, 20, 21), ("its certificate is from an unknown issuer", _ISSUER)),
}
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION")


class TrustUnusable(OfficeNodeError):
    """The file of CA certificates is missing, cannot be read, or holds none."""

    code = "N605"
    owner: ClassVar[Owner] = "operator"
    hint = "name a PEM file of CA certificates that the node's user may read, or leave it out to trust the public CAs"


class HandshakeFailed(PeerUnavailable):
    """No TLS connection was made, because of what the peer showed or offered; the message says which."""

    code = "N607"
    hint = "check certificates, and what stands between the node and the peer"


def handshake_failed(peer: str, cause: BaseException) -> HandshakeFailed:
    """The error for this cause, in an administrator's words."""
    what, hint = type(cause).__name__, None
    if isinstance(cause, ssl.SSLCertVerificationError):
        what, hint = _OF_THE_CERTIFICATE.get(cause.verify_code, (cause.verify_message, None))
    elif isinstance(cause, ssl.SSLError) and cause.reason in _TOO_OLD:
        what, hint = "its TLS is older than 1.2", _OLD
    return HandshakeFailed(f"{peer}: the TLS handshake failed: {what}", hint=hint)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, certificates and names verified against `ca_file` alone, or the public CAs if it is None.

    Raises `TrustUnusable`.
    """
    file = ca_file or Path(certifi.where())
    try:
        context = ssl.create_default_context(cafile=str(file))
    except ssl.SSLError as exc:  # an OSError too, but its own words say nothing to an administrator
        raise TrustUnusable(f"{file}: no certificates in PEM form") from exc
    except OSError as exc:
        raise TrustUnusable(f"{file}: {exc.strerror}") from exc
    if not context.cert_store_stats()["x509"]:  # revocation lists alone load without complaint
        raise TrustUnusable(f"{file}: no certificates in PEM form")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
