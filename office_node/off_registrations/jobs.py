"""An operation in the worker's hands, with everything it is about as it was when the work began."""

from dataclasses import dataclass

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.errors import NotYet
from office_node.library.catalogue import CatalogueEntry
from office_node.library.digital_library import DigitalLibrary
from office_node.off_registrations.records import OperationRecord, RegistrationRecord, is_its_turn, is_waiting
from office_node.off_registrations.states import ENDED, Verb
from office_node.outbox.outbox import Claim
from office_node.storage.database import Database
from office_node.uploads.service import Upload, Uploads

_TURN_SECONDS = 30.0
_CHANGING = (Verb.CORRECT, Verb.REPLACE, Verb.WITHDRAW)


@dataclass(frozen=True, slots=True)
class Job:
    """One claim's work."""

    claim: Claim
    operation: OperationRecord
    registration: RegistrationRecord | None
    entry: CatalogueEntry
    access_code: str
    """A secret: for WIPO alone."""
    upload: Upload | None

    @property
    def verb(self) -> Verb:
        return Verb(self.operation.verb)

    @property
    def registered(self) -> RegistrationRecord:
        """The registration, for the verbs that have one."""
        assert self.registration, "every verb but status and certificate needs one"  # noqa: S101  for the type alone
        return self.registration

    @property
    def document(self) -> PriorityDocumentId:
        """The document with the date that WIPO knows; the catalogue's, if WIPO knows none."""
        return self.registration.document if self.registration else self.entry.document

    @property
    def pointless(self) -> str | None:
        """Why WIPO need not be told, if so."""
        if self.upload and not self.upload.is_accepted:
            return self.upload.reason or "the content was not uploaded"
        if self.registration and self.registration.state in ENDED and self.verb in _CHANGING:
            return f"the registration has ended: {self.registration.ended_because}"
        return None

    def __repr__(self) -> str:
        return f"Job({self.operation.id})"


def read(database: Database, library: DigitalLibrary, uploads: Uploads, claim: Claim) -> Job | None:
    """What the claim's message is about; None if it has ended.

    Raises `NotYet` if something that was asked earlier about the document still waits.
    """
    with database.reading() as session:
        operation = session.get_one(OperationRecord, str(claim.payload["operation"]))
        if not is_waiting(operation):
            return None
        if not is_its_turn(session, operation):
            # Whose end makes this one due at once; the look is for what the end could not reach.
            what = "something asked earlier about this document still waits"
            raise NotYet(what, seconds=_TURN_SECONDS, is_ours=True)
        entry = library.look_up(session, DocumentKind(operation.kind), operation.number)
        assert entry, "documents never leave the catalogue"  # noqa: S101  for the type alone
        registration_id = operation.registration_id
        registration = session.get_one(RegistrationRecord, registration_id) if registration_id else None
        upload = uploads.look_up(session, operation.upload_id) if operation.upload_id else None
    return Job(claim, operation, registration, entry, library.access_code(entry), upload)
