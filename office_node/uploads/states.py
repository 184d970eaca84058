"""The states of an upload, and every move between them (protocol.md 6.1)."""

from enum import StrEnum


class UploadState(StrEnum):
    DUE = "due"
    """WIPO has not been asked yet, or has forgotten the file."""
    SENDING = "sending"
    """WIPO gave a file id; the bytes are on their way."""
    SENT = "sent"
    """The store has the bytes; WIPO checks them."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """WIPO does not want the file, or nobody wants it sent any more."""


_S = UploadState
MOVES: dict[UploadState, tuple[UploadState, ...]] = {
    _S.DUE: (_S.SENDING, _S.REJECTED),
    _S.SENDING: (_S.SENT, _S.DUE, _S.REJECTED),
    _S.SENT: (_S.ACCEPTED, _S.REJECTED, _S.DUE),
    _S.ACCEPTED: (),
    _S.REJECTED: (),
}
ENDED = (_S.ACCEPTED, _S.REJECTED)
