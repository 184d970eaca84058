"""What has come of a request, and whether enough has come to give it a thread.

A thread that waits for a caller's bytes serves nobody: with gunicorn's own worker, as many callers as there are
threads, each sending a byte a second, silence the API. So bytes are gathered without a thread, and a look at them says
when the request stands there whole. The look decides when gunicorn's parser is asked, never what it says: the parser
reads the same bytes from their beginning, and its verdict alone counts. Should the two ever differ, the parser finds
too few bytes, and the request is refused, or too many, and the next request begins where the parser ended.
"""

import re
from collections.abc import Callable
from functools import partial

from gunicorn.http import errors as http_errors

MOST_HEAD_BYTES = 65_536  # four of the longest lines that the parser takes; WIPO's tokens have 5 KB
_MOST_CHUNK_LINE_BYTES = 16_384
_BYTES_OF_A_ONE_BYTE_CHUNK = 6
_END = b"\r\n\r\n"
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding|expect):([^\r\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")


class CutShort(http_errors.ParseException):  # type: ignore[misc]  # gunicorn ships no types
    """More of the body would have to come, and nobody waits for it."""


class Arrival:
    """The bytes of a connection's next request, as far as they came; perhaps some of the one behind it."""

    def __init__(self, most_body_bytes: int, received: bytes = b"", *, of_stranger: bool = False) -> None:
        """The body of a stranger, whom the application refuses for its address, is not waited for."""
        self.received = bytearray(received)
        self.is_cut = False
        """Due without being whole: where the next request begins is unknown, so there is none."""
        self.wants_continue = False
        """The caller waits for `100 Continue` before it sends the body."""
        self._most_body_bytes = most_body_bytes
        self._of_stranger = of_stranger
        self._at = 0  # up to here it was looked at
        self._body_bytes = 0  # of the chunks that began
        self._look: Callable[[], bool] = self._find_head

    def is_due(self) -> bool:
        """Whether the request is whole, or nothing that could still come would save it."""
        return self._look()

    @property
    def has_head(self) -> bool:
        """Whether the head is whole."""
        return self._look != self._find_head

    def shortage(self) -> Exception:
        """What the parser is told when it wants more than came."""
        if not self.has_head:
            return http_errors.LimitRequestHeaders("head too large")  # type: ignore[no-any-return]
        return CutShort("cut")

    def _find_head(self) -> bool:
        end = self.received.find(_END, max(0, self._at - 3))
        if end < 0:
            bare = _BARE_LINE_FEED.search(self.received, max(0, self._at - 1))  # the parser refuses it at once
            self._at = len(self.received)
            return self._cut_if(bare is not None or self._at > MOST_HEAD_BYTES)
        self._at = end + len(_END)
        self._look = self._frame(bytes(self.received[: end + 2]))
        return self._look()

    def _frame(self, head: bytes) -> Callable[[], bool]:
        """How to look for the end of the body that this head announces."""
        told: dict[bytes, list[bytes]] = {b"content-length": [], b"transfer-encoding": [], b"expect": []}
        for name, value in _FRAMING.findall(head):
            told[name.lower()].append(value.strip(b" \t").lower())
        match told[b"content-length"], told[b"transfer-encoding"]:
            case [], []:
                return partial(self._has, self._at)
            case [length], [] if _LENGTH.fullmatch(length) and int(length) <= self._most_body_bytes:
                look: Callable[[], bool] = partial(self._has, self._at + int(length))
            case [], [b"chunked"]:
                look = self._walk_chunks
            case _:  # refused for its head alone: 400 or 413
                return partial(self._cut_if, True)
        if self._of_stranger:
            return partial(self._cut_if, True)
        is_new = head.partition(b"\r\n")[0].endswith(b" HTTP/1.1")  # older ones must not be told (RFC 9110 10.1.1)
        self.wants_continue = is_new and told[b"expect"] == [b"100-continue"] and len(self.received) == self._at
        return look

    def _walk_chunks(self) -> bool:
        while self._at < len(self.received):
            line_end = self.received.find(b"\r\n", self._at)
            if line_end < 0:
                return self._cut_if(len(self.received) - self._at > _MOST_CHUNK_LINE_BYTES)
            size = _CHUNK_SIZE.fullmatch(self.received[self._at : line_end].partition(b";")[0].rstrip(b" \t"))
            if size is None:
                return self._cut_if(True)
            length = int(size.group(), 16)
            if length == 0:
                self._at = line_end
                self._look = self._find_trailer_end
                return self._look()
            self._body_bytes += length
            self._at = line_end + 2 + length + 2
            if (excess := self._body_bytes - self._most_body_bytes) > 0:  # one byte too many is enough for a 413
                self._look = partial(self._has, self._at - 2 - excess + 1, cut=True)
                return self._look()
        return self._cut_if(len(self.received) > MOST_HEAD_BYTES + _BYTES_OF_A_ONE_BYTE_CHUNK * self._most_body_bytes)

    def _find_trailer_end(self) -> bool:
        end = self.received.find(_END, self._at)
        if end >= 0:
            return True
        return self._cut_if(len(self.received) - self._at > MOST_HEAD_BYTES)

    def _has(self, count: int, *, cut: bool = False) -> bool:
        if len(self.received) < count:
            return False
        self.is_cut = self.is_cut or cut
        return True

    def _cut_if(self, hopeless: bool) -> bool:
        self.is_cut = self.is_cut or hopeless
        return hopeless
