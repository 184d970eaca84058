"""Every entry is read to its end and must be what the directory says."""

import zipfile
from pathlib import Path

import pytest

from tests.library.inspection.packages import CORE, INDEX, Member, archive, deflated, findings, member

TEXT = b"a text of some length, so that there is something to damage" * 20
HONEST = member("a.txt", TEXT)
DAMAGED = {
    "checksum": (member("a.txt", TEXT, crc=HONEST.crc ^ 1), "its checksum is wrong"),
    "fewer bytes": (member("a.txt", TEXT, size=len(TEXT) + 1), "it holds fewer bytes than the directory says"),
    "more bytes": (member("a.txt", TEXT, size=len(TEXT) - 1), "it holds more bytes than the directory says"),
    "packed bytes cut off": (member("a.txt", TEXT, packed=HONEST.packed[:-3]), "its packed bytes are cut off"),
    "packed bytes damaged": (
        member("a.txt", TEXT, packed=b"\xff" + HONEST.packed[1:]),
        "its packed bytes cannot be unpacked",
    ),
    "bytes after its end": (member("a.txt", TEXT, packed=HONEST.packed + b"more"), "bytes follow its end"),
    "many bytes after its end": (member("a.txt", TEXT, packed=HONEST.packed + bytes(200_000)), "bytes follow its end"),
    "stored, too short": (
        Member(b"a.txt", TEXT[:-1], len(TEXT), HONEST.crc, zipfile.ZIP_STORED),
        "it holds fewer bytes than the directory says",
    ),
    "stored, damaged": (
        Member(b"a.txt", TEXT[:-1] + b"X", len(TEXT), HONEST.crc, zipfile.ZIP_STORED),
        "its checksum is wrong",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_an_entry_that_is_not_what_the_directory_says_is_refused(tmp_path: Path, name: str) -> None:
    damaged, reason = DAMAGED[name]
    assert findings(tmp_path, archive(CORE, damaged)) == [f"N336 entry `a.txt`: a damaged entry ({reason})"]


def test_damage_in_xml_and_in_a_pdf_is_told_as_damage(tmp_path: Path) -> None:
    bad = [member("core.pdf", TEXT, crc=1), member("index.xml", INDEX, crc=1)]
    found = findings(tmp_path, archive(*bad))
    assert [one[:4] for one in found] == ["N336", "N336"]


def test_every_fault_is_named_one_by_one(tmp_path: Path) -> None:
    package = archive(
        member("core.pdf", b"no pdf"),
        member("../up.txt", b"text"),
        member("secret.bin", b"text", flags=1),
        member("index.xml", b"<a><b></a>"),
        member("INDEX.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        member("damaged.txt", TEXT, crc=1),
        Member(b"packed.bin", deflated(bytes(3_000_000)), 3_000_000, 0),
    )
    assert [one.split(" (")[0] for one in findings(tmp_path, package)] == [
        "N328 entry `../up.txt`: a name that leads elsewhere",
        "N329 entry `INDEX.xml`: a name that comes twice",
        "N327 entry `secret.bin`: encrypted",
        "N335 entry `packed.bin`: packed too tightly to be honest",
        "N322 entry `core.pdf`: not a PDF",
        "N338 entry `index.xml`: XML that is not well formed",
        "N339 entry `INDEX.xml`: XML that declares entities",
        "N336 entry `damaged.txt`: a damaged entry",
    ]
