"""The shipped nginx.conf in front of a node: exchanges over TLS, downloads sent by nginx, nothing told to logs."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import ECKey

from office_node.rehearsal.operator import Operator
from office_node.settings import API_SCOPE
from office_node.wiring.node import build_node
from tests.end_to_end.nginx import NGINX, Nginx, start_nginx
from tests.office import WANTED, Office, eventually, free_port, make_office, pdf, secrets_in

pytestmark = pytest.mark.skipif(not NGINX, reason="needs nginx: apt-get install nginx-light")


@dataclass(frozen=True, slots=True)
class Served:
    """An office behind nginx, one document, and a link to it."""

    office: Office
    nginx: Nginx
    wipo: Operator
    acknowledgement_id: str
    content: bytes
    link: str

    def fetch(self, method: str = "GET", **headers: str) -> requests.Response:
        plain = {"Accept-Encoding": "identity", **headers}
        return self.wipo.http.request(method, self.link, headers=plain, timeout=30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Served]:
    port = free_port()
    web = {"public_url": f"https://127.0.0.1:{port}", "accel_redirect": "/_library"}
    # Only what lies there plain can be sent by nginx; the highly confidential stays with the node.
    library = {"encrypt": ["highly_confidential"]}
    overrides: dict[str, dict[str, Any]] = {"web": web, "ingress": {"trusted_proxies": 1}, "library": library}
    office = make_office(tmp_path_factory.mktemp("behind"), keys_folder, None, overrides)
    office.upgrade()
    office.start("web")
    office.start("worker")
    settings = office.settings()
    content = office.add_document(pdf(5_000_000))
    nginx = start_nginx(office.folder / "nginx", port, settings.web.listen, settings.library.store)
    wipo = operator(office, nginx)
    eventually(lambda: wipo.ask_token(wipo.assertion()).ok)
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(lambda: wipo.locate(WANTED, acknowledgement_id).ok)
    link = wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"]
    yield Served(office, nginx, wipo, acknowledgement_id, content, link)
    wipo.http.close()
    nginx.stop()
    office.close()


def operator(office: Office, nginx: Nginx) -> Operator:
    key = ECKey.import_key((office.folder / "keys" / "rehearsal_wipo.pem").read_bytes())
    made = Operator(office_url=nginx.url, client_id="wipo-das", key=key, scope=API_SCOPE)
    made.http.verify = str(nginx.certificate)
    return made


def test_a_document_travels_whole_and_resumed(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "document"
    target.write_bytes(served.content[:1_234_567])
    sent_by_the_node = served.office.told("download ended")
    assert served.wipo.download(served.link, target) == (
        hashlib.sha256(served.content).hexdigest(),
        len(served.content),
    )
    assert target.read_bytes() == served.content
    assert served.fetch().content == served.content
    assert served.office.told("download handed to the proxy") >= 2
    assert served.office.told("download ended") == sent_by_the_node
    again = served.wipo.forward(WANTED).json()["requestAckId"]
    assert again == served.acknowledgement_id, "the request is open still: nobody saw the last byte"


def test_what_nginx_sends_carries_every_header_of_the_node(served: Served) -> None:
    digest = hashlib.sha256(served.content).digest()
    told = served.fetch().headers
    assert told["ETag"] == f'"{digest.hex()}"'
    assert told["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    assert (told["Content-Type"], told["Accept-Ranges"]) == ("application/pdf", "bytes")
    assert told["Content-Length"] == str(len(served.content))
    assert "Last-Modified" not in told
    parts = urlsplit(served.link)
    plain = f"http://{served.office.settings().web.listen}{parts.path}?{parts.query}"
    forwarded = {"Host": parts.netloc, "X-Forwarded-For": "127.0.0.1"}
    own = dict(requests.get(plain, headers=forwarded, timeout=30).headers)
    assert own.pop("X-Accel-Redirect").startswith("/_library/")
    assert {name.lower() for name in own} <= {name.lower() for name in told}
    changing = {"date", "server", "connection", "content-length"}
    assert {name: told[name] for name in own if name.lower() not in changing} == {
        name: value for name, value in own.items() if name.lower() not in changing
    }


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=4999999-", 206, 4_999_999, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_ranges_are_those_of_the_node(served: Served, asked: str, status: int, start: int, stop: int | None) -> None:
    answer = served.fetch(Range=asked)
    assert (answer.status_code, answer.content) == (status, served.content[start:stop])
    assert "Repr-Digest" in answer.headers


def test_a_range_beyond_the_end_is_refused_in_the_shape_of_the_node(served: Served) -> None:
    answer = served.fetch(Range="bytes=9999999-")
    assert (answer.status_code, answer.headers["Content-Type"]) == (416, "application/json")


def test_conditions_are_held_against_the_marks_of_the_node(served: Served) -> None:
    etag = f'"{hashlib.sha256(served.content).hexdigest()}"'
    part = {"Range": "bytes=0-9"}
    assert served.fetch(**part, **{"If-Range": etag}).content == served.content[:10]
    assert served.fetch(**part, **{"If-Range": '"other"'}).content == served.content
    assert served.fetch(**part, **{"If-Range": "Thu, 01 Jan 2099 00:00:00 GMT"}).content == served.content
    assert served.fetch(**{"If-None-Match": etag}).status_code == 304
    assert served.fetch(**{"If-None-Match": '"other"'}).content == served.content
    # These two the node answers itself; only a part, or it would see the last byte sent and call it downloaded.
    assert served.fetch(**part, **{"If-Match": etag}).content == served.content[:10]
    assert served.fetch(**{"If-Match": '"other"'}).status_code == 412
    assert served.fetch(**{"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}).status_code == 200
    assert served.fetch(**part, **{"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}).status_code == 206
    head = served.fetch("HEAD")
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", etag)
    assert head.headers["Content-Length"] == str(len(served.content))


def test_the_library_cannot_be_reached_from_outside(served: Served) -> None:
    [place] = [path.relative_to(served.office.settings().library.store) for path in _kept(served.office)]
    for path in (
        f"/_library/{place}",
        f"//_library/{place}",
        f"/das/v1/downloads/%2e%2e/%2e%2e/%2e%2e/_library/{place}",
    ):
        answer = served.wipo.http.get(f"{served.nginx.url}{path}", timeout=30)
        assert (answer.status_code, served.content[:100] in answer.content) == (404, False), path
    changed = served.wipo.http.get(served.link[:-1], timeout=30)
    assert changed.status_code == 403


def test_no_log_holds_a_link_or_a_token_whatever_fails(served: Served) -> None:
    signature = parse_qs(urlsplit(served.link).query)["signature"][0]
    [file] = _kept(served.office)
    served.fetch()
    served.fetch(Range="bytes=x")
    hidden = file.rename(file.with_suffix(".away"))
    assert served.fetch().status_code == 503
    hidden.rename(file)
    [web, _] = served.office.processes
    web.terminate()
    web.wait(60)
    assert served.fetch().status_code == 502
    assert served.wipo.status(served.acknowledgement_id).status_code == 502
    logs = served.nginx.logs()
    assert '"path": "/das/v1/downloads/' in logs
    assert "connect() failed" in logs, "of the call that carries no secret in its address"
    assert signature not in logs + served.office.log_file.read_text()
    assert secrets_in(logs) == []
    served.office.processes.remove(web)
    served.office.start("web")
    eventually(lambda: served.fetch().ok)


def _kept(office: Office) -> list[Path]:
    node = build_node(office.settings())
    store = office.settings().library.store
    names = list(node.store.names())
    node.database.close()
    return [store / name[:2] / name for name in names]
