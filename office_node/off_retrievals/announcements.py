"""What WIPO is to be told of a request, put into the outbox in the transaction that made it true (E13)."""

from typing import Literal

from sqlalchemy.orm import Session

from office_node import clock
from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.outbox.outbox import Outbox

NOTIFY = "notify_wipo"


class Announcements:
    """Notifications on their way; `leading_id` is whose acknowledgement id they lead with (C-9)."""

    def __init__(self, outbox: Outbox, leading_id: Literal["ours", "wipo"]) -> None:
        self._outbox = outbox
        self._leading_id = leading_id

    def put(self, session: Session, retrieval: Retrieval, file_id: str | None = None) -> None:
        """Have WIPO told how the request stands; `file_id` is where in its transit zone the content lies (flow F4)."""
        status, wipo_id = retrieval.status(), retrieval.wipo_acknowledgement_id
        body = status.to_wire()
        if wipo_id and self._leading_id == "ours":  # C-9: both ids when both are known
            body["osfAckId"] = wipo_id
        elif wipo_id:
            body["requestAckId"], body["offAckId"] = wipo_id, status.acknowledgement_id
        if file_id:
            body["fileId"] = file_id
        self._outbox.put(session, NOTIFY, _effect_key(retrieval), body, status.acknowledgement_id)

    def put_again(self, session: Session, retrieval: Retrieval) -> None:
        """WIPO asks once more for what it was told already: it lost our answer, and with it the id it was told under.

        Once a minute at most.
        """
        key = _effect_key(retrieval)
        self._outbox.put_again(session, key, f"{key}:again:{clock.now():%Y%m%d%H%M}")


def _effect_key(retrieval: Retrieval) -> str:
    status = retrieval.status()
    return f"{NOTIFY}:{status.acknowledgement_id}:{status.category}"
