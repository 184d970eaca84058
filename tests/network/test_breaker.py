"""A peer that fails again and again is left alone: what counts as its failure, and what does not."""

import socket
from collections.abc import Iterator

import pytest

from office_node.errors import PeerUnavailable
from office_node.network.breaker import PeerRests
from office_node.network.destinations import DestinationRefused, Destinations
from office_node.network.egress import Egress
from tests.office import free_port
from tests.peer import Peer, Says, listening_peer


class Counting:
    """A breaker that only counts; it opens when it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.seconds = 0.0

    def look(self, name: str) -> tuple[float, bool]:
        return self.seconds, True

    def answered(self, name: str) -> None:
        self.heard.append((name, "answered"))

    def failed(self, name: str) -> bool:
        self.heard.append((name, "failed"))
        return False


@pytest.fixture
def peer() -> Iterator[Peer]:
    with listening_peer() as listening:
        yield listening


def egress(breaker: Counting, *urls: str) -> Egress:
    return Egress(
        Destinations(urls), connect_seconds=2, read_seconds=1, total_seconds=2, user_agent="t", breaker=breaker
    )


@pytest.mark.parametrize(
    ("status", "what"),
    [
        *((status, "answered") for status in (200, 204, 404, 401, 429)),
        *((status, "failed") for status in (500, 502, 503, 504)),
    ],
)
def test_a_status_of_500_and_above_is_a_failure_and_any_other_is_none(peer: Peer, status: int, what: str) -> None:
    breaker = Counting()
    peer.will_say(Says(status))
    assert egress(breaker, peer.url).call("GET", peer.url, peer="WIPO").status == status
    assert breaker.heard == [("WIPO", what)]


def test_a_line_that_cannot_be_had_is_a_failure_and_never_left() -> None:
    breaker, nobody = Counting(), f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PeerUnavailable) as raised:
        egress(breaker, nobody).call("POST", nobody, peer="WIPO")
    assert breaker.heard == [("WIPO", "failed")]
    assert not raised.value.may_have_happened


def test_a_place_where_the_node_may_not_call_is_no_failure_of_the_peer(peer: Peer) -> None:
    breaker = Counting()
    with pytest.raises(DestinationRefused):
        egress(breaker, peer.url).call("GET", "https://elsewhere.example.com/", peer="WIPO")
    assert breaker.heard == []


def test_while_it_rests_nothing_is_called_and_it_costs_nothing(peer: Peer) -> None:
    breaker = Counting()
    breaker.seconds = 42.0
    with pytest.raises(PeerRests, match="N613 WIPO failed several times in a row and is left alone") as raised:
        egress(breaker, peer.url).call("POST", peer.url, peer="WIPO")
    assert raised.value.retry_after_seconds == 42
    assert (peer.heard, breaker.heard) == ([], [])


@pytest.mark.parametrize(("method", "uncertain"), [("POST", True), ("PUT", True), ("DELETE", True), ("GET", False)])
def test_an_answer_that_never_comes_leaves_an_effect_uncertain(method: str, uncertain: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(PeerUnavailable) as raised:
            egress(Counting(), url).call(method, url, peer="WIPO")
    assert raised.value.may_have_happened is uncertain
    assert raised.value.needs_rest
