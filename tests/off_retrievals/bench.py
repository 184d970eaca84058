"""An office that the tests of this folder share: its parts in this process, its web processes when asked for.

Tests keep out of each other's way by documents of their own: every `keep` gives a number that was never used before.
"""

import io
import itertools
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug import Response
from werkzeug.test import TestResponse

from office_node.app import create_app
from office_node.auth.client_assertion import RegisteredClient
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.library.accession import Outcome
from office_node.off_retrievals.records import ForwardedRetrievalRecord
from office_node.off_retrievals.service import PREPARE
from office_node.outbox.outbox import Claim
from office_node.outbox.records import OutboxRecord
from office_node.rehearsal.operator import Wanted
from office_node.settings import API_SCOPE
from office_node.storage import schema
from office_node.storage.database import Records
from office_node.wiring.node import Node, build_node
from tests.off_retrievals.wire import Answer
from tests.office import Office, pdf

WIPO, OTHER = "wipo-das", "other-das"
_KEY = "../keys/rehearsal_wipo_public.pem"
TWO_CLIENTS = {
    "authorization_server": {
        "clients": [{"client_id": name, "profile": "compat", "public_key_files": [_KEY]} for name in (WIPO, OTHER)]
    }
}
PREFIXES = ("/das/v1", "/das-api/v1", "")
ID_NAMES = ("requestAckId", "osfAckId", "offAckId", "ackId")

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A document in the library, with its bytes."""

    wanted: Wanted
    content: bytes


def message(wanted: Wanted, **members: Any) -> dict[str, Any]:
    """E11's body as WIPO sends it, with `members` laid over it."""
    plain = {"operationCategory": "retrieval", **wanted.members(), "dasAccessCode": wanted.access_code}
    return {**plain, "applicationCategory": None, "applicationNumber": None, "applicationFilingDate": None, **members}


def das_codes(answer: Response | requests.Response | Answer) -> list[int]:
    """The numeric codes of a refusal, once it is sure that it has DAS's shape."""
    content = answer.data if isinstance(answer, Response) else answer.content
    assert answer.headers["Content-Type"] == "application/json"
    body = json.loads(content)
    assert list(body) == ["code", "message", "details"]
    assert isinstance(body["code"], str)
    assert body["message"] is None
    assert body["details"]
    assert all(list(detail) == ["code", "message"] and isinstance(detail["message"], str) for detail in body["details"])
    return [int(detail["code"]) for detail in body["details"]]


@dataclass(frozen=True, slots=True)
class Caller:
    """A client of the office, in this process, with a token."""

    http: FlaskClient
    token: str
    prefix: str

    def call(self, method: str, path: str, **request: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        return self.http.open(f"{self.prefix}/requests/{path}", method=method, headers=headers, **request)

    def forward(self, wanted: Wanted, **members: Any) -> str:
        """E11, which must succeed; gives the acknowledgement id."""
        answer = self.call("POST", "retrievals", json=message(wanted, **members))
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["requestAckId"])

    def statuses(self, **query: str) -> list[dict[str, Any]]:
        """E12, which must succeed."""
        answer = self.call("GET", "retrievals", query_string=query)
        assert answer.status_code == 200, answer.text
        bag: list[dict[str, Any]] = answer.get_json()["documentRetrievalResponseBag"]
        return bag

    def locate(self, wanted: Wanted, **members: str) -> TestResponse:
        """E14."""
        return self.call("POST", "files/url-downloads", json={**wanted.members(), **members})

    def link(self, wanted: Wanted, acknowledgement_id: str) -> str:
        """E14, which must succeed."""
        answer = self.locate(wanted, osfAckId=acknowledgement_id)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["fileDownloadUrl"])


@dataclass
class Bench:
    """Made by `make_bench`."""

    office: Office
    node: Node
    http: FlaskClient
    line: requests.Session = field(default_factory=requests.Session)
    """To the web processes."""
    _claims: dict[tuple[str, str | None], Claim] = field(default_factory=dict)

    def token(self, client_id: str = WIPO) -> str:
        client = RegisteredClient(client_id, "compat", (), (API_SCOPE,))
        server = self.node.authorization_server
        assert server
        return str(server.issuer.issue(client, (API_SCOPE,))["access_token"])

    def caller(self, client_id: str = WIPO, prefix: str = "/das-api/v1") -> Caller:
        return Caller(self.http, self.token(client_id), prefix)

    def keep(
        self,
        content: bytes | None = None,
        *,
        filed: str = "2023-11-02",
        access_code: str = "AB21",
        kind: str = "patent",
    ) -> Kept:
        """A document of its own for a test, in the library."""
        number = f"{next(_numbers):06}"
        wanted = Wanted(kind, f"US 98/{number[:3]},{number[3:]}", filed, access_code)
        kept = Kept(wanted, content or pdf(20_000))
        assert self.take_in(kept) is Outcome.ADDED
        return kept

    def take_in(self, kept: Kept) -> Outcome:
        wanted = kept.wanted
        named = number_formats.document_id(DocumentKind(wanted.kind), wanted.number, date.fromisoformat(wanted.date))
        return self.node.accession.add(io.BytesIO(kept.content), named, wanted.access_code)[0]

    def claim(self, acknowledgement_id: str, kind: str = PREPARE) -> Claim:
        """The message of that request, claimed as a worker would; what else was due is kept for the next who asks."""
        self._claims.update({(kind, claim.acknowledgement_id): claim for claim in self.node.outbox.claim(kind, 10_000)})
        return self._claims.pop((kind, acknowledgement_id))

    def prepare(self, acknowledgement_id: str) -> None:
        self.node.retrievals.prepare(self.claim(acknowledgement_id))

    def offer(self, kept: Kept) -> tuple[str, str]:
        """A prepared request for the document: its acknowledgement id and a link."""
        caller = self.caller()
        acknowledgement_id = caller.forward(kept.wanted)
        self.prepare(acknowledgement_id)
        return acknowledgement_id, caller.link(kept.wanted, acknowledgement_id)

    def record(self, acknowledgement_id: str) -> ForwardedRetrievalRecord:
        with self.node.database.reading() as session:
            return session.get_one(ForwardedRetrievalRecord, acknowledgement_id)

    def state(self, acknowledgement_id: str) -> str:
        return self.record(acknowledgement_id).state

    def messages(self, acknowledgement_id: str) -> list[OutboxRecord]:
        """What the outbox holds of that request, oldest first."""
        query = select(OutboxRecord).where(OutboxRecord.acknowledgement_id == acknowledgement_id)
        with self.node.database.reading() as session:
            return list(session.scalars(query.order_by(OutboxRecord.created_at)))

    def kept_file(self, acknowledgement_id: str) -> Path:
        """Where the library keeps the content that was prepared for that request, or is about to be."""
        record = self.record(acknowledgement_id)
        entry = self.node.library.find(DocumentKind(record.kind), record.number)
        assert entry
        name = record.version_id or entry.current.version_id
        return self.node.settings.library.store / name[:2] / name

    def row_counts(self) -> dict[str, int]:
        """How many rows every table has."""
        with self.node.database.reading() as session:
            return {
                name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in Records.metadata.tables.items()
            }

    def serve(self) -> None:
        """Start the web processes, unless they run."""
        if not self.office.processes:
            self.office.start_web()

    def call(self, method: str, path: str, **request: Any) -> requests.Response:
        """A call on the web processes, with a token."""
        headers = {"Authorization": f"Bearer {self.token()}", **request.pop("headers", {})}
        url = f"{self.office.url}/das-api/v1/requests/{path}"
        return self.line.request(method, url, headers=headers, timeout=30, allow_redirects=False, **request)

    def fetch(self, url: str, method: str = "GET", **headers: str) -> requests.Response:
        """A download from the web processes; nobody unpacks or guesses at anything on the way."""
        plain = {"Accept-Encoding": "identity", **headers}
        return self.line.request(method, url, headers=plain, timeout=30, allow_redirects=False)

    def close(self) -> None:
        self.line.close()
        self.office.close()
        self.node.database.close()


def make_bench(office: Office) -> Bench:
    """A bench around an office that was just made."""
    node = build_node(office.settings())
    schema.upgrade(node.database)
    bench = Bench(office, node, create_app(node).test_client())
    bench.line.trust_env = False
    return bench
