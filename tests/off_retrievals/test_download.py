"""The presigned download (E15) over real gunicorn: bytes, conditions and ranges as RFC 9110 wants them."""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass

import pytest

from tests.off_retrievals.bench import Bench, das_codes
from tests.office import pdf, pdf_of

SIZE = 300_000


@dataclass(frozen=True, slots=True)
class Offered:
    """A document that waits for its download."""

    bench: Bench
    link: str
    content: bytes

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()}"'


@pytest.fixture(scope="module")
def offered(served: Bench) -> Offered:
    kept = served.keep(pdf_of(SIZE))
    assert len(kept.content) == SIZE
    return Offered(served, served.offer(kept)[1], kept.content)


def test_the_whole_document_comes_with_all_that_is_known_of_it(offered: Offered) -> None:
    answer = offered.bench.fetch(offered.link)
    assert answer.status_code == 200
    assert answer.content == offered.content
    digest = base64.b64encode(hashlib.sha256(offered.content).digest()).decode()
    version_id = offered.link.partition("?")[0].rpartition("/")[2]
    expected = {
        "Content-Type": "application/pdf",
        "Content-Length": str(SIZE),
        "Content-Disposition": f'attachment; filename="{version_id}.pdf"',
        "ETag": offered.etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "Transfer-Encoding" not in answer.headers


def test_a_zip_comes_as_a_zip(served: Bench) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("document.pdf", pdf(1000))
    answer = served.fetch(served.offer(served.keep(packed.getvalue()))[1])
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].endswith('.zip"')
    assert answer.content == packed.getvalue()


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=0-0", 0, 1),
        ("bytes=100000-200000", 100_000, 200_001),
        ("bytes=150000-150000", 150_000, 150_001),
        ("bytes=150000-", 150_000, SIZE),
        ("bytes=0-", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        (f"bytes=299990-{SIZE * 10}", 299_990, SIZE),
        (f"bytes=5-{'9' * 100}", 5, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-1000", SIZE - 1000, SIZE),
        (f"bytes=-{SIZE}", 0, SIZE),
        (f"bytes=-{SIZE * 10}", 0, SIZE),
        ("BYTES=7-8", 7, 9),
        ("bytes= 7-8 ", 7, 9),
    ],
)
def test_a_range_gives_these_bytes_and_no_others(offered: Offered, asked: str, first: int, stop: int) -> None:
    answer = offered.bench.fetch(offered.link, Range=asked)
    assert answer.status_code == 206
    assert answer.content == offered.content[first:stop]
    assert answer.headers["Content-Range"] == f"bytes {first}-{stop - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(stop - first)
    assert answer.headers["ETag"] == offered.etag
    assert answer.headers["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", f"bytes={'9' * 100}-", "bytes=-0", "bytes=-00 "]
)
def test_a_range_that_holds_no_byte_is_refused_with_the_size(offered: Offered, asked: str) -> None:
    answer = offered.bench.fetch(offered.link, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert das_codes(answer) == [-1000]


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,4-5",
        "bytes=0-1, 4-5, -2",
        "bytes=0-0,0-0",
        "items=0-5",
        "seconds=1-2",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=0x1-0x2",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=--5",
        "bytes=-",
        "bytes=",
        "bytes",
        "=0-5",
        "bytes 0-5",
        "0-5",
        "bytes=1.0-2",
        f"bytes={'9' * 5000}-",
        "\xb9-\xb2",
    ],
)
def test_what_is_not_one_range_of_bytes_gives_the_whole(offered: Offered, asked: str) -> None:
    answer = offered.bench.fetch(offered.link, Range=asked)
    assert answer.status_code == 200
    assert answer.content == offered.content
    assert "Content-Range" not in answer.headers


def test_if_range_gives_the_part_only_for_these_very_bytes(offered: Offered) -> None:
    part = offered.bench.fetch(offered.link, **{"Range": "bytes=10-19", "If-Range": offered.etag})
    assert (part.status_code, part.content) == (206, offered.content[10:20])
    for other in (
        '"another"',
        f"W/{offered.etag}",
        offered.etag.strip('"'),
        "Wed, 21 Oct 2099 07:28:00 GMT",
        "*",
        "",
    ):
        whole = offered.bench.fetch(offered.link, **{"Range": "bytes=10-19", "If-Range": other})
        assert (whole.status_code, whole.content) == (200, offered.content), other


def test_if_range_without_a_range_means_nothing(offered: Offered) -> None:
    assert offered.bench.fetch(offered.link, **{"If-Range": offered.etag}).content == offered.content


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", "*", '"a", {}', '"a", W/{}, "b"'])
def test_who_has_the_bytes_is_told_so_and_gets_none(offered: Offered, form: str, method: str) -> None:
    for ranged in ({}, {"Range": "bytes=0-9"}):
        conditions = {"If-None-Match": form.format(offered.etag), **ranged}
        answer = offered.bench.fetch(offered.link, method, **conditions)
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["ETag"] == offered.etag


@pytest.mark.parametrize("other", ['"another"', 'W/"another"', "nonsense", '"a", "b"', '""'])
def test_who_has_other_bytes_gets_these(offered: Offered, other: str) -> None:
    answer = offered.bench.fetch(offered.link, **{"If-None-Match": other})
    assert (answer.status_code, answer.content) == (200, offered.content)


def test_if_match_gives_these_bytes_or_none(offered: Offered) -> None:
    for same in (offered.etag, "*", f'"a", {offered.etag}'):
        assert offered.bench.fetch(offered.link, **{"If-Match": same}).content == offered.content
    for other in ('"another"', f"W/{offered.etag}", '"a", "b"', ""):
        answer = offered.bench.fetch(offered.link, **{"If-Match": other, "Range": "bytes=0-9"})
        assert answer.status_code == 412, other
        assert das_codes(answer) == [-1000]


@pytest.mark.parametrize(
    "asked",
    [{}, {"Range": "bytes=10-19"}, {"Range": f"bytes={SIZE}-"}, {"Range": "bytes=0-1,3-4"}, {"If-Match": "*"}],
)
def test_head_is_the_whole_without_its_bytes_whatever_range_is_asked(offered: Offered, asked: dict[str, str]) -> None:
    told, whole = offered.bench.fetch(offered.link, "HEAD", **asked), offered.bench.fetch(offered.link)
    assert told.status_code == 200
    assert told.content == b""
    assert "Content-Range" not in told.headers
    varying = {"Date", "Connection"}
    assert {k: v for k, v in told.headers.items() if k not in varying} == {
        k: v for k, v in whole.headers.items() if k not in varying
    }


def test_one_line_carries_many_answers_of_every_kind(offered: Offered) -> None:
    fetch = offered.bench.fetch
    for _ in range(3):
        assert fetch(offered.link, Range="bytes=5-9").content == offered.content[5:10]
        assert fetch(offered.link, "HEAD", Range="bytes=5-9").status_code == 200
        assert fetch(offered.link, Range=f"bytes={SIZE}-").status_code == 416
        assert fetch(offered.link, **{"If-None-Match": "*"}).status_code == 304
        assert fetch(offered.link).content == offered.content


def test_parts_make_the_whole(offered: Offered) -> None:
    step = 70_001
    spans = [f"bytes={start}-{start + step - 1}" for start in range(0, SIZE, step)]
    parts = [offered.bench.fetch(offered.link, Range=span, **{"If-Range": offered.etag}).content for span in spans]
    assert hashlib.sha256(b"".join(parts)).digest() == hashlib.sha256(offered.content).digest()


def test_a_body_does_not_belong_to_a_download(offered: Offered) -> None:
    answer = offered.bench.line.request("GET", offered.link, data=b"{}", timeout=30)
    assert answer.status_code == 400
    assert das_codes(answer) == [-1000]
