"""The states of a request of ours, and every move between them (protocol.md 6.3)."""

from enum import StrEnum


class RequestState(StrEnum):
    ASKED = "asked"
    """Written down; WIPO may not have heard of it yet."""
    ACKNOWLEDGED = "acknowledged"
    """WIPO has given it an id."""
    AVAILABLE = "available"
    """WIPO has the document for us."""
    COLLECTING = "collecting"
    COLLECTED = "collected"
    """Handed over to the office's systems."""
    REFUSED = "refused"
    """WIPO cannot supply it, or the storage policy does not let it come here."""
    EXPIRED = "expired"
    """Ended by age."""


_S = RequestState
MOVES: dict[RequestState, tuple[RequestState, ...]] = {
    _S.ASKED: (_S.ACKNOWLEDGED, _S.AVAILABLE, _S.REFUSED, _S.EXPIRED),
    _S.ACKNOWLEDGED: (_S.AVAILABLE, _S.REFUSED, _S.EXPIRED),
    _S.AVAILABLE: (_S.COLLECTING, _S.REFUSED, _S.EXPIRED),
    _S.COLLECTING: (_S.COLLECTED, _S.REFUSED, _S.EXPIRED),
    _S.COLLECTED: (),
    _S.REFUSED: (),
    _S.EXPIRED: (),
}
AWAITED = (_S.ASKED, _S.ACKNOWLEDGED)
"""Nothing is known of the document yet."""
HERE = (_S.AVAILABLE, _S.COLLECTING)
"""It is to be fetched, or is being."""
ENDED = (_S.COLLECTED, _S.REFUSED, _S.EXPIRED)
