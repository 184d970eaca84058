"""What comes in: who may reach the node and how often; a body is read whole, or it is refused."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit

import structlog
from werkzeug import Request
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge

from office_node import logs
from office_node.errors import OfficeNodeError
from office_node.network.addresses import Address
from office_node.network.callers import AddressRefused, Callers, Networks
from office_node.network.rate_limits import RateLimit, TooManyRequests

log = structlog.get_logger()

_TOLD_EVERY_SECONDS = 60
# A text of JSON, closed or not, or a bracket outside of one.
_TEXT_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


class ClientElsewhere(OfficeNodeError):
    """A client proved who it is, from an address that is none of its own."""

    code = "N417"
    owner = "caller"
    hint = "if it may call from there, add the network to its entry in [[authorization_server.clients]]"


class Ingress:
    """The gate before everything that the node answers.

    It tells the log whom it refuses: one line a minute for each address, whatever their number.
    """

    def __init__(
        self,
        *,
        allow: Networks,
        callers: Callers,
        per_address: RateLimit,
        per_client: RateLimit,
        client_networks: Mapping[str, Networks],
    ) -> None:
        """`client_networks` names only the clients that may not call from everywhere."""
        self._allow = allow
        self._callers = callers
        self._per_address = per_address
        self._per_client = per_client
        self._client_networks = client_networks
        self._refusals = logs.Repeats(_TOLD_EVERY_SECONDS)

    def admit(self, request: Request) -> None:
        """Let a request in by its address alone, before anything else of it is looked at.

        Raises `AddressRefused` or `TooManyRequests`.
        """
        try:
            address = self._address(request)
            if address not in self._allow:
                raise AddressRefused(f"{address} is in none of the allowed networks")
            self._per_address.count(_household(address))
        except (AddressRefused, TooManyRequests) as exc:
            self._tell("caller refused", exc)
            raise

    def is_stranger(self, peer: str) -> bool:
        """Whether the address of the line alone refuses every request that comes on it, so that none is waited for."""
        try:
            return self._callers.address(peer, None) not in self._allow
        except AddressRefused:  # a proxy of ours: for whom it speaks stands in the head
            return False

    def admit_client(self, request: Request, client_id: str, *, is_ours: bool = True) -> None:
        """Let a client in that has proven who it is. Raises `ClientElsewhere` or `TooManyRequests`.

        Only clients of our own server (`is_ours`) have networks: WIPO's may bear the name of one of them.
        """
        networks = self._client_networks.get(client_id) if is_ours else None
        if networks is not None and (address := self._address(request)) not in networks:
            raise ClientElsewhere(f"client {client_id} calls from {address}, outside its networks")
        try:
            self._per_client.count(client_id)
        except TooManyRequests as exc:
            self._tell("client refused", exc)
            raise

    def _address(self, request: Request) -> Address:
        return self._callers.address(request.remote_addr or "", request.environ.get("HTTP_X_FORWARDED_FOR"))

    def _tell(self, event: str, exc: OfficeNodeError) -> None:
        if times := self._refusals.due(exc.message):
            log.warning(event, code=exc.code, reason=exc.message, hint=exc.next_step, times=times)


def security_headers(public_url: str) -> dict[str, str]:
    """What every answer carries, whatever it answers: nothing of it is ever to be shown or run by a browser."""
    https_only = {"Strict-Transport-Security": "max-age=31536000"} if urlsplit(public_url).scheme == "https" else {}
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        **https_only,
    }


def refuse_broken_head(request: Request) -> None:
    """Raises `NotFound` for a path that begins with two slashes, `BadRequest` for HTTP/1.1 without a Host."""
    # Routing would take the second slash away, and whoever filters by path in front of us would not.
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and "HTTP_HOST" not in request.environ:
        raise BadRequest  # RFC 9112 3.2: MUST


def is_nested_deeper(json: bytes, most: int) -> bool:
    """Whether arrays and objects of this JSON stand in each other more than `most` deep."""
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(json):
        match found[0]:
            case b"{" | b"[":
                depth += 1
                if depth > most:
                    return True
            case b"}" | b"]":
                depth -= 1
    return False


def _household(address: Address) -> str:
    """Whose requests are counted together: an IPv6 caller has a whole /64 to choose addresses from (RFC 6177)."""
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))


def whole_body(request: Request) -> bytes:
    """The request's body. Werkzeug alone would end a chunked one at the limit, and a cut one where it was cut.

    Raises `RequestEntityTooLarge`, or `BadRequest` for a body that was cut.
    """
    body = request.get_data(cache=False)
    if len(body) == request.max_content_length and _more_comes(request):
        raise RequestEntityTooLarge
    if len(body) < (request.content_length or 0):
        raise BadRequest
    return body


def _more_comes(request: Request) -> bool:
    try:
        return bool(request.environ["wsgi.input"].read(1))
    except OSError:
        raise BadRequest from None
