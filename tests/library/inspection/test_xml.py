"""XML within a ZIP is well formed and plays no tricks with entities; nothing that it names is fetched."""

import socket
import zipfile
from pathlib import Path

import pytest

from tests.library.inspection.packages import CORE, archive, findings, member

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = {
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>',
    "one entity": '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
    "external entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1/b.dtd"> %b;]><a/>',
    "unparsed entity": '<!DOCTYPE a [<!NOTATION n SYSTEM "n"><!ENTITY b SYSTEM "b" NDATA n>]><a/>',
}
MALFORMED = {
    "not closed": b"<a><b></b>",
    "crossed": b"<a><b></a></b>",
    "empty": b"",
    "two roots": b"<a/><b/>",
    "bare ampersand": b"<a>&</a>",
    "undeclared entity": b"<a>&b;</a>",
    "not its encoding": b'<?xml version="1.0" encoding="UTF-8"?><a>\xe9</a>',
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "encoding that expat lacks": b'<?xml version="1.0" encoding="shift_jis"?><a>\x83e</a>',
    "control character": b"<a>\x01</a>",
    "too deep": b"<a>" * 1001 + b"</a>" * 1001,
    "endless tag": b"<a b='" + b"x" * 60_000_000 + b"'/>",
    "endless comment": b"<!--" + b"x" * 60_000_000 + b"--><a/>",
    "very deep": b"<a>" * 400_000,
}


@pytest.mark.parametrize("name", ENTITIES)
def test_entities_are_refused_and_never_expanded(tmp_path: Path, name: str) -> None:
    [found] = findings(tmp_path, archive(CORE, member("index.XML", ENTITIES[name].encode())))
    assert found.startswith("N339 entry `index.XML`: XML that declares entities (")


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_well_formed_is_refused(tmp_path: Path, name: str) -> None:
    method = zipfile.ZIP_STORED if len(MALFORMED[name]) > 1_000_000 else zipfile.ZIP_DEFLATED
    [found] = findings(tmp_path, archive(CORE, member("index.xml", MALFORMED[name], method)))
    assert found.startswith("N338 entry `index.xml`: XML that is not well formed (")


def test_the_line_of_the_fault_is_told(tmp_path: Path) -> None:
    [found] = findings(tmp_path, archive(CORE, member("index.xml", b"<a>\n\n<b></a>")))
    assert "(line 3: mismatched tag)" in found


def test_a_thousand_elements_within_each_other_are_taken(tmp_path: Path) -> None:
    assert findings(tmp_path, archive(CORE, member("index.xml", b"<a>" * 1000 + b"</a>" * 1000))) == []


def test_text_is_taken_however_long(tmp_path: Path) -> None:
    long = b"<a>" + b"acgt" * 10_000_000 + b"</a>"
    lines = b"<a><![CDATA[" + b"acgt\n" * 2_000_000 + b"]]></a>"
    package = archive(CORE, *(member(f"{n}.xml", xml, zipfile.ZIP_STORED) for n, xml in enumerate((long, lines))))
    assert findings(tmp_path, package) == []


def test_the_dtd_that_a_document_names_is_not_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.dtd"
        xml = f'<!DOCTYPE a SYSTEM "{address}"><a>&known-there;</a>'
        assert findings(tmp_path, archive(CORE, member("index.xml", xml.encode()))) == []
        with pytest.raises(TimeoutError):
            server.accept()
