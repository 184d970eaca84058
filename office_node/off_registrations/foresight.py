"""What a verb would do, and would refuse, without doing it."""

from typing import BinaryIO

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.accession import Accession
from office_node.library.digital_library import DigitalLibrary
from office_node.off_registrations import judging, refusals
from office_node.off_registrations.details import Corrections, Details
from office_node.off_registrations.records import waiting_corrections
from office_node.storage.database import Database


class Foresight:
    """Looks, and changes nothing; what it says is true until somebody else changes something."""

    def __init__(self, database: Database, library: DigitalLibrary, accession: Accession) -> None:
        self._database = database
        self._library = library
        self._accession = accession

    def of_submission(
        self,
        document: PriorityDocumentId,
        source: BinaryIO | None,
        access_code: str | None,
        details: Details,
        content_at: str | None,
    ) -> bool:
        """Whether the document would be registered; False if that was asked for already. Raises as `submit` does."""
        with self._database.reading() as session:
            entry = self._library.look_up(session, document.kind, document.number)
            registration = judging.open_registration(session, document.kind, document.number)
        code = judging.access_code(self._library, entry, document, access_code)
        if source:
            self._accession.would_add(source, document, code, may_follow=lambda _session: registration is None)
        else:
            judging.sound(self._accession, entry, document, code, note=False)
        if registration is None or entry is None:
            return True
        refusals.differing(registration, entry, details, content_at)
        return False

    def of_correction(self, kind: DocumentKind, number: str, corrections: Corrections) -> list[str]:
        """The names of what would be corrected. Raises as `correct` does."""
        with self._database.reading() as session:
            entry = judging.kept(self._library, session, kind, number)
            registration = judging.open_registration(session, kind, number)
            on_their_way = waiting_corrections(session, kind, number)
        facts = judging.differing_facts(self._library, entry, registration, corrections, on_their_way)
        return ["access_code" if name == "sealed_access_code" else name for name in facts]
