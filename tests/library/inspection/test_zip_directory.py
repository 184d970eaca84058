"""The directory of a ZIP is judged before anything is unpacked: names, kinds, methods, places."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from tests.library.inspection.packages import CORE, INDEX, PDF, archive, findings, member, numbers

NAMES = {
    "../core.txt": "it has `..`",
    "a/../../core.txt": "it has `..`",
    "..": "it has `..`",
    "/etc/passwd": "it is absolute",
    "C:core.txt": "it has a drive",
    "a\\core.txt": "it has a backslash",
    "": "it is empty",
    "//": "it is empty",
    "a\nb": "it has characters that are not seen",
    "a\x00.txt": "it has characters that are not seen",
    "a\u202egpj.exe": "it has characters that are not seen",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    found = findings(tmp_path, archive(CORE, member(name, b"text")))
    assert set(numbers(found)) == {"N328"}
    assert any(one.endswith(f"a name that leads elsewhere ({NAMES[name]})") for one in found)


def test_a_name_in_windows_form_is_told_for_each_reason(tmp_path: Path) -> None:
    found = findings(tmp_path, archive(CORE, member("C:\\..\\x", b"text")))
    assert [one.split("(")[1] for one in found] == ["it has a drive)", "it has a backslash)", "it has `..`)"]


def test_dots_that_lead_nowhere_are_only_a_name(tmp_path: Path) -> None:
    assert findings(tmp_path, archive(CORE, member("a..b/...txt", b"text"))) == []


@pytest.mark.parametrize("second", ["core.pdf", "CORE.PDF", "core.pdf/"])
def test_a_name_comes_once_whatever_its_case(tmp_path: Path, second: str) -> None:
    again = member(second, PDF) if not second.endswith("/") else member(second)
    assert findings(tmp_path, archive(CORE, again)) == [f"N329 entry `{second}`: a name that comes twice"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_link_or_a_device_is_refused(tmp_path: Path, kind: int) -> None:
    found = findings(tmp_path, archive(CORE, member("link", b"/etc/passwd", mode=kind | 0o777)))
    assert found == ["N331 entry `link`: no plain file"]


@pytest.mark.parametrize("bit", [0, 6, 13])
def test_an_encrypted_entry_is_refused(tmp_path: Path, bit: int) -> None:
    assert findings(tmp_path, archive(CORE, member("secret", b"text", flags=1 << bit))) == [
        "N327 entry `secret`: encrypted"
    ]


def test_an_entry_that_only_its_own_header_calls_encrypted_is_refused(tmp_path: Path) -> None:
    found = findings(tmp_path, archive(CORE, member("secret", b"text", local_flags=1)))
    assert found == ["N326 entry `secret`: a ZIP whose directory cannot be trusted (its own header says otherwise)"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_ways_of_packing_are_refused(tmp_path: Path, method: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as target:
        target.writestr("core.pdf", PDF)
    assert findings(tmp_path, made.getvalue()) == [
        f"N332 entry `core.pdf`: a way of packing that is not accepted (method {method})"
    ]


def test_a_header_with_another_name_than_the_directorys_is_refused(tmp_path: Path) -> None:
    found = findings(tmp_path, archive(CORE, member("index.xml", INDEX, local_name=b"other.xml")))
    assert numbers(found) == ["N326"]


@pytest.mark.parametrize("offset", [7, 10_000_000])
def test_a_directory_that_points_at_nothing_is_refused(tmp_path: Path, offset: int) -> None:
    found = findings(tmp_path, archive(CORE, member("index.xml", INDEX, offset=offset)))
    assert numbers(found) == ["N326"]


def test_a_zip_with_a_hole_is_refused(tmp_path: Path) -> None:
    whole = archive(CORE, member("index.xml", INDEX))
    assert "N326" in numbers(findings(tmp_path, whole[:100] + whole[200:]))


def test_a_zip_whose_directory_is_rubbish_is_refused(tmp_path: Path) -> None:
    whole = archive(CORE, member("index.xml", INDEX)).replace(b"PK\1\2", b"XXXX")
    [found] = findings(tmp_path, whole)
    assert found.startswith("N326 a ZIP whose directory cannot be trusted (")


@pytest.mark.parametrize("names", [["index.xml"], ["core.txt"], ["pdf"]])
def test_a_package_needs_a_pdf(tmp_path: Path, names: list[str]) -> None:
    assert findings(tmp_path, archive(*(member(name, INDEX) for name in names))) == ["N337 no PDF inside"]


def test_bytes_behind_the_end_are_refused(tmp_path: Path) -> None:
    found = findings(tmp_path, archive(CORE) + bytes(1000))
    assert found == ["N326 a ZIP whose directory cannot be trusted (there is more behind its end)"]


def test_a_comment_at_the_end_is_no_fault(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("core.pdf", PDF)
        made.comment = b"packed by the office"
    assert findings(tmp_path, file.getvalue()) == []


def test_a_file_that_the_directory_does_not_list_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("core.pdf", PDF)
        made.writestr("hidden.txt", b"seen only by who reads the stream" * 10)
        made.filelist.pop()
    [found] = findings(tmp_path, file.getvalue())
    assert found.startswith("N326 a ZIP whose directory cannot be trusted (")
    assert found.endswith("bytes between its files belong to none)")


@pytest.mark.parametrize(("second", "accepted"), [("core.pdf", True), ("../../evil.sh", False)])
def test_a_second_name_may_only_be_the_first_again(tmp_path: Path, second: str, accepted: bool) -> None:
    field = b"\x01" + bytes(4) + second.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo("core.pdf")
        info.extra = b"up" + len(field).to_bytes(2, "little") + field
        made.writestr(info, PDF)
    found = findings(tmp_path, file.getvalue())
    assert found == ([] if accepted else [_SECOND_NAME])


_SECOND_NAME = "N328 entry `core.pdf`: a name that leads elsewhere (it has a second name, which other readers may take)"
