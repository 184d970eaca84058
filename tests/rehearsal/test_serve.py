"""`office-node rehearsal serve` takes large files in little memory, tells no link, and leaves nothing behind."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office, eventually
from tests.rehearsal.wipo import TIMEOUT

pytestmark = on_sqlite
BLOCK = bytes(1 << 20)
MEGABYTES = 300


def started(new_office: MakeOffice, temporary: Path, *options: str) -> tuple[Office, Any]:
    """Simulated WIPO as a process that keeps its files below `temporary`."""
    office = new_office()
    temporary.mkdir()
    os.environ["TMPDIR"], before = str(temporary), os.environ.get("TMPDIR")
    try:
        process = office.start("rehearsal", "serve", *options)
    finally:
        os.environ.pop("TMPDIR")
        os.environ.update({"TMPDIR": before} if before else {})
    eventually(lambda: requests.get(f"{office.central_url}/rehearsal/alive", timeout=30).ok)
    return office, process


def announced(office: Office, checksum: str) -> dict[str, str]:
    """E2, by an office that WIPO knows; its token comes from the place for scripts."""
    asked = {"fileFormatCategory": "pdf", "fileChecksum": checksum}
    answer = call(office, "POST", "files/url-uploads", json=asked)
    told: dict[str, str] = answer.json()
    return told


def call(office: Office, method: str, path: str, **request: Any) -> requests.Response:
    token = requests.post(f"{office.central_url}/rehearsal/tokens", timeout=TIMEOUT).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{office.central_url}/das-api/v1/requests/{path}"
    return requests.request(method, url, headers=headers, timeout=TIMEOUT, **request)


def peak_kib(pid: int) -> int:
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match
    return int(match[1])


class Large:
    """Many zero bytes, read piece by piece."""

    def __init__(self, size: int) -> None:
        self.left = size

    def __len__(self) -> int:
        return self.left

    def read(self, count: int = -1) -> bytes:
        count = self.left if count < 0 else min(count, self.left, len(BLOCK))
        self.left -= count
        return BLOCK[:count]

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(len(BLOCK)):
            yield block


@pytest.mark.parametrize("content_type", ["application/pdf", "application/zip"])
def test_a_large_upload_takes_little_memory_taken_in_or_refused(
    new_office: MakeOffice, tmp_path: Path, content_type: str
) -> None:
    office, process = started(new_office, tmp_path / "temporary")
    sha256 = hashlib.sha256()
    for _ in range(MEGABYTES):
        sha256.update(BLOCK)
    file = announced(office, sha256.hexdigest())
    before = peak_kib(process.pid)
    answer = requests.put(
        file["fileUploadUrl"],
        data=Large(MEGABYTES << 20),
        headers={"Content-Type": content_type},
        timeout=TIMEOUT,
    )
    assert answer.status_code == (200 if content_type == "application/pdf" else 403)
    assert peak_kib(process.pid) - before < 30_000
    if answer.ok:
        told = eventually(lambda: call(office, "GET", "files", params={"fileId": file["fileId"]}).json())
        assert told["fileStatusCategory"] in ("PROCESSING", "ACCEPTED")


def test_nothing_of_it_stays_when_it_is_told_to_stop(new_office: MakeOffice, tmp_path: Path) -> None:
    office, process = started(new_office, tmp_path / "temporary")
    file = announced(office, hashlib.sha256(b"x").hexdigest())
    url = file["fileUploadUrl"]
    assert requests.put(url, data=b"x", headers={"Content-Type": "application/pdf"}, timeout=TIMEOUT).ok
    assert len([*(tmp_path / "temporary").rglob(file["fileId"])]) == 1
    process.terminate()
    assert process.wait(timeout=15) == 0
    assert [*(tmp_path / "temporary").iterdir()] == []
    log = office.log_file.read_text()
    assert "signature=" not in log
    assert file["fileId"] not in log


def test_its_waits_are_set_by_options(new_office: MakeOffice, tmp_path: Path) -> None:
    options = ("--upload-url-seconds", "0", "--file-check-seconds", "3", "--pending-seconds", "4.5")
    office, _ = started(new_office, tmp_path / "temporary", *options)
    pace = requests.post(f"{office.central_url}/rehearsal/pace", json={}, timeout=TIMEOUT).json()
    assert {name: pace[name] for name in ("upload_url_seconds", "file_check_seconds", "pending_seconds")} == {
        "upload_url_seconds": 0.0,
        "file_check_seconds": 3.0,
        "pending_seconds": 4.5,
    }
    file = announced(office, "ab" * 32)
    late = requests.put(file["fileUploadUrl"], data=b"x", headers={"Content-Type": "application/pdf"}, timeout=TIMEOUT)
    assert late.status_code == 403
