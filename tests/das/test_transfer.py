"""Contents on their way to the store: as the catalogue has them, to the address that was given, or not at all."""

import hashlib
import io
from collections.abc import Iterator

import pytest

from office_node.das.transfer import Content, ContentChanged, LinkExpired, Transfers
from office_node.errors import PeerRefused, PeerUnavailable
from office_node.network.destinations import Destinations
from office_node.network.egress import Egress
from tests.peer import Peer, Says, listening_peer

BYTES = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def store() -> Iterator[Peer]:
    with listening_peer() as peer:
        yield peer


@pytest.fixture
def transfers(store: Peer) -> Transfers:
    destinations = Destinations([store.url])
    egress = Egress(destinations, connect_seconds=2, read_seconds=2, total_seconds=4, user_agent="office-node/test")
    return Transfers(egress, stall_seconds=2)


def _content(of: bytes = BYTES, *, size: int = len(BYTES), sha256: str = DIGEST) -> Content:
    return Content(io.BytesIO(of), size, sha256)


def test_the_bytes_go_as_they_are_with_their_length_and_type_and_no_token(transfers: Transfers, store: Peer) -> None:
    transfers.upload(f"{store.url}/key?X-Amz-Signature=a%2fb%7E", _content(), "application/pdf")
    [heard] = store.heard
    assert (heard.method, heard.body) == ("PUT", BYTES)
    assert heard.headers["Content-Type"] == "application/pdf"
    assert heard.headers["Content-Length"] == str(len(BYTES))
    assert {"Authorization", "Transfer-Encoding"} & heard.headers.keys() == set()


def test_an_address_is_used_as_it_was_given(transfers: Transfers, store: Peer) -> None:
    transfers.upload(f"{store.url}/a/./b/../key?signature=x", _content(), "application/pdf")
    assert store.heard[0].path == "/a/./b/../key?signature=x"


@pytest.mark.parametrize("changed", [BYTES[:-1] + b"!", b"!" + BYTES[1:]], ids=["last byte", "first byte"])
def test_a_file_that_is_not_the_catalogues_is_never_complete_at_wipo(
    transfers: Transfers, store: Peer, changed: bytes
) -> None:
    with pytest.raises(ContentChanged, match="digest"):
        transfers.upload(f"{store.url}/key", _content(changed), "application/pdf")
    assert [heard for heard in store.heard if len(heard.body) == len(BYTES)] == []


def test_a_file_that_is_shorter_than_the_catalogue_says_is_not_sent_whole(transfers: Transfers, store: Peer) -> None:
    with pytest.raises(ContentChanged, match="shorter"):
        transfers.upload(f"{store.url}/key", _content(BYTES[:1000]), "application/pdf")


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (403, "<Error><Code>AccessDenied</Code></Error>", LinkExpired),
        (400, "<Error><Code>ExpiredToken</Code></Error>", LinkExpired),
        (400, "<Error><Code>RequestTimeout</Code></Error>", PeerUnavailable),
        (400, "<Error><Code>EntityTooLarge</Code></Error>", PeerRefused),
        (404, "<html>no such page</html>", PeerUnavailable),
        (500, "", PeerUnavailable),
        (302, "", PeerUnavailable),
    ],
)
def test_what_the_store_answers_is_sorted(
    transfers: Transfers, store: Peer, status: int, body: str, failure: type[Exception]
) -> None:
    store.will_say(Says(status, body))
    with pytest.raises(failure) as raised:
        transfers.upload(f"{store.url}/key?signature=secret", _content(), "application/pdf")
    assert type(raised.value) is failure
    assert "secret" not in str(raised.value)
