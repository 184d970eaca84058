"""Certificates as a test wants them: over any key, from and until any moment."""

from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WIPO DAS")])


def issue(private_file: Path, certificate_file: Path, begins: datetime, ends: datetime) -> Path:
    """Write a certificate over the key in `private_file`; returns where it is."""
    key: Any = serialization.load_pem_private_key(private_file.read_bytes(), password=None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate_file
