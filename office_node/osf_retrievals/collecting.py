"""Brings a document here once WIPO has it for us: fetched, proven, kept where the storage policy says, handed over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Protocol

import structlog

from office_node import clock, crash_points
from office_node.das.retrieval_messages import Location
from office_node.document_id import PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.library.accession import Accession, ContentDiffers, DocumentDiffers
from office_node.library.digital_library import DigitalLibrary
from office_node.library.filing_dates import DateAhead
from office_node.library.formats import NotADocument, detect
from office_node.library.inspection import UnsoundPackage
from office_node.library.policy import Place, StoragePolicy
from office_node.osf_retrievals import coming as coming_files
from office_node.osf_retrievals.coming import CameWhole, ComingFiles
from office_node.osf_retrievals.handing_over import MAIN, CollectedFolder, Parcel, name_of
from office_node.osf_retrievals.noted import note_of
from office_node.osf_retrievals.records import RequestRecord, locked
from office_node.osf_retrievals.states import HERE, RequestState
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.timeline.steps import Step

log = structlog.get_logger()

CLEAR = "clear_at_wipo"
ORIGINAL = "original"
_PART = "part-"
_NOT_FOR_THE_LIBRARY = (DocumentDiffers, ContentDiffers, DateAhead, UnsoundPackage, NotADocument)


class NoLongerWanted(OfficeNodeError):
    """The request ended while its document came: what came is deleted."""

    code = "N432"
    owner = "office"
    hint = "ask for the document again if it is still needed"


class ServesDocuments(Protocol):
    """WIPO, as it is asked where the bytes are."""

    def locate(self, document: PriorityDocumentId, acknowledgement_id: str) -> Location: ...

    def original_of(self, acknowledgement_id: str) -> str | None: ...

    def delete_file(self, document: PriorityDocumentId, acknowledgement_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class CollectingParts:
    """What collecting is made of, and what the settings say of it."""

    database: Database
    library: DigitalLibrary
    accession: Accession
    outbox: Outbox
    wipo: ServesDocuments
    storage_policy: StoragePolicy
    coming: ComingFiles
    collected: CollectedFolder
    clear_transit: bool
    originals: bool


class Collecting:
    """The worker's part of a request whose document is available."""

    def __init__(self, parts: CollectingParts) -> None:
        self._parts = parts
        self._database = parts.database

    def collect(self, claim: Claim) -> None:
        """Bring it all here and hand it over. Raises what WIPO and its store raise, and `StoreUnusable`."""
        request = self._begun(claim)
        if request is None:
            return
        try:
            parcels = [*self._parcels(request)]
            crash_points.reached("collecting: checked, not handed over")
            version_id = self._kept_in_library(request, parcels[0].came)
            self._insist(request)
            self._hand_over(request, parcels, version_id)
        except NoLongerWanted:
            log.warning("request ended while its document came", request_id=request.id)
            files = self._parts.coming.forget(request.id)
            with self._database.transaction() as session:
                self._parts.outbox.settle(session, claim)
                note_of(session, Step.COPY_DELETED, request, files=files, because="the request ended")
            return
        crash_points.reached("collecting: handed over, not recorded")
        self._record(claim, request, parcels, version_id)

    def clear(self, claim: Claim) -> None:
        """WIPO may delete its transit copy (E16). Raises what the client raises."""
        with self._database.reading() as session:
            request = session.get_one(RequestRecord, str(claim.payload["request"]))
        self._parts.wipo.delete_file(request.document, str(request.acknowledgement_id))
        crash_points.reached("clearing: answered, not recorded")
        with self._database.transaction() as session:
            self._parts.outbox.settle(session, claim)
            note_of(session, Step.CLEARED_AT_WIPO, request)

    def _begun(self, claim: Claim) -> RequestRecord | None:
        """The request, if there is anything left to do about it."""
        with self._database.transaction() as session:
            request = locked(session, str(claim.payload["request"]))
            if request.state not in HERE:
                self._parts.outbox.settle(session, claim)
                return None
            if request.state == RequestState.AVAILABLE:
                request.move(RequestState.COLLECTING)
                note_of(session, Step.COLLECTING, request)
        return request

    def _parcels(self, request: RequestRecord) -> Iterator[Parcel]:
        document, acknowledgement_id = request.document, str(request.acknowledgement_id)
        still_wanted = _Watch(self._database, request)

        def locate() -> str:
            location = self._parts.wipo.locate(document, acknowledgement_id)
            # Noted before a byte comes: what is here whole needs no WIPO any more to be known as all there is.
            self._parts.coming.expect(request.id, [f"{_PART}{place}" for place in range(1, len(location.others) + 1)])
            return location.url

        yield self._fetched(request, MAIN, locate, still_wanted)
        for role in self._parts.coming.roles(request.id):
            if role.startswith(_PART):
                place = int(role.removeprefix(_PART)) - 1
                yield self._fetched(request, role, partial(self._other, request, place), still_wanted)
        if self._parts.originals and self._parts.wipo.original_of(acknowledgement_id):
            yield self._fetched(request, ORIGINAL, partial(self._original, acknowledgement_id), still_wanted)

    def _other(self, request: RequestRecord, place: int) -> str:
        others = self._parts.wipo.locate(request.document, str(request.acknowledgement_id)).others
        if place >= len(others):
            raise coming_files.ContentDiffers("WIPO names fewer files than before")
        return others[place].url

    def _original(self, acknowledgement_id: str) -> str:
        url = self._parts.wipo.original_of(acknowledgement_id)
        if url is None:
            raise coming_files.ContentDiffers("WIPO no longer names the original document")
        return url

    def _fetched(
        self, request: RequestRecord, role: str, locate: Callable[[], str], still_wanted: Callable[[], None]
    ) -> Parcel:
        came = self._parts.coming.fetch(request.id, role, locate, still_wanted)
        try:
            return Parcel(came, _format_of(came, is_main=role == MAIN))
        except NotADocument as exc:
            self._parts.coming.discard(request.id, role)
            with self._database.transaction() as session:
                note_of(session, Step.COLLECTING_FAILED, request, why=exc.message, sha256=came.sha256)
            raise coming_files.ContentDiffers(f"what WIPO serves is no document: {exc.message}") from exc

    def _kept_in_library(self, request: RequestRecord, came: CameWhole) -> str | None:
        """Which content of the library it is now; None if it may not be kept there, or does not fit."""
        document, classed = request.document, request.classed
        if self._parts.storage_policy.decide(document.kind, document.number, classed).place is not Place.LIBRARY:
            return None
        code = self._parts.library.reveal(str(request.sealed_access_code), document.kind, document.number)
        try:
            with came.open() as source:
                _, entry = self._parts.accession.add(source, document, code, classification=classed, is_collected=True)
        except _NOT_FOR_THE_LIBRARY as exc:
            log.warning("collected document not kept in the library", code=exc.code, reason=exc.message, hint=exc.hint)
            return None
        return entry.current.version_id

    def _insist(self, request: RequestRecord) -> None:
        _Watch(self._database, request).insist()

    def _hand_over(self, request: RequestRecord, parcels: list[Parcel], version_id: str | None) -> None:
        self._parts.collected.lay(name_of(request), parcels, _about(request, version_id))

    def _record(self, claim: Claim, request: RequestRecord, parcels: list[Parcel], version_id: str | None) -> None:
        name, came = name_of(request), parcels[0].came
        with self._database.transaction() as session:
            self._parts.outbox.settle(session, claim)
            present = locked(session, request.id)
            is_wanted = present.state == RequestState.COLLECTING
            if is_wanted:
                present.end(RequestState.COLLECTED, None)
                present.handed_over_as, present.version_id = name, version_id
                present.keep_until = None if version_id else present.keep_until
                note_of(session, Step.COLLECTED, present, bytes=came.size, sha256=came.sha256)
                note_of(session, Step.HANDED_OVER, present, file=name, in_library=version_id is not None)
                note_of(session, Step.COPY_DELETED, present, files=len(parcels), because="handed over")
                if self._parts.clear_transit:
                    message = f"{CLEAR}:{request.id}"
                    self._parts.outbox.put(session, CLEAR, message, {"request": request.id}, request.id)
        if not is_wanted:
            self._parts.collected.remove(name)
        self._parts.coming.forget(request.id)
        log.info("document collected" if is_wanted else "request ended while its document was handed over", name=name)


class _Watch:
    """Asks now and then whether a request is still wanted: its bytes must not lie here past their time."""

    def __init__(self, database: Database, request: RequestRecord) -> None:
        self._database = database
        self._request = request

    def __call__(self) -> None:
        if self._request.keep_until and clock.now() >= self._request.keep_until:
            self.insist()

    def insist(self) -> None:
        """Raises `NoLongerWanted`."""
        with self._database.reading() as session:
            present = session.get_one(RequestRecord, self._request.id)
        is_over = present.keep_until is not None and clock.now() >= present.keep_until
        if is_over or present.state != RequestState.COLLECTING:
            raise NoLongerWanted("the request has ended")


def _format_of(came: CameWhole, *, is_main: bool) -> str:
    """`pdf` or `zip`; what comes beside the document may be XML too. Raises `NotADocument`."""
    with came.open() as file:
        if not is_main and _begins_as_xml(file):
            return "xml"
        return detect(file).value


def _begins_as_xml(file: BinaryIO) -> bool:
    return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _about(request: RequestRecord, version_id: str | None) -> dict[str, Any]:
    """What the office's systems are told beside the files."""
    filing_date = request.application_filing_date
    return {
        "request": request.id,
        "acknowledgement_id": request.acknowledgement_id,
        "kind": request.kind,
        "number": request.number,
        "date": request.date.isoformat(),
        "class": request.classification,
        "application": {
            "category": request.application_category,
            "number": request.application_number,
            "filing_date": filing_date.isoformat() if filing_date else None,
        },
        "asked_at": request.created_at.isoformat(timespec="seconds"),
        "available_at": request.available_at.isoformat(timespec="seconds") if request.available_at else None,
        "collected_at": clock.now().isoformat(timespec="seconds"),
        "kept_in_library": version_id is not None,
        "take_it_before": None if version_id or not request.keep_until else request.keep_until.isoformat(),
    }
