"""An honest request is answered alike however the line cuts it, in clear and over TLS; and so is the one behind it."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.end_to_end.served import JWKS, line_to, read_answer, serve
from tests.off_retrievals.wire import chunked
from tests.office import Office, make_office

MOST = 4096
FORM = b"grant_type=client_credentials&scope=a"


def _post(body: bytes, framing: str, path: str = "/oauth2/access_token") -> bytes:
    kind = "Content-Type: application/x-www-form-urlencoded"
    return f"POST {path} HTTP/1.1\r\nHost: office\r\n{kind}\r\n{framing}\r\n\r\n".encode() + body


REQUESTS = {
    "a call": JWKS,
    "a call with a long head": JWKS[:-2] + b"".join(b"X-%d: %b\r\n" % (n, b"a" * 16_000) for n in range(2)) + b"\r\n",
    "a body": _post(FORM, f"Content-Length: {len(FORM)}"),
    "a body in chunks": _post(chunked(FORM, 3), "Transfer-Encoding: chunked"),
    "an unread body": _post(FORM, f"Content-Length: {len(FORM)}", "/nowhere"),
    "unread chunks": _post(chunked(FORM, 7), "Transfer-Encoding: chunked", "/nowhere"),
}


@pytest.fixture(scope="module", params=["in clear", "over TLS"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys_folder: Path
) -> Iterator[tuple[Office, bool]]:
    """An office whose web processes answer, and whether over TLS."""
    tls = request.param == "over TLS"
    with ExitStack() as stack:

        def new(overrides: dict[str, dict[str, object]]) -> Office:
            overrides["authorization_server"] = {"max_body_bytes": MOST}
            office = make_office(tmp_path_factory.mktemp("pieces"), keys_folder, None, overrides)
            stack.callback(office.close)
            return office

        yield serve(new, tls=tls, workers=1, receive_seconds=60, max_body_bytes=MOST), tls


def _say(place: tuple[Office, bool], pieces: list[bytes], answers: int) -> list[tuple[int, bytes]]:
    office, tls = place
    with line_to(office, tls=tls) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(0.001)  # so that it is a piece on the way too
        return [read_answer(line) for _ in range(answers)]


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(list(REQUESTS)), min_size=1, max_size=4), st.data())
def test_cut_anywhere_requests_are_answered_as_if_whole(
    place: tuple[Office, bool], names: list[str], data: st.DataObject
) -> None:
    whole = [_say(place, [REQUESTS[name]], 1)[0] for name in names]
    pipelined = b"".join(REQUESTS[name] for name in names)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(pipelined) - 1), max_size=12)))
    pieces = [pipelined[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(pipelined)], strict=True)]
    assert _say(place, pieces, len(names)) == whole


@pytest.mark.parametrize("name", ["a call", "a body", "a body in chunks"])
def test_byte_by_byte_it_is_answered_too(place: tuple[Office, bool], name: str) -> None:
    request = REQUESTS[name]
    assert _say(place, [bytes([byte]) for byte in request], 1) == _say(place, [request], 1)


def test_a_kept_line_serves_many_requests(place: tuple[Office, bool]) -> None:
    office, tls = place
    with line_to(office, tls=tls) as line:
        for _ in range(30):
            for request in REQUESTS.values():
                line.sendall(request)
                assert read_answer(line)[0] in {200, 400, 401, 404, 431}


@pytest.mark.parametrize(("size", "refused"), [(MOST, False), (MOST + 1, True)])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_may_be_as_large_as_the_settings_say(
    place: tuple[Office, bool], size: int, refused: bool, in_chunks: bool
) -> None:
    body = FORM + b"&a=" + b"a" * (size - len(FORM) - 3)
    coded = (chunked(body, 50), "Transfer-Encoding: chunked") if in_chunks else (body, f"Content-Length: {size}")
    [(status, _)] = _say(place, [_post(*coded)], 1)
    assert status == (413 if refused else 401)


def test_curl_is_told_to_go_on(place: tuple[Office, bool], tmp_path: Path) -> None:
    office, tls = place
    form = tmp_path / "form"
    form.write_bytes(b"a=" + b"b" * 3000)
    url = office.url.replace("http:", "https:") if tls else office.url
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("curl is not there")
    command = [curl, "-sv", "--http1.1", "--expect100-timeout", "60", "-H", "Expect: 100-continue"]
    trusted = ["--cacert", str(office.folder / "tls.pem")] if tls else []
    command += [*trusted, "--data-binary", f"@{form}", f"{url}/oauth2/access_token"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stderr
    assert said.count("< HTTP/1.1 100 Continue") == 1
    assert said.count("< HTTP/1.1 ") == 2


def test_who_is_refused_is_not_told_to_go_on(place: tuple[Office, bool]) -> None:
    office, tls = place
    with line_to(office, tls=tls) as line:
        line.sendall(_post(b"", "Content-Length: 100000\r\nExpect: 100-continue"))
        assert read_answer(line)[0] == 413
        assert line.recv(1) == b""


def test_half_a_request_and_no_more_is_no_request(place: tuple[Office, bool]) -> None:
    office, tls = place
    before = office.told("answered")
    with line_to(office, tls=tls) as line:
        line.sendall(JWKS[:-1])
        if not isinstance(line, ssl.SSLSocket):
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b""
    assert _say(place, [JWKS], 1)[0][0] == 200
    assert office.told("answered") == before + 1
