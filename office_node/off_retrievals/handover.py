"""WIPO's part of a forwarded retrieval: it asks how far we are, fetches the document, and ends the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

import structlog
from sqlalchemy import Select, or_, select

from office_node import clock, logs
from office_node.auth.token_verifier import VerifiedClaims
from office_node.das import number_formats
from office_node.das.error_codes import Gone, Malformed, NotFound, NotReady
from office_node.das.messages import DocumentFilter, RetrievalStatus, UrlDownloadRequest
from office_node.das.number_formats import BadDocumentNumber
from office_node.document_id import DocumentKind
from office_node.library.catalogue import Version
from office_node.library.digital_library import DigitalLibrary
from office_node.off_retrievals import states
from office_node.off_retrievals.download_links import DownloadLinks
from office_node.off_retrievals.noted import note_of
from office_node.off_retrievals.records import UNENDED, locked
from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.off_retrievals.states import RetrievalState
from office_node.storage.database import Database
from office_node.timeline.steps import Step

log = structlog.get_logger()

_MOST_STATUSES = 1000
_PROVEN_AT_ONCE_BYTES = 64 << 20
_NEWLY_ENDED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a link names: a content, and whose request it answers."""

    client_id: str
    version: Version


class Handover:
    """Steps 4 and 5 of flow F3 (protocol.md 7), with the status check (E12) and the end (E16)."""

    def __init__(self, database: Database, library: DigitalLibrary, links: DownloadLinks) -> None:
        self._database = database
        self._library = library
        self._links = links

    def statuses(self, caller: VerifiedClaims, wanted: DocumentFilter) -> list[RetrievalStatus]:
        """How far the caller's retrievals are (E12): what is open before what has ended, newest first, at most 1000.

        Asked for nothing in particular, it tells what is open and what ended within a day.
        """
        query = _matching(caller, wanted)
        if not wanted.model_fields_set:
            query = query.where(or_(UNENDED, Retrieval.ended_at > clock.now() - _NEWLY_ENDED))
        query = query.order_by(Retrieval.ended_at.is_not(None), Retrieval.received_at.desc()).limit(_MOST_STATUSES)
        with self._database.reading() as session:
            found = session.scalars(query).all()
        if len(found) == 1:
            logs.bind(acknowledgement_id=found[0].acknowledgement_id)
        return [retrieval.status() for retrieval in found]

    def status(self, caller: VerifiedClaims, wanted: DocumentFilter) -> RetrievalStatus:
        """How far the newest of them is. Raises `NotFound`."""
        found = self.statuses(caller, wanted)
        if not found:
            raise NotFound("No such request")
        return found[0]

    def issue_link(self, caller: VerifiedClaims, request: UrlDownloadRequest) -> str:
        """A link to the prepared content (E14); any id of ours or WIPO's names the request (C-9).

        Raises `NotFound`, `NotReady` or `Gone`.
        """
        state = Retrieval.state
        best_first = (state.not_in(states.SERVED), state.not_in(states.UNHEARD), Retrieval.received_at.desc())
        with self._database.reading() as session:
            found = session.scalars(_matching(caller, request).order_by(*best_first).limit(1)).first()
            present = self._library.look_up(session, DocumentKind(found.kind), found.number) if found else None
        if found is None:
            raise NotFound("No such request")
        logs.bind(acknowledgement_id=found.acknowledgement_id)
        if found.state in (RetrievalState.RECEIVED, RetrievalState.UPLOADING):
            raise NotReady("The document is not ready yet")
        if found.version_id is None or found.state not in states.SERVED:
            raise Gone("The request has ended")
        version_id = present.current.version_id if present else found.version_id
        self._note_link(found.acknowledgement_id, version_id)
        log.info("download link issued")
        stores_own = self._library.presigned(self._library.version(version_id), self._links.seconds)
        return stores_own or self._links.sign(found.acknowledgement_id, version_id)

    def _note_link(self, acknowledgement_id: str, version_id: str) -> None:
        """If the content was replaced since it was prepared, nobody gets the old one any more (protocol.md E7)."""
        with self._database.transaction() as session:
            retrieval = locked(session, acknowledgement_id)
            if retrieval.state not in states.SERVED:
                raise Gone("The request has ended")
            if retrieval.version_id != version_id:
                retrieval.version_id = version_id
                log.info("replaced content taken for the request", version_id=version_id)
            note_of(session, Step.LINK_ISSUED, retrieval)

    def content(self, acknowledgement_id: str, version_id: str) -> Offered:
        """The content that a checked link names. Raises `Gone` when its request has ended, or it was replaced."""
        with self._database.reading() as session:
            retrieval = session.get(Retrieval, acknowledgement_id)
            present = (
                self._library.look_up(session, DocumentKind(retrieval.kind), retrieval.number) if retrieval else None
            )
        if retrieval is None or retrieval.version_id != version_id or retrieval.state not in states.SERVED:
            raise Gone("The request has ended")
        if present and present.current.version_id != version_id:
            raise Gone("The content was replaced: ask for its location again")
        return Offered(retrieval.client_id, self._library.version(version_id))

    def open(self, version: Version, *, from_start: bool) -> BinaryIO:
        """The bytes of a content. Raises `FileMissing`, `DocumentDamaged` or `StoreUnusable`.

        It is read whole against its digest before its first byte goes out, if it is not so large that its reader would
        take us for dead. A larger one that is sealed is proven as it is read.
        """
        if from_start:
            self._prove(version)
        return self._library.open(version)

    def place(self, version: Version, *, from_start: bool) -> str | None:
        """Where its file lies in the library's folder; None if only the node can send it. Raises as `open` does."""
        if from_start:
            self._prove(version)
        return self._library.place(version)

    def _prove(self, version: Version) -> None:
        if version.size <= _PROVEN_AT_ONCE_BYTES:
            self._library.check(version)

    def note_downloaded(self, acknowledgement_id: str) -> None:
        """The last byte was sent: the request is no longer open, though its link may be used again."""
        with self._database.transaction() as session:
            retrieval = locked(session, acknowledgement_id)
            note_of(session, Step.SERVED, retrieval)
            if retrieval.may_move(RetrievalState.DOWNLOADED):
                retrieval.move(RetrievalState.DOWNLOADED, downloaded_at=clock.now(), open_key=None)

    def end(self, caller: VerifiedClaims, deletion: DocumentFilter) -> None:
        """E16: the caller has what it needs; its links stop working at once.

        Raises `Malformed` when nothing is named, `NotFound` when nothing is open under what is named.
        """
        if not (deletion.acknowledgement_ids or (deletion.document_kind_category and deletion.document_number)):
            raise Malformed("Name the request by its acknowledgement id, or the document by kind and number")
        query = _matching(caller, deletion).where(Retrieval.state.not_in(states.ENDED))
        with self._database.transaction() as session:
            open_ones = session.scalars(query.with_for_update()).all()
            if not open_ones:
                raise NotFound("No such request, or it has ended already")
            for retrieval in open_ones:
                retrieval.end(RetrievalState.EXPIRED, "deleted by WIPO")
                note_of(session, Step.RETRIEVAL_ENDED, retrieval, because="deleted by WIPO")
                logs.bind(acknowledgement_id=retrieval.acknowledgement_id)
                log.info("retrieval ended by WIPO")


def _matching(caller: VerifiedClaims, wanted: DocumentFilter) -> Select[Retrieval]:
    """The caller's requests that fit everything that `wanted` says."""
    query = select(Retrieval).where(Retrieval.client_id == caller.client_id)
    if wanted.acknowledgement_ids:
        query = _with_ids(query, wanted.acknowledgement_ids)
    if wanted.document_kind_category:
        query = query.where(Retrieval.kind == wanted.document_kind_category)
    if wanted.document_number:
        query = query.where(Retrieval.number.in_(_normal_forms(wanted.document_kind_category, wanted.document_number)))
    if wanted.document_date:
        query = query.where(Retrieval.date == wanted.document_date)
    return query


def _with_ids(query: Select[Retrieval], ids: Sequence[str]) -> Select[Retrieval]:
    return query.where(or_(Retrieval.acknowledgement_id.in_(ids), Retrieval.wipo_acknowledgement_id.in_(ids)))


def _normal_forms(kind: DocumentKind | None, number: str) -> set[str]:
    """The forms in which a number may be kept: one if the kind is known, else one of each kind that has it."""
    forms = set()
    for candidate in [kind] if kind else list(DocumentKind):
        try:
            forms.add(number_formats.normalise(candidate, number))
        except BadDocumentNumber:
            continue
    return forms
