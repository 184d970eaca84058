"""The bytes of a document on their way to WIPO's object store (E4): streamed, digested as they go, never in memory."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar

from office_node.errors import OfficeNodeError, Owner, PeerRefused, PeerUnavailable
from office_node.network.egress import Answer, Egress

_PEER = "WIPO's object store"
_BLOCK_BYTES = 1 << 17  # each has the stall time to go: small, so that a slow line is not taken for a dead one
_PASSING = (408, 409, 425, 429)
_EXPIRED = ("ExpiredToken", "RequestExpired", "TokenRefreshRequired")
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
