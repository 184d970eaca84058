"""The states of a forwarded retrieval, and every move between them."""

from enum import StrEnum
from typing import Literal


class RetrievalState(StrEnum):
    RECEIVED = "received"
    """WIPO has our acknowledgement id."""
    UPLOADING = "uploading"
    """A big document is on its way to WIPO's transit zone."""
    PREPARED = "prepared"
    """The document was read whole and is what the catalogue says; WIPO is about to be told."""
    NOTIFIED = "notified"
    """WIPO has taken the notification."""
    DOWNLOADED = "downloaded"
    """The last byte was sent."""
    REFUSED = "refused"
    """We could not supply the document in time; WIPO is told so."""
    WITHDRAWN = "withdrawn"
    """The office has withdrawn the document: it is no longer served."""
    EXPIRED = "expired"
    """Ended by WIPO's DELETE or by age."""


_S = RetrievalState
MOVES: dict[RetrievalState, tuple[RetrievalState, ...]] = {
    _S.RECEIVED: (_S.PREPARED, _S.UPLOADING, _S.REFUSED, _S.WITHDRAWN, _S.EXPIRED),
    _S.UPLOADING: (_S.PREPARED, _S.REFUSED, _S.WITHDRAWN, _S.EXPIRED),
    # WIPO may fetch at once: before we have recorded that it took the notification.
    _S.PREPARED: (_S.NOTIFIED, _S.DOWNLOADED, _S.REFUSED, _S.WITHDRAWN, _S.EXPIRED),
    _S.NOTIFIED: (_S.DOWNLOADED, _S.WITHDRAWN, _S.EXPIRED),
    _S.DOWNLOADED: (_S.WITHDRAWN, _S.EXPIRED),
    _S.REFUSED: (),
    _S.WITHDRAWN: (),
    _S.EXPIRED: (),
}
TOLD = (_S.PREPARED, _S.NOTIFIED)
"""WIPO is being told, or was, and has fetched nothing yet."""
SERVED = (_S.PREPARED, _S.NOTIFIED, _S.DOWNLOADED)
ENDED = (_S.REFUSED, _S.WITHDRAWN, _S.EXPIRED)
UNHEARD = (_S.RECEIVED, _S.UPLOADING, _S.PREPARED)
"""WIPO has not been told that it can fetch: if it never will, it must be told so."""
ON_THE_WIRE: dict[RetrievalState, Literal["pending", "success", "error"]] = {  # protocol.md 3
    _S.RECEIVED: "pending",
    _S.UPLOADING: "pending",
    _S.PREPARED: "success",
    _S.NOTIFIED: "success",
    _S.DOWNLOADED: "success",
    _S.REFUSED: "error",
    _S.WITHDRAWN: "error",
    _S.EXPIRED: "error",
}
