"""What cannot be done is refused at once, with its code, its reasons and what to do; never with an access code."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.intake.dropping import REQUEST, Bench, pdf
from tests.office import secrets_in

BAD: dict[str, tuple[Any, str, str]] = {
    "no JSON": (b"{", "N361", "no JSON"),
    "no object": (b"[1]", "N361", "no JSON object"),
    "empty": (b"", "N361", "no JSON"),
    "not UTF-8": (b'{"kind": "\xff"}', "N361", "no JSON"),
    "deep": (b'{"a":' + b"[" * 30_000, "N361", "JSON"),
    "deep and whole": (b'{"kind":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "N361", ""),
    "a key twice": (b'{"kind": "patent", "kind": "design"}', "N361", "twice"),
    "too long": (b" " * 70_000 + b"{}", "N361", "65536"),
    "a null": ({**REQUEST, "number": None}, "N361", "number"),
    "not a number": (b'{"kind": "patent", "number": NaN, "date": "2023-11-02"}', "N361", "number"),
    "a huge number": (b'{"kind": "patent", "date": "2023-11-02", "number": ' + b"9" * 9_000 + b"}", "N361", ""),
    "half a surrogate": (b'{"kind": "patent", "number": "\\ud800", "date": "2023-11-02"}', "N361", ""),
    "a control character": ({**REQUEST, "file_reference": "a\x00b"}, "N361", "file_reference"),
    "an unknown key": ({**REQUEST, "acces_code": "CD34"}, "N361", "did you mean access_code"),
    "another unknown key": ({**REQUEST, "x\ny": 1}, "N361", "x?y: unknown key; known are operation"),
    "no date": ({"kind": "patent", "number": "US 98/012,357"}, "N361", "date: missing"),
    "no such day": ({**REQUEST, "date": "2023-02-30"}, "N361", "date"),
    "a day to come": ({**REQUEST, "date": "2999-01-01"}, "N319", "has not come yet"),
    "a bad code": ({**REQUEST, "access_code": "toolong"}, "N361", "access_code: has the wrong form"),
    "no code": ({key: REQUEST[key] for key in ("kind", "number", "date")}, "N355", "no access code"),
    "a bad kind": ({**REQUEST, "kind": "poem"}, "N361", "kind"),
    "a bad number": ({**REQUEST, "number": "US 12"}, "N310", "not a patent number of US"),
    "a bad e-mail": ({**REQUEST, "email": "nobody"}, "N361", "email"),
    "a foreign key": ({**REQUEST, "new_date": "2023-11-03"}, "N361", "new_date: does not belong to operation register"),
    "a bad operation": ({**REQUEST, "operation": "frobnicate"}, "N361", "operation"),
    "a bad flag": ({**REQUEST, "in_library": "yes"}, "N361", "in_library"),
    "in_library with a content": ({**REQUEST, "in_library": True}, "N364", "takes none"),
    "a withdrawal with a content": (
        {"operation": "withdraw", "kind": "patent", "number": "US 98/012,357"},
        "N364",
        "takes none",
    ),
    "a replacement of nothing": ({"operation": "replace", "kind": "patent", "number": "US 98/012,357"}, "N350", "not"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_faulty_request_is_refused_with_its_reason_and_both_files(bench: Bench, fault: str) -> None:
    request, code, reason = BAD[fault]
    bench.drop(request=request)
    bench.take_in()
    result = bench.result("refused")
    assert (result["code"], result["name"]) == (code, "A")
    assert any(reason in told for told in result["reasons"])
    assert result["what_to_do"]
    assert bench.names("refused") == ["A.json", "A.pdf", "A.result.json"]
    assert (bench.names(), bench.names("taken"), bench.node.outbox.messages()) == ([], [], [])
    text = (bench.folder / "refused" / "A.result.json").read_text()
    assert secrets_in(text) == []
    assert [secret for secret in ("AB21", "CD34", "toolong") if secret in text] == []


def test_every_fault_of_a_request_is_told_at_once(bench: Bench) -> None:
    bench.drop(request={"kind": "poem", "date": "x", "colour": "red", "access_code": "ABCDE"})
    bench.take_in()
    told = bench.result("refused")["reasons"]
    assert {reason.partition(":")[0] for reason in told} == {"kind", "number", "date", "colour", "access_code"}
    assert "red" not in " ".join(told)


@pytest.mark.parametrize("content", [b"Dear office,", b"%PDF-1.4 cut", b"PK\x03\x04 cut"])
def test_what_is_no_document_is_refused(bench: Bench, content: bytes) -> None:
    bench.drop(content=content)
    bench.take_in()
    assert bench.result("refused")["code"] in ("N303", "N320")
    assert bench.node.overview.registrations() == []


def test_a_pdf_and_a_zip_under_one_name_are_refused(bench: Bench) -> None:
    (bench.folder / "A.zip").write_bytes(b"PK")
    bench.drop()
    bench.take_in()
    assert bench.result("refused")["code"] == "N364"
    assert bench.names("refused") == ["A.json", "A.pdf", "A.result.json", "A.zip"]


def test_a_request_of_100_megabytes_is_not_read(bench: Bench) -> None:
    bench.drop(request=b"{")
    os.truncate(bench.folder / "A.json", 100 << 20)
    bench.take_in()
    assert "65536" in bench.result("refused")["reasons"][0]


@pytest.mark.parametrize("extension", ["pdf", "json"])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "unreadable"])
def test_what_is_no_plain_file_is_refused_and_never_followed(bench: Bench, extension: str, kind: str) -> None:
    if kind == "unreadable" and os.getuid() == 0:
        pytest.skip("root reads everything")
    secret = bench.folder.parent / "secret"
    secret.write_bytes(pdf() if extension == "pdf" else json.dumps(REQUEST).encode())
    bench.drop()
    _replace(bench.folder / f"A.{extension}", kind, secret)
    bench.take_in()
    assert bench.result("refused")["code"] == "N362"
    assert secret.exists()
    assert bench.names("refused") == ["A.json", "A.pdf", "A.result.json"]
    assert bench.node.overview.registrations() == []


def _replace(path: Path, kind: str, secret: Path) -> None:
    if kind == "unreadable":
        path.chmod(0)
        return
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(secret if kind == "link" else "nowhere")


def test_a_name_of_any_bytes_is_refused_under_a_name_of_ours(bench: Bench) -> None:
    names = [b"\xff\xfe", b"a\nb", b"x" * 230, "schön\u202e".encode()]
    for name in names:
        for extension, content in ((b".pdf", pdf()), (b".json", json.dumps(REQUEST).encode())):
            (bench.folder / os.fsdecode(name + extension)).write_bytes(content)
    bench.drop("good")
    bench.take_in()
    kept = bench.names("refused")
    assert len(kept) == 3 * len(names)
    assert all(name.startswith("unnamed") for name in kept)
    results = [json.loads((bench.folder / "refused" / name).read_text()) for name in kept if ".result." in name]
    assert {result["code"] for result in results} == {"N365"}
    assert bench.names() == []
    assert len(bench.node.overview.registrations()) == 1


def test_names_that_mean_something_to_a_shell_or_a_path_are_only_names(bench: Bench) -> None:
    names = ["-rf", "a b", "$(id)", "..x", "a~b", "ä", "a.b.c", "%2e%2e", "x'\";--"]
    for name in names:
        bench.drop(name, request={"kind": "poem"})
    bench.take_in()
    refused = {name.removesuffix(".result.json") for name in bench.names("refused") if name.endswith(".result.json")}
    assert refused == {*names} - {"..x"}, "what begins with a dot is still being written"


def test_a_kept_document_with_another_date_or_code_is_refused(bench: Bench) -> None:
    bench.drop("A")
    bench.take_in()
    bench.drop("B", {**REQUEST, "date": "2023-11-03"})
    bench.drop("C", {**REQUEST, "access_code": "CD34"})
    bench.take_in()
    assert [bench.result("refused", name)["code"] for name in "BC"] == ["N307", "N307"]
    assert len(bench.node.overview.registrations()) == 1
