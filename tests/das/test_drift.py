"""What WIPO answers otherwise than its documents say is told, and read all the same; what fits them is not told."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import structlog

from office_node.das.client import DasClient
from office_node.das.registration_messages import Registration
from office_node.das.retrieval_messages import Asking
from office_node.errors import OfficeNodeError
from tests.das.test_client import NOTIFICATION, client, token_endpoint, wipo
from tests.library.documents import DOCUMENT
from tests.peer import Peer, Says

__all__ = ["client", "token_endpoint", "wipo"]
Call = Callable[[DasClient], object]

CALLS: dict[str, tuple[Call, int, dict[str, Any] | None]] = {
    "notify": (lambda c: c.notify(NOTIFICATION), 204, None),
    "request_upload": (lambda c: c.request_upload("pdf", "ab" * 32, "r"), 201, {"fileId": "F", "fileUploadUrl": "u"}),
    "file_status": (lambda c: c.file_status("F"), 200, {"fileId": "F", "fileStatusCategory": "ACCEPTED"}),
    "register": (lambda c: c.register(Registration(DOCUMENT, "AB21")), 201, {"requestAckId": "A"}),
    "ask": (lambda c: c.request_retrieval(Asking(DOCUMENT, "AB21")), 201, {"requestAckId": "A"}),
    "list": (lambda c: c.retrievals(), 200, {"documentRetrievalResponseBag": []}),
    "locate": (lambda c: c.locate(DOCUMENT, "A"), 200, {"fileDownloadUrl": "https://store/x"}),
}
DRIFTS: list[tuple[str, int, dict[str, Any] | None, str]] = [
    ("notify", 202, None, "status 202"),
    ("notify", 200, {"ticket": 1}, "ticket is new"),
    ("request_upload", 202, {"fileId": "F", "fileUploadUrl": "u"}, "status 202"),
    ("request_upload", 201, {"fileId": "F", "fileUploadUrl": "u", "uploadMethod": "PUT"}, "uploadMethod is new"),
    ("request_upload", 201, {"dasFileId": "F", "fileUploadUrl": "u"}, "fileId is missing"),
    ("request_upload", 201, {"fileId": "F", "url": "u"}, "fileUploadUrl is missing"),
    ("file_status", 200, {"fileId": "F", "status": "ACCEPTED"}, "fileStatusCategory is missing"),
    ("file_status", 206, {"fileId": "F", "fileStatusCategory": "ACCEPTED"}, "status 206"),
    ("register", 201, {"requestAckId": "A", "links": {}}, "links is new"),
    ("register", 203, {"requestAckId": "A"}, "status 203"),
    ("register", 201, {"acknowledgement": "A", "requestStatusCategory": "success"}, "requestAckId is missing"),
    ("ask", 201, {"requestAckId": "A", "expectedDate": "2026-01-01"}, "expectedDate is new"),
    ("list", 200, {"documentRetrievalBag": []}, "documentRetrievalResponseBag is missing"),
    ("locate", 200, {"fileDownloadUrl": "https://store/x", "validUntil": "soon"}, "validUntil is new"),
    ("locate", 203, {"fileDownloadUrl": "https://store/x"}, "status 203"),
]
"""Fifteen, in which WIPO's documents have moved before or might."""


def told(client: DasClient, call: str) -> list[str]:
    with structlog.testing.capture_logs() as lines, suppress(OfficeNodeError):
        CALLS[call][0](client)  # what cannot be read ends in a failure of its own
    return [line["difference"] for line in lines if line.get("code") == "N616"]


@pytest.mark.parametrize("call", CALLS)
def test_what_fits_the_documents_is_not_told(client: DasClient, wipo: Peer, call: str) -> None:
    _, status, body = CALLS[call]
    wipo.will_say(Says(status, body if body is not None else b""))
    assert told(client, call) == []


@pytest.mark.parametrize(("call", "status", "body", "difference"), DRIFTS)
def test_row_14_each_drift_is_told_once_and_breaks_nothing(
    client: DasClient, wipo: Peer, call: str, status: int, body: dict[str, Any] | None, difference: str
) -> None:
    wipo.will_say(Says(status, body if body is not None else b""))
    assert difference in told(client, call)
    assert difference not in told(client, call), "once an hour"
