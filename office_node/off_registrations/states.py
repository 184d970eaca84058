"""The states of a registration and of what is asked about it, and every move between them."""

from enum import StrEnum


class RegistrationState(StrEnum):
    DRAFTED = "drafted"
    """Everything is here; WIPO has not been told yet."""
    UPLOADING = "uploading"
    """The content is on its way to WIPO."""
    UPLOADED = "uploaded"
    """WIPO has accepted the content."""
    SUBMITTED = "submitted"
    """WIPO has the registration and has not decided yet."""
    REGISTERED = "registered"
    CORRECTED = "corrected"
    """Registered, and its data or content changed at WIPO since."""
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    """WIPO did not want it, or it was withdrawn before WIPO heard of it."""


class OperationState(StrEnum):
    """One thing that the office wants of WIPO about a document."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class Verb(StrEnum):
    REGISTER = "register"
    CORRECT = "correct"
    REPLACE = "replace"
    WITHDRAW = "withdraw"
    STATUS = "status"
    CERTIFICATE = "certificate"


_S = RegistrationState
MOVES: dict[RegistrationState, tuple[RegistrationState, ...]] = {
    _S.DRAFTED: (_S.SUBMITTED, _S.REGISTERED, _S.REFUSED),
    _S.UPLOADING: (_S.UPLOADED, _S.REFUSED),
    _S.UPLOADED: (_S.SUBMITTED, _S.REGISTERED, _S.REFUSED),
    _S.SUBMITTED: (_S.REGISTERED, _S.REFUSED),
    _S.REGISTERED: (_S.CORRECTED, _S.WITHDRAWN),
    _S.CORRECTED: (_S.CORRECTED, _S.WITHDRAWN),
    _S.WITHDRAWN: (),
    _S.REFUSED: (),
}
AT_WIPO = (_S.REGISTERED, _S.CORRECTED)
ENDED = (_S.WITHDRAWN, _S.REFUSED)
