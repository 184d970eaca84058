"""A clerk's desk for tests: the verbs of registrations on an office, in this process, and simulated WIPO's ledger."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Any, Literal

from sqlalchemy import delete, update

from office_node import clock
from office_node.das import number_formats
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.catalogue import CatalogueEntry
from office_node.off_registrations.details import Details
from office_node.off_registrations.overview import OperationView
from office_node.off_registrations.records import OperationRecord, RegistrationRecord
from office_node.off_registrations.service import Asked
from office_node.outbox.records import MessageState, OutboxRecord
from office_node.rehearsal.operator import Wanted
from office_node.rehearsal.papers import pdf
from office_node.wiring.node import Node, build_node
from tests.office import WANTED, Office, eventually

_ABOUT_DOCUMENTS = ("registered", "corrected", "replaced", "withdrawn", "certified")
_numbers = count(100_000)


def paper(title: str = "priority document", filler_bytes: int = 0) -> bytes:
    """A real PDF."""
    return b"".join(pdf([title], filler_bytes))


@dataclass
class Desk:
    """An office with a node in this process beside the ones that run; and a document that nobody else touches."""

    office: Office
    node: Node
    wanted: Wanted = WANTED

    @property
    def named(self) -> tuple[DocumentKind, str]:
        """Kind and number of the document, as the verbs take them."""
        return document(self.wanted).kind, self.wanted.number

    @property
    def key(self) -> str:
        """The document's name in the ledger."""
        return f"{self.wanted.kind} {self.wanted.number}"

    def with_another_document(self) -> "Desk":
        """The same desk, and a document of its own."""
        number = next(_numbers)
        another = Wanted("patent", f"US 98/{number // 1000},{number % 1000:03}", "2023-11-02", "AB21")
        return replace(self, wanted=another)

    def kept(self) -> CatalogueEntry:
        """The document in the library."""
        entry = self.node.library.find(*self.named)
        assert entry
        return entry

    def state(self) -> str:
        """Of its newest registration."""
        return self.node.overview.registrations(*self.named)[0].state.value

    def submit(
        self,
        content: bytes | None = None,
        wanted: Wanted | None = None,
        content_at: Literal["wipo", "library"] = "wipo",
        details: Details | None = None,
    ) -> Asked:
        """Register a document."""
        wanted = wanted or self.wanted
        source = io.BytesIO(content) if content is not None else None
        return self.node.registrations.submit(
            document(wanted), source, wanted.access_code, details or Details(), content_at
        )

    def ended(self, asked: Asked, *, hurried: bool = False) -> OperationView:
        """What became of it, once it has ended; `hurried`: no wait of the outbox is waited out."""
        operation_id = str(asked.operation_id)

        def look() -> bool:
            if hurried:
                self._make_due(operation_id)
            return self.node.overview.operation(operation_id).has_ended

        eventually(look)
        return self.node.overview.operation(operation_id)

    def _make_due(self, operation_id: str) -> None:
        of_it = (OutboxRecord.acknowledgement_id == operation_id, OutboxRecord.state == MessageState.DUE)
        with self.node.database.transaction() as session:
            session.execute(update(OutboxRecord).where(*of_it).values(due_at=clock.now()))

    def registered(self, content: bytes, **options: Any) -> OperationView:
        """The document, which WIPO has registered."""
        view = self.ended(self.submit(content, **options), hurried=True)
        assert (view.state, view.reason) == ("done", None)
        return view

    def effects(self, effect: str, key: str = "") -> list[dict[str, Any]]:
        """What had this effect at simulated WIPO, for the document or for the thing of that key."""
        found = self.office.ledger(effect)
        if effect in _ABOUT_DOCUMENTS:
            return [entry for entry in found if entry["key"].startswith(self.key)]
        return [entry for entry in found if key in ("", entry["key"])]

    def add(self, content: bytes) -> bytes:
        """The document into the library alone."""
        return self.office.add_document(content, self.wanted)

    def script(self, place: str, *answers: dict[str, Any]) -> None:
        """What this place of simulated WIPO answers next."""
        self.office.script_central(*({"place": place, **answer} for answer in answers))

    def pace(self, **seconds: float) -> None:
        """How fast simulated WIPO is from now on."""
        self.office.pace_central(**seconds)


def document(wanted: Wanted) -> PriorityDocumentId:
    """The document that `wanted` names."""
    return number_formats.document_id(DocumentKind(wanted.kind), wanted.number, date.fromisoformat(wanted.date))


def forget(desk: Desk) -> None:
    """This node has never heard of the document's registration."""
    with desk.node.database.transaction() as session:
        of_it = {"kind": desk.named[0].value, "number": desk.named[1]}
        session.execute(delete(OperationRecord).filter_by(**of_it))
        session.execute(delete(RegistrationRecord).filter_by(**of_it))


MakeDesk = Callable[..., Desk]


def make_desk(office: Office) -> Desk:
    """A desk in an office whose schema is in place."""
    return Desk(office, build_node(office.settings()))
