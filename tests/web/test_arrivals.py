"""When a request is due: exactly when its last byte came, however the bytes were cut on the way."""

from collections.abc import Iterable

import pytest
from gunicorn.http import errors as http_errors
from hypothesis import given
from hypothesis import strategies as st

from office_node.web.arrivals import MOST_HEAD_BYTES, Arrival, CutShort

MOST_BODY = 1000

lines = st.lists(
    st.tuples(st.from_regex(r"X-[A-Za-z0-9]{1,10}", fullmatch=True), st.from_regex(r"[!-~]{0,40}", fullmatch=True)),
    max_size=5,
)
bodies = st.binary(max_size=MOST_BODY)


def _head(extra: Iterable[tuple[str, str]], framing: str) -> bytes:
    told = "".join(f"{name}: {value}\r\n" for name, value in extra)
    return f"POST /a HTTP/1.1\r\nHost: a\r\n{told}{framing}\r\n".encode()


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """An honest request, whole."""
    extra, body = draw(lines), draw(bodies)
    match draw(st.sampled_from(["none", "length", "chunked"])):
        case "none":
            return _head(extra, "")
        case "length":
            name = draw(st.sampled_from(["Content-Length", "content-length", "CONTENT-LENGTH"]))
            return _head(extra, f"{name}:{draw(st.sampled_from(['', ' ', '  ']))}{len(body)}\r\n") + body
        case _:
            chunks = b""
            while body:
                size = draw(st.integers(1, len(body)))
                end = draw(st.sampled_from([b"", b";a=b", b" ;c"]))
                chunks += b"%x%b\r\n%b\r\n" % (size, end, body[:size])
                body = body[size:]
            trailer = draw(st.sampled_from([b"", b"X-T: a\r\n", b"X-T: a\r\nX-U: b\r\n"]))
            return _head(extra, "Transfer-Encoding: Chunked\r\n") + chunks + b"0\r\n" + trailer + b"\r\n"


@given(requests(), st.data())
def test_a_request_is_due_with_its_last_byte_and_not_before(request: bytes, data: st.DataObject) -> None:
    arrival = Arrival(MOST_BODY)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(request) - 1), max_size=20)))
    for start, stop in zip([0, *cuts], cuts, strict=False):
        arrival.received += request[start:stop]
        assert not arrival.is_due()
    arrival.received += request[cuts[-1] if cuts else 0 :]
    assert arrival.is_due()
    assert not arrival.is_cut


@given(requests(), requests())
def test_what_follows_a_request_does_not_hold_it_up(request: bytes, following: bytes) -> None:
    arrival = Arrival(MOST_BODY, request + following)
    assert arrival.is_due()
    assert not arrival.is_cut


@given(st.binary(max_size=3000), st.booleans())
def test_no_bytes_at_all_break_the_look(noise: bytes, after_head: bool) -> None:
    arrival = Arrival(MOST_BODY, _head((), "Transfer-Encoding: chunked\r\n") if after_head else b"")
    for byte in noise:
        arrival.received.append(byte)
        if arrival.is_due():
            break


HOPELESS = {
    "a head without end": b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES,
    "a bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "a body too large": _head((), "Content-Length: 1001\r\n"),
    "a length of 5000 digits": _head((), f"Content-Length: {'9' * 5000}\r\n"),
    "a length that is none": _head((), "Content-Length: 1_0\r\n"),
    "two lengths": _head((), "Content-Length: 2\r\nContent-Length: 3\r\n"),
    "a length and chunks": _head((), "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
    "two codings": _head((), "Transfer-Encoding: gzip, chunked\r\n"),
    "a chunk size that is none": _head((), "Transfer-Encoding: chunked\r\n") + b"x\r\n",
    "a negative chunk size": _head((), "Transfer-Encoding: chunked\r\n") + b"-1\r\n",
    "a chunk line without end": _head((), "Transfer-Encoding: chunked\r\n") + b"1;" + b"a" * 20_000,
    "chunks too large": _head((), "Transfer-Encoding: chunked\r\n") + b"fffff\r\n" + b"a" * 1001,
    "a trailer without end": _head((), "Transfer-Encoding: chunked\r\n") + b"0\r\nX: " + b"a" * MOST_HEAD_BYTES,
}


@pytest.mark.parametrize("start", HOPELESS.values(), ids=HOPELESS)
def test_what_cannot_become_a_request_is_not_waited_for(start: bytes) -> None:
    arrival = Arrival(MOST_BODY, start)
    assert arrival.is_due()
    assert arrival.is_cut


def test_the_body_of_a_stranger_is_not_waited_for_but_its_head_is() -> None:
    head = _head((), "Content-Length: 2\r\nExpect: 100-continue\r\n")
    arrival = Arrival(MOST_BODY, head[:-1], of_stranger=True)
    assert not arrival.is_due()
    arrival.received += head[-1:]
    assert arrival.is_due()
    assert arrival.is_cut
    assert not arrival.wants_continue


def test_what_lacks_is_told_as_what_it_is() -> None:
    endless = Arrival(MOST_BODY, HOPELESS["a head without end"])
    large = Arrival(MOST_BODY, HOPELESS["chunks too large"])
    assert endless.is_due()
    assert large.is_due()
    assert isinstance(endless.shortage(), http_errors.LimitRequestHeaders)
    assert isinstance(large.shortage(), CutShort)


@pytest.mark.parametrize(("version", "come", "wants"), [("1.1", b"", True), ("1.0", b"", False), ("1.1", b"a", False)])
def test_who_asks_whether_to_go_on_is_told_unless_it_has_gone_on(version: str, come: bytes, wants: bool) -> None:
    head = f"POST /a HTTP/{version}\r\nHost: a\r\nContent-Length: 2\r\nexpect: 100-Continue\r\n\r\n".encode()
    arrival = Arrival(MOST_BODY, head + come)
    assert not arrival.is_due()
    assert arrival.wants_continue is wants
