"""The bytes of a download: conditions, ranges and the file itself, as RFC 9110 wants them and as fast as the disk.

The file is positioned here and handed to the server's `wsgi.file_wrapper`, which sends it with sendfile(2), a range as
fast as the whole; the framework's own range answers copy 8 KB at a time (measured: a sixth of the speed).
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from werkzeug import Request, Response
from werkzeug.http import parse_etags, parse_range_header
from werkzeug.wsgi import wrap_file

from office_node.das.error_codes import PreconditionFailed, RangeNotSatisfiable, TooManyDownloads
from office_node.library.catalogue import Version

_BLOCK_BYTES = 1 << 20
# Well-formed, and nobody has them (RFC 9110 14.1.2); Werkzeug would take it for malformed.
_LAST_NO_BYTES = re.compile(r"bytes *= *-0+ *")
_STALL_SECONDS = 60.0  # a reader that takes nothing for so long loses its place (reliability.md 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes to send: from `start` up to and without `stop`."""

    start: int
    stop: int
    is_part: bool = False
    from_the_end: bool = False
    """Asked for as "the last n bytes": says nothing about having the bytes before."""


class DownloadSlots:
    """How many downloads run at once in this process, so that slow readers never take the API's threads."""

    def __init__(self, count: int, per_client: int) -> None:
        self._count = count
        self._per_client = per_client
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, client_id: str) -> Callable[[], None]:
        """A slot for one of this client's downloads; call what is returned to give it back.

        Raises `TooManyDownloads` when none is free, or none for this client.
        """
        with self._lock:
            if self._running.total() >= self._count or self._running[client_id] >= self._per_client:
                raise TooManyDownloads("Too many downloads run at this moment")
            self._running[client_id] += 1
        return partial(self._give_back, client_id)

    def _give_back(self, client_id: str) -> None:
        with self._lock:
            self._running[client_id] -= 1


class SentFile:
    """A stretch of a file on its way out. Knows how far it got, and says so once when it is closed."""

    def __init__(self, file: BinaryIO, span: Span, on_close: Callable[[int], None]) -> None:
        self._file = file
        self._stop = span.stop
        self._reached = span.start
        self._on_close: Callable[[int], None] | None = on_close
        file.seek(span.start)

    def fileno(self) -> int:
        """For sendfile(2)."""
        return self._file.fileno()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Called by `socket.sendfile` when it ends, with the place it got to."""
        position = self._file.seek(offset, whence)
        self._reached = max(self._reached, position)
        return position

    def read(self, size: int = -1) -> bytes:
        """For servers that copy; never past the end of the stretch."""
        left = self._stop - self._file.tell()
        block = self._file.read(left if size < 0 else min(size, left))
        self._reached = max(self._reached, self._file.tell())
        return block

    def close(self) -> None:
        """Tell how far it got; closing twice tells once."""
        on_close, self._on_close = self._on_close, None
        if on_close:
            self._file.close()
            on_close(self._reached)


def headers(version: Version) -> dict[str, str]:
    """What every answer about a content carries."""
    digest = base64.b64encode(bytes.fromhex(version.sha256)).decode()
    return {
        "ETag": _etag(version),
        "Repr-Digest": f"sha-256=:{digest}:",  # RFC 9530
        "Accept-Ranges": "bytes",
        "Content-Type": version.file_format.media_type,
        "Content-Disposition": f'attachment; filename="{version.version_id}.{version.file_format}"',
    }


def is_unchanged(request: Request, version: Version) -> bool:
    """Whether the caller has these bytes already (304). Raises `PreconditionFailed` for an If-Match of others."""
    if_match = request.headers.get("If-Match")
    if if_match is not None and not parse_etags(if_match).contains(version.sha256):
        raise PreconditionFailed("The document is another version than If-Match names")
    if_none_match = request.headers.get("If-None-Match")
    return if_none_match is not None and parse_etags(if_none_match).contains_weak(version.sha256)


def choose_span(request: Request, version: Version) -> Span:
    """What to send. Several ranges, an unknown unit, a malformed range or a failed If-Range mean the whole
    (RFC 9110 14.2).

    Raises `RangeNotSatisfiable`.
    """
    whole = Span(0, version.size)
    if request.method != "GET" or request.headers.get("If-Range", _etag(version)).strip() != _etag(version):
        return whole
    sent = request.headers.get("Range", "")
    if _LAST_NO_BYTES.fullmatch(sent):
        raise RangeNotSatisfiable(version.size)
    asked = parse_range_header(sent, make_inclusive=False)
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return whole
    first, stop = asked.ranges[0]
    if first >= version.size:
        raise RangeNotSatisfiable(version.size)
    if first < 0:  # the last bytes; more of them than there are means all (RFC 9110 14.1.2)
        return Span(max(0, version.size + first), version.size, is_part=True, from_the_end=True)
    return Span(first, min(stop or version.size, version.size), is_part=True)


def answer(request: Request, version: Version, span: Span, sent: SentFile | None) -> Response:
    """The answer for `span`; without `sent` only its head."""
    environ: dict[str, Any] = dict(request.environ)
    body = wrap_file(environ, sent, _BLOCK_BYTES) if sent else ()  # type: ignore[arg-type]  # SentFile is file enough
    response = Response(body, status=206 if span.is_part else 200, headers=headers(version), direct_passthrough=True)
    response.headers["Content-Length"] = str(span.stop - span.start)
    if span.is_part:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{version.size}"
    if "gunicorn.socket" in environ:
        environ["gunicorn.socket"].settimeout(_STALL_SECONDS)
    return response


def may_be_handed_over(request: Request) -> bool:
    """Whether a proxy that sends the file judges as we do what the caller asks for.

    nginx holds If-Match and If-Unmodified-Since against marks of its own; a head without bytes is soon sent.
    """
    return request.method == "GET" and not ({"If-Match", "If-Unmodified-Since"} & set(request.headers.keys()))


def handed_over(version: Version, internal_path: str) -> Response:
    """Tells the proxy which file to send, range and all; it keeps what we say of the content."""
    told = {**headers(version), "X-Accel-Redirect": internal_path}
    del told["Accept-Ranges"]  # the proxy's own word; nginx would say it twice
    return Response(headers=told)


def _etag(version: Version) -> str:
    return f'"{version.sha256}"'
