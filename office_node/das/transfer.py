"""The bytes of a document on their way to WIPO's object store (E4) and from it (E15): streamed, never in memory."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar

from office_node.errors import OfficeNodeError, Owner, PeerRefused, PeerUnavailable
from office_node.network.egress import Answer, Egress, Incoming

_PEER = "WIPO's object store"
_BLOCK_BYTES = 1 << 17  # each has the stall time to go: small, so that a slow line is not taken for a dead one
_PASSING = (408, 409, 425, 429)
_EXPIRED = ("ExpiredToken", "RequestExpired", "TokenRefreshRequired")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})")
_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')
_REPR_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]{44}):")
_STORE_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,60})</Code>")


class LinkExpired(PeerUnavailable):
    """The store does not take the address any more: a new one is to be asked for (E3)."""

    code = "N609"
    owner: ClassVar[Owner] = "WIPO"


class ContentChanged(OfficeNodeError):
    """What was read for the upload is not what the catalogue says. The last bytes were held back: nothing is complete
    at WIPO."""

    code = "N317"
    hint = "run `office-node library verify` and restore the file from the backup"


@dataclass
class Content:
    """A file of known size and SHA-256, block by block; `half_way` is called once in the middle."""

    file: BinaryIO
    size: int
    sha256: str
    half_way: Callable[[], None] = field(default=lambda: None)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), self.size
        while left and (block := self._read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            crosses = left > self.size // 2 >= left - len(block)
            left -= len(block)
            if not left and digest.hexdigest() != self.sha256:
                raise ContentChanged("the file does not have the digest of the catalogue")
            yield block
            if crosses:
                self.half_way()
        if left:
            raise ContentChanged("the file is shorter than the catalogue says")

    def _read(self, count: int) -> bytes:
        try:
            return self.file.read(count)
        except OSError as exc:  # ours, and not to be taken for the line's
            raise ContentChanged(f"the file cannot be read: {exc.strerror}") from exc


class Transfers:
    """Carries contents to presigned addresses."""

    def __init__(self, egress: Egress, stall_seconds: float) -> None:
        self._egress = egress
        self._stall_seconds = stall_seconds

    def upload(self, url: str, content: Content, media_type: str) -> None:
        """PUT `content` to `url`, without a token.

        Raises `LinkExpired`, `ContentChanged`, `PeerUnavailable`, or `PeerRefused` with the store's reason.
        """
        # A chunk of nothing for an empty body would be no body; documents are never empty.
        answer = self._egress.upload(
            url, content, peer=_PEER, stall_seconds=self._stall_seconds, headers={"Content-Type": media_type}
        )
        if not answer.is_success:
            raise _failure(answer)

    @contextmanager
    def download(self, url: str, first_byte: int = 0, etag: str | None = None) -> Iterator["Download"]:
        """GET `url` without a token, from `first_byte` on if the content still has `etag`, else from the start.

        Raises `LinkExpired`, `PeerUnavailable`, or `PeerRefused` with the store's reason.
        """
        headers = {"Accept-Encoding": "identity"}
        if first_byte and etag:
            headers |= {"Range": f"bytes={first_byte}-", "If-Range": etag}
        with self._egress.download(url, peer=_PEER, stall_seconds=self._stall_seconds, headers=headers) as said:
            if said.status not in (200, 206):
                raise _failure(Answer(said.status, said.headers, said.small_body()))
            yield _download(said, first_byte)


@dataclass(frozen=True, slots=True)
class Download:
    """A content that comes in."""

    size: int
    """Of the whole, in bytes."""
    first_byte: int
    """Where what comes begins: where it was asked for, or 0."""
    etag: str | None
    """Strong, by which it can be gone on with; None if there is none."""
    sha256: str | None
    """Of the whole, if the store says it (RFC 9530, or S3's checksum)."""
    blocks: Callable[[], Iterator[bytes]] = field(repr=False)


def _download(said: Incoming, first_byte: int) -> Download:
    stated = said.headers.get("Content-Length", "")
    if said.status == 206:
        found = _CONTENT_RANGE.fullmatch(said.headers.get("Content-Range", "").strip())
        if not found or int(found[1]) != first_byte:
            raise PeerUnavailable(f"{_PEER} answered with another part than was asked for")
        size = int(found[2])
    elif stated.isascii() and stated.isdigit():
        first_byte, size = 0, int(stated)
    else:
        raise PeerUnavailable(f"{_PEER} does not say how long the document is")
    etag = said.headers.get("ETag", "").strip()
    return Download(
        size,
        first_byte,
        etag if _STRONG.fullmatch(etag) else None,
        _digest_in(said.headers),
        said.blocks,
    )


def _digest_in(headers: Mapping[str, str]) -> str | None:
    """SHA-256 in hexadecimal digits."""
    found = _REPR_DIGEST.search(headers.get("Repr-Digest", ""))
    told = found[1] if found else headers.get("x-amz-checksum-sha256", "").strip()
    try:
        digest = base64.b64decode(told, validate=True)
    except ValueError:
        return None  # S3 says "..-3" of what was uploaded in three parts: that is no digest of the content
    return digest.hex() if len(digest) == hashlib.sha256().digest_size else None


def _failure(answer: Answer) -> OfficeNodeError:
    found = _STORE_CODE.search(answer.body)
    said = found[1].decode() if found else ""
    what = f"{_PEER} answered {answer.status}" + (f" ({said})" if said else "")
    if answer.status in (401, 403) or said in _EXPIRED:
        return LinkExpired(what)
    # What says no reason in the store's words comes from a gateway on the way.
    passing = answer.status < 400 or answer.status >= 500 or answer.status in _PASSING or said == "RequestTimeout"
    if passing or not said:
        return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds)
    return PeerRefused(what, status=answer.status)
