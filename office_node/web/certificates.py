"""The certificate with which the node itself serves TLS, when no proxy stands before it.

gunicorn reads the files anew for every connection. Here they are read once, and again when they change: a renewed
certificate is served from the next connection on, and one that cannot be used never takes the place of one that can.
"""

import ssl
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from office_node.errors import OfficeNodeError

log = structlog.get_logger()

_CIPHERS_OF_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20"


class CertificateUnusable(OfficeNodeError):
    """The files of [web] certificate_file and certificate_key_file cannot be read or are no pair."""

    code = "N720"
    hint = (
        "openssl x509 -noout -text reads the one, openssl pkey -noout -check the other; both PEM, the key unencrypted"
    )


@cache  # gunicorn reads its settings again on reload: what is served must outlive that
def serving(certificate_file: Path, key_file: Path) -> "ServedCertificate":
    """The certificate that this process, and those it forks, serve from these files. Raises `CertificateUnusable`."""
    return ServedCertificate(certificate_file, key_file)


class ServedCertificate:
    """Raises `CertificateUnusable` if the files cannot be used when it is made; afterwards never."""

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        self._files = (certificate_file, key_file)
        self._looked_at = self._identity()
        self._context = tls_context(certificate_file, key_file)

    def context(self) -> ssl.SSLContext:
        """For the next connection: from the files as they are, or as they last could be used."""
        identity = self._identity()
        if identity != self._looked_at:
            self._looked_at = identity
            self.reload()
        return self._context

    def reload(self) -> bool:
        """Read the files now, whether they changed or not. False, with a line in the log, if they cannot be used."""
        try:
            self._context = tls_context(*self._files)
        except CertificateUnusable as exc:
            log.error("certificate kept", code=exc.code, reason=exc.message, hint=exc.next_step)
            return False
        log.info("certificate read", file=str(self._files[0]))
        return True

    def for_gunicorn(self, _config: Any, _default: Any) -> ssl.SSLContext:
        """gunicorn's hook `ssl_context`."""
        return self.context()

    def _identity(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_identity(file) for file in self._files)


def tls_context(certificate_file: Path, key_file: Path) -> ssl.SSLContext:
    """TLS 1.2 with forward secrecy and AEAD alone, and TLS 1.3. Raises `CertificateUnusable`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS_OF_1_2)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An encrypted key would be asked for at the terminal, by each process in turn.
        context.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        what = f"{certificate_file} and {key_file} cannot be used: {_reason(exc)}"
        raise CertificateUnusable(what) from exc
    return context


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return (exc.reason or "not PEM").lower().replace("_", " ")
    return getattr(exc, "strerror", None) or "not PEM"


def _identity(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
