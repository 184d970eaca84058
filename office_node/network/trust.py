"""Whom the node trusts when it calls out: the public CAs, or those of one file instead of them."""

import ssl
from pathlib import Path
from typing import ClassVar

import certifi

from office_node.errors import OfficeNodeError, Owner


class TrustUnusable(OfficeNodeError):
    """The file of CA certificates is missing, cannot be read, or holds none."""

    code = "N605"
    owner: ClassVar[Owner] = "office"
    hint = "name a PEM file of CA certificates that the node's user may read, or leave it out to trust the public CAs"


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
