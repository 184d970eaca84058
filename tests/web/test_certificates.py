"""The certificate that the node serves: read when it changes, and never given up for one that cannot be used."""

import os
import subprocess
from pathlib import Path

import pytest

from office_node.web.certificates import CertificateUnusable, ServedCertificate
from tests.end_to_end.served import certify


def test_one_context_serves_until_the_files_change(tmp_path: Path) -> None:
    served = _serve(tmp_path)
    first = served.context()
    assert served.context() is first
    certify(tmp_path)
    assert served.context() is not first
    assert served.context() is served.context()


def test_files_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    served = _serve(tmp_path)
    first = served.context()
    (tmp_path / "tls.pem").unlink()
    assert served.context() is first
    assert not served.reload()
    assert served.context() is first
    certify(tmp_path)
    assert served.context() is not first


def test_told_to_it_reads_files_that_look_the_same(tmp_path: Path) -> None:
    served = _serve(tmp_path)
    first = served.context()
    assert served.reload()
    assert served.context() is not first


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    certify(tmp_path)
    locked = ["openssl", "pkey", "-in", "tls.key", "-out", "locked.key", "-aes256", "-passout", "pass:secret"]
    subprocess.run(locked, cwd=tmp_path, check=True)
    with pytest.raises(CertificateUnusable, match=r"N720 .*locked\.key cannot be used"):
        ServedCertificate(tmp_path / "tls.pem", tmp_path / "locked.key")


def test_files_of_two_pairs_are_refused(tmp_path: Path) -> None:
    certify(tmp_path)
    certify(tmp_path, "other")
    with pytest.raises(CertificateUnusable, match="key values mismatch"):
        ServedCertificate(tmp_path / "tls.pem", tmp_path / "other.key")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_key_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    certify(tmp_path)
    (tmp_path / "tls.key").chmod(0)
    with pytest.raises(CertificateUnusable, match="Permission denied"):
        ServedCertificate(tmp_path / "tls.pem", tmp_path / "tls.key")


def _serve(folder: Path) -> ServedCertificate:
    certify(folder)
    return ServedCertificate(folder / "tls.pem", folder / "tls.key")
