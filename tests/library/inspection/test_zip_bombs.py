"""A small file that unpacks to a huge one is refused before it is unpacked, in whatever way it is made."""

import os
import time
import zipfile
import zlib
from pathlib import Path

from tests.library.inspection.packages import (
    CORE,
    MAX_UNPACKED_BYTES,
    PDF,
    Member,
    archive,
    deflated,
    findings,
    member,
    numbers,
    quoted_bomb,
)

ZEROS = bytes(10_000_000)


def test_an_entry_packed_too_tightly_is_refused(tmp_path: Path) -> None:
    [found] = findings(tmp_path, archive(CORE, member("zeros.bin", ZEROS)))
    assert found.startswith("N335 entry `zeros.bin`: packed too tightly to be honest (10000000 bytes in ")


def test_up_to_a_mebibyte_tightness_says_nothing(tmp_path: Path) -> None:
    assert findings(tmp_path, archive(CORE, member("zeros.bin", bytes(1_000_000)))) == []


def test_many_small_bombs_are_refused_as_a_whole(tmp_path: Path) -> None:
    [found] = findings(tmp_path, archive(CORE, *(member(f"{n}.bin", bytes(1_000_000)) for n in range(30))))
    assert found.startswith("N335 packed too tightly to be honest (")


def test_more_bytes_than_a_document_may_have_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    loose = os.urandom(60_000) + bytes(2_000_000)
    members = [member(f"{n}.bin", loose) for n in range(40)]
    [found] = findings(tmp_path, archive(CORE, *members))
    assert found.startswith("N334 too large when unpacked (8")
    assert found.endswith(f" bytes, and at most {MAX_UNPACKED_BYTES} are accepted)")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    members = [member(f"{n}.txt") for n in range(10_000)]
    assert findings(tmp_path, archive(CORE, *members[1:])) == []
    assert findings(tmp_path, archive(CORE, *members)) == [
        "N333 too many entries (10001, and at most 10000 are accepted)"
    ]


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    twins = [member("core.pdf", PDF), member("core.pdf", PDF, offset=0)]
    found = findings(tmp_path, archive(*twins))
    assert numbers(found) == ["N329", "N330"]
    assert found[1] == "N330 entry `core.pdf`: entries that share bytes (with `core.pdf`)"


def test_an_entry_that_reaches_into_the_directory_is_refused(tmp_path: Path) -> None:
    whole = bytearray(archive(CORE, member("a.bin", bytes(100), zipfile.ZIP_STORED)))
    for signature, at in ((b"PK\3\4", 18), (b"PK\1\2", 20)):
        place = whole.rindex(signature) + at
        whole[place : place + 8] = (200).to_bytes(4, "little") * 2
    assert findings(tmp_path, bytes(whole)) == ["N330 entry `a.bin`: entries that share bytes (with the directory)"]


def test_a_bomb_of_quoted_headers_is_refused_quickly(tmp_path: Path) -> None:
    bomb = quoted_bomb(500, bytes(900_000))
    with zipfile.ZipFile(_written(tmp_path / "bomb", bomb)) as real:
        assert sum(info.file_size for info in real.infolist()) > 400_000_000
    began = time.monotonic()
    found = findings(tmp_path, bomb, max_unpacked_bytes=1 << 40)
    assert numbers(found) == ["N335", *["N330"] * 99]
    assert time.monotonic() - began < 10


def test_an_entry_that_lies_about_its_size_is_not_unpacked_past_the_lie(tmp_path: Path) -> None:
    liar = Member(b"zeros.bin", deflated(ZEROS), 1000, zlib.crc32(bytes(1000)))
    assert findings(tmp_path, archive(CORE, liar)) == [
        "N336 entry `zeros.bin`: a damaged entry (it holds more bytes than the directory says)"
    ]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
