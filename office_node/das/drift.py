"""WIPO's answers beside the contract that this program was written to: what is new, missing or changed is told.

The text of DAS has moved at least five times (protocol.md 9). An answer that differs is read as far as it can be; that
it differs is for the operator to know before it matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog

from office_node import logs
from office_node.errors import OfficeNodeError, Owner
from office_node.network.egress import Answer

log = structlog.get_logger()

_TOLD_EVERY_SECONDS = 3600


class ContractDiffers(OfficeNodeError):
    """WIPO's answer is not quite what its documents, as this program knows them, say: it was read all the same."""

    code = "N616"
    owner: ClassVar[Owner] = "WIPO"
    hint = "nothing to do at once; see whether WIPO has announced a change, and whether a newer program is there"


@dataclass(frozen=True, slots=True)
class _Contract:
    """What a success of one call looks like."""

    statuses: tuple[int, ...]
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_STATUS = ("requestAckId", "osfAckId", "offAckId", "ackId", "requestStatusCategory", "errorCode", "statusMessage")
_DOCUMENT = (
    "documentKindCategory",
    "documentNumber",
    "documentDate",
    "documentAvailabilityDate",
    "applicationCategory",
)
_FILE = ("fileReference", "fileFormatCategory", "fileSizeQuantity", "fileChecksum", "errorCode", "statusMessage")
_CONTRACTS = {
    # By method and the last word of the path: prefixes differ (protocol.md C-3).
    ("POST", "notifications"): _Contract((200, 201, 204), (), (*_STATUS, *_DOCUMENT)),
    ("POST", "url-uploads"): _Contract((200, 201), ("fileId", "fileUploadUrl"), _FILE),
    ("PUT", "url-uploads"): _Contract((200, 201), ("fileUploadUrl",), ("fileId", *_FILE)),
    ("GET", "files"): _Contract((200,), ("fileStatusCategory",), ("fileId", *_FILE)),
    ("POST", "registrations"): _Contract((200, 201, 202), ("requestAckId",), (*_STATUS, *_DOCUMENT)),
    ("PUT", "registrations"): _Contract((200, 201, 202, 204), (), (*_STATUS, *_DOCUMENT)),
    ("POST", "retrievals"): _Contract((200, 201, 202), ("requestAckId",), (*_STATUS, *_DOCUMENT)),
    ("GET", "retrievals"): _Contract((200,), ("documentRetrievalResponseBag",), (*_STATUS, *_DOCUMENT)),
    ("POST", "url-downloads"): _Contract((200, 201), ("fileDownloadUrl",), ("fileDownloadUrlBag", *_FILE)),
    ("GET", "url-downloads"): _Contract((200,), ("fileDownloadUrl",), ("fileDownloadUrlBag", *_FILE)),
}


class Drift:
    """Looks at successes whose members this program reads; each difference is told once an hour, with its count."""

    def __init__(self) -> None:
        self._told = logs.Repeats(_TOLD_EVERY_SECONDS)

    def look(self, method: str, path: str, answer: Answer) -> None:
        """Compare an answer to `method` on `path` with what it should be."""
        call = (method, path.rpartition("/")[2])
        contract = _CONTRACTS.get(call)
        for difference in _differences(contract, answer) if contract else ():
            if times := self._told.due(f"{call} {difference}"):
                told = {"call": " ".join(call), "difference": difference, "times": times}
                log.warning("WIPO's answer differs", code=ContractDiffers.code, hint=ContractDiffers.hint, **told)


def _differences(contract: _Contract, answer: Answer) -> Iterator[str]:
    if answer.status not in contract.statuses:
        yield f"status {answer.status}"
    said: Any = answer.json() if answer.body else None
    if not isinstance(said, dict):
        if contract.needed:
            yield "no JSON object"
        return
    known = {name.lower() for name in (*contract.needed, *contract.optional)}
    lower = {str(name).lower() for name in said}
    yield from (f"{name} is missing" for name in contract.needed if name.lower() not in lower)
    new = sorted(name for name in map(str, said) if name.lower() not in known and name.isascii())
    yield from (f"{name[:60]} is new" for name in new)
