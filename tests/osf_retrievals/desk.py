"""A clerk's desk at an office of second filing: its verbs in this process, and simulated WIPO with documents."""

import json
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import requests

from office_node import clock
from office_node.das import number_formats
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.osf_retrievals.overview import RequestView
from office_node.osf_retrievals.service import Asked, Wanted
from office_node.rehearsal.papers import pdf
from office_node.timeline.history import History
from office_node.wiring.node import Node, build_node
from tests.office import Office, eventually

CODE = "QX7Z"
_numbers = count(100_000)


def paper(title: str = "foreign document", filler_bytes: int = 0) -> bytes:
    return b"".join(pdf([title], filler_bytes))


@dataclass
class Desk:
    """Made by `new_desk`."""

    office: Office
    node: Node
    document: PriorityDocumentId

    def with_another_document(self, form: str = "EP {:08}") -> "Desk":
        """The same desk, and a document that nobody else touches."""
        number = form.format(next(_numbers))
        return replace(self, document=number_formats.document_id(DocumentKind.PATENT, number, date(2023, 11, 2)))

    def deposit(self, content: bytes) -> bytes:
        """The document at WIPO, by another office."""
        document = self.document
        named = {"kind": document.kind.value, "number": document.number, "date": document.date.isoformat()}
        media_type = "application/zip" if content.startswith(b"PK") else "application/pdf"
        answer = requests.post(
            f"{self.office.central_url}/rehearsal/documents",
            params={**named, "access_code": CODE},
            data=content,
            headers={"Content-Type": media_type},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return content

    def wanted(self, access_code: str = CODE, application: str | None = None) -> Wanted:
        return Wanted(self.document, access_code, application_number=application)

    def ask(self, access_code: str = CODE, application: str | None = None, **options: Any) -> Asked:
        return self.node.second_filing.retrievals.ask(self.wanted(access_code, application), **options)

    def view(self, asked: Asked) -> RequestView:
        found = self.node.second_filing.requests.one(asked.request_id)
        assert found
        return found

    def ended(self, asked: Asked, seconds: float = 30) -> RequestView:
        """What became of it, once it has ended."""
        eventually(lambda: self.view(asked).has_ended, seconds)
        return self.view(asked)

    def collected(self, asked: Asked, seconds: float = 30) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What was handed over: the JSON, and each file by its role."""
        view = self.ended(asked, seconds)
        assert (view.state, view.reason) == ("collected", None)
        return self.handed_over(str(view.handed_over_as))

    def handed_over(self, name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
        folder = self.folder / "collected"
        told = json.loads((folder / f"{name}.json").read_text())
        return told, {file["role"]: (folder / file["file"]).read_bytes() for file in told["files"]}

    @property
    def folder(self) -> Path:
        return self.office.settings().osf.folder

    def lies_in(self, where: str) -> list[str]:
        """Files in `collecting` or `collected` that belong to nobody else: all, for offices of a test's own."""
        return sorted(path.name for path in (self.folder / where).glob("*"))

    def history(self) -> History:
        return self.node.timeline.histories.of([self.document.number])

    def steps(self) -> list[str]:
        return [entry.step for entry in self.history().entries]

    def times_asked(self) -> int:
        """How often WIPO was asked for the document, as WIPO counts."""
        key = f"das-xx-office {self.document.kind} {self.document.number}"
        return sum(entry["times"] for entry in self.office.ledger("retrieval asked") if entry["key"] == key)

    def script(self, place: str, *answers: dict[str, Any]) -> None:
        self.office.script_central(*({"place": place, **answer} for answer in answers))

    def pace(self, **seconds: float) -> None:
        self.office.pace_central(**seconds)

    def notify(self, message: dict[str, Any], prefix: str = "/das-api/v1") -> requests.Response:
        """E13 from WIPO."""
        return self.office.operator(prefix).call("POST", "notifications", json=message)


def make_desk(office: Office) -> Desk:
    document = PriorityDocumentId(DocumentKind.PATENT, "EP 00000000", clock.now().date())
    return Desk(office, build_node(office.settings()), document)
