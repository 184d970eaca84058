"""The one session through which the node calls out.

requests has no timeout, believes the environment's proxies and follows thirty redirects unless told otherwise;
here it has a timeout, believes nothing and follows nothing. It connects to what `Destinations` allows and nowhere else,
by the office's proxy if there is one. TLS 1.2 is the floor (protocol.md 2.7).
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

import requests
import urllib3

from office_node import clock
from office_node.errors import PeerUnavailable
from office_node.network import deadline, session, trust
from office_node.network.breaker import Breaker, watched
from office_node.network.destinations import DestinationRefused, Destinations

MOST_ANSWER_BYTES = 1_048_576
_SAFE = ("GET", "HEAD")
_BLOCK_BYTES = 65_536
_DOWNLOAD_BLOCK_BYTES = 1 << 18


class SizedBlocks(Protocol):
    """What is uploaded: its length in bytes, and its bytes block by block."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer said, read whole: never more than was allowed, never later than the deadline."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after_seconds(self) -> float | None:
        """Retry-After in seconds, given as seconds or as a date (RFC 9110 10.2.3)."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit() and len(value) < 8:
            return float(value)
        try:
            return max(0.0, (parsedate_to_datetime(value) - clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None


class Egress:
    """Calls out. One for a process; threads may share it.

    Raises `TrustUnusable` when `ca_file` cannot be used; it stands in place of the public CAs.
    """

    def __init__(
        self,
        destinations: Destinations,
        *,
        connect_seconds: float,
        read_seconds: float,
        total_seconds: float,
        user_agent: str,
        ca_file: Path | None = None,
        pool_size: int = 32,
        breaker: Breaker | None = None,
    ) -> None:
        self._destinations = destinations
        self._breaker = breaker
        self._timeout = (connect_seconds, read_seconds)
        self._total_seconds = total_seconds
        context = trust.tls_context(ca_file)
        self._session = session.new(destinations, context, user_agent=user_agent, pool_size=pool_size)

    def call(self, method: str, url: str, *, peer: str, most_bytes: int = MOST_ANSWER_BYTES, **request: Any) -> Answer:
        """The peer's answer, whatever its status. Raises `PeerUnavailable` when the line fails or time is up.

        Raises `DestinationRefused`, which is one, where the node may not call, and `HandshakeFailed` where TLS fails.
        `peer` is how the error names the other side: the URL may hold a secret and is never told. `total_seconds`
        bound all from the connection to the last byte; the system's name lookup, and a peer's further addresses when
        the first cannot be connected to (`connect_seconds` each), may come on top. `most_bytes` bound the answer.
        Raises `PeerRests` while the breaker keeps everybody away.
        """
        ends_at = time.monotonic() + self._total_seconds
        with (
            watched(self._breaker, peer) as call,
            _failures_told(peer, changes=method not in _SAFE),
            deadline.bounded(ends_at),
            self._asked(method, url, self._timeout, **request) as said,
        ):
            call.status = said.status_code
            return Answer(said.status_code, said.headers, _read(said, ends_at, peer, most_bytes))

    def upload(
        self, url: str, body: SizedBlocks, *, peer: str, stall_seconds: float, headers: Mapping[str, str]
    ) -> Answer:
        """PUT `body` and give the peer's answer; raises as `call`, and whatever `body` raises.

        No total time bounds it: it fails when nothing moves for `stall_seconds`. The error tells whether the line had
        carried anything before it was cut.
        """
        paced = _Paced(body, stall_seconds)
        timeout = (stall_seconds, stall_seconds)
        connected_by = time.monotonic() + self._timeout[0]
        try:
            with (
                watched(self._breaker, peer) as call,
                _failures_told(peer, changes=True),
                deadline.bounded(connected_by),
                self._unchanged("PUT", url, timeout, paced, headers) as said,
            ):
                call.status = said.status_code
                return Answer(said.status_code, said.headers, _read(said, math.inf, peer, MOST_ANSWER_BYTES))
        except PeerUnavailable as exc:
            exc.made_progress = paced.sent_bytes > 0
            raise

    @contextmanager
    def download(
        self, url: str, *, peer: str, stall_seconds: float, headers: Mapping[str, str]
    ) -> Iterator["Incoming"]:
        """GET `url` and give its answer while it comes; raises as `call`, also when it is read.

        No total time bounds it: it fails when nothing comes for `stall_seconds`.
        """
        timeout = (stall_seconds, stall_seconds)
        connected_by = time.monotonic() + self._timeout[0]
        with (
            watched(self._breaker, peer) as call,
            _failures_told(peer),
            deadline.bounded(connected_by),
            self._unchanged("GET", url, timeout, None, headers) as said,
        ):
            call.status = said.status_code
            deadline.extend(stall_seconds)
            yield Incoming(said, stall_seconds, peer)

    def _asked(self, method: str, url: str, timeout: tuple[float, float], **request: Any) -> requests.Response:
        proxies = self._destinations.proxies_for(self._destinations.judge(url))
        return self._session.request(
            method, url, timeout=timeout, allow_redirects=False, stream=True, proxies=proxies, **request
        )

    def _unchanged(
        self, method: str, url: str, timeout: tuple[float, float], body: "_Paced | None", headers: Mapping[str, str]
    ) -> requests.Response:
        """A presigned address is used as it was given (protocol.md E4): requests would put its path in order."""
        proxies = self._destinations.proxies_for(self._destinations.judge(url))
        prepared = self._session.prepare_request(requests.Request(method, url, data=body, headers=headers))
        prepared.url = url
        return self._session.send(prepared, timeout=timeout, allow_redirects=False, stream=True, proxies=proxies)


class Incoming:
    """An answer whose body is still to come."""

    def __init__(self, response: requests.Response, stall_seconds: float, peer: str) -> None:
        self._response = response
        self._stall_seconds = stall_seconds
        self._peer = peer
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def blocks(self) -> Iterator[bytes]:
        """The body as it comes, to its end. Raises `PeerUnavailable` when it is cut before."""
        with _failures_told(self._peer):
            while block := self._response.raw.read1(_DOWNLOAD_BLOCK_BYTES, decode_content=False):
                yield block
                deadline.extend(self._stall_seconds)

    def small_body(self) -> bytes:
        """Of an error: as much of it as it takes to read a reason."""
        with _failures_told(self._peer):
            return bytes(self._response.raw.read(_BLOCK_BYTES, decode_content=False) or b"")


class _Paced:
    """Blocks on their way out; each has its own time to go."""

    def __init__(self, body: SizedBlocks, stall_seconds: float) -> None:
        self._body = body
        self._stall_seconds = stall_seconds
        self.sent_bytes = 0

    def __len__(self) -> int:
        # From which requests takes Content-Length: a store takes no chunked body (protocol.md E4).
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._body:
            deadline.extend(self._stall_seconds)
            yield block
            self.sent_bytes += len(block)
        deadline.extend(self._stall_seconds)  # for the peer to say what it thinks of it


@contextmanager
def _failures_told(peer: str, *, changes: bool = False) -> Iterator[None]:
    """`changes`: what is asked for has an effect, which may have come before the line failed."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as exc:
        uncertain = changes and not _never_left(exc)
        what = f"{peer} did not answer in time"
        raise PeerUnavailable(what, needs_rest=True, may_have_happened=uncertain) from exc
    except requests.exceptions.SSLError as exc:
        raise trust.handshake_failed(peer, _innermost(exc)) from exc
    except requests.exceptions.ProxyError as exc:
        what = f"{peer} cannot be reached through the proxy: {_innermost(exc)}"
        raise PeerUnavailable(what, hint="check [egress] proxy, and what the proxy lets through") from exc
    except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
        uncertain = changes and not _never_left(exc)
        raise PeerUnavailable(f"{peer} cannot be reached: {_cause(exc)}", may_have_happened=uncertain) from exc
    except PeerUnavailable as exc:
        exc.may_have_happened = changes and not isinstance(exc, DestinationRefused)
        raise


def _never_left(exc: BaseException) -> bool:
    """Whether there was no connection yet."""
    unconnected = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(exc, requests.ConnectTimeout) or isinstance(_innermost(exc), unconnected)


def _read(response: requests.Response, ends_at: float, peer: str, most_bytes: int) -> bytes:
    body = bytearray()
    # read1 gives what has come; iter_content would wait for a whole block, past the deadline if bytes drip.
    while block := response.raw.read1(_BLOCK_BYTES, decode_content=True):
        body += block
        if len(body) > most_bytes:
            raise PeerUnavailable(f"{peer} sent more than {most_bytes} bytes")
        if time.monotonic() > ends_at:
            raise PeerUnavailable(f"{peer} did not finish its answer in time", needs_rest=True)
    return bytes(body)


def _cause(exc: BaseException) -> str:
    """The innermost reason, without the URL that the outer ones repeat."""
    return type(_innermost(exc)).__name__


def _innermost(exc: BaseException) -> BaseException:
    for inner in (getattr(exc, "original_error", None), getattr(exc, "reason", None), *exc.args[:1]):
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return exc
