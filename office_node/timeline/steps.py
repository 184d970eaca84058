"""Every step that is noted, as a person reads it."""

from enum import StrEnum


class Step(StrEnum):
    """Written as it stands here: a step that was noted is never renamed."""

    ADDED = "taken into the library"
    NEW_VERSION = "new version taken into the library"
    CORRECTED = "corrected in the library"
    WITHDRAWN = "withdrawn: no longer served"
    SERVED_AGAIN = "served again"
    BOUND = "bound for the transit zone changed"
    QUARANTINED = "found damaged and taken out of service"
    RESTORED = "restored after damage"
    DELETED = "deleted from the library"

    RETRIEVAL_RECEIVED = "WIPO asked for it"
    RETRIEVAL_REFUSED = "WIPO asked for it and was refused"
    RETRIEVAL_PREPARED = "read whole and found good, ready for WIPO"
    RETRIEVAL_IN_TRANSIT = "on its way to WIPO's transit zone"
    RETRIEVAL_NOTIFIED = "WIPO told that it may fetch it"
    LINK_ISSUED = "WIPO given its location"
    SERVED = "sent to WIPO whole"
    HANDED_TO_PROXY = "handed to the proxy for sending"
    RETRIEVAL_ENDED = "WIPO's request ended"

    OPERATION_ASKED = "asked for at WIPO"
    OPERATION_SENT = "WIPO told"
    OPERATION_DONE = "done at WIPO"
    OPERATION_REFUSED = "not done at WIPO"

    UPLOAD_BEGUN = "upload to WIPO begun"
    UPLOAD_SENT = "content sent to WIPO"
    UPLOAD_ACCEPTED = "content accepted by WIPO"
    UPLOAD_REFUSED = "content refused by WIPO"

    PARKED = "stopped trying: waits for an administrator"
    RETRIED = "tried again by an administrator"

    DROP_TAKEN = "taken from the watched folder"
    DROP_REFUSED = "refused in the watched folder"
    DROP_HANDED_BACK = "answer laid into the watched folder"

    ASKED = "this office asked WIPO for it"
    ACKNOWLEDGED = "WIPO acknowledged the request"
    AVAILABLE = "WIPO made it available"
    COLLECTING = "fetching it from WIPO"
    COLLECTED = "fetched from WIPO whole and checked"
    HANDED_OVER = "handed over to the office's systems"
    COLLECTING_FAILED = "what came from WIPO was refused"
    ASKING_REFUSED = "WIPO could not supply it"
    ASKING_EXPIRED = "the request to WIPO ended by age"
    CLEARED_AT_WIPO = "WIPO's copy cleared"
    COPY_DELETED = "copy deleted"

    RESTORED_FROM_BACKUP = "this node was restored from a backup"
