"""Brings contents to WIPO's store: ask for an address (E2), send the bytes (E4), wait until WIPO accepts them (E5).

Each step is recorded before the next begins, so a killed worker's upload goes on from where it was. What waits for the
end says at the beginning which message of the outbox the end puts, and reads there what came of it.
"""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import structlog
from sqlalchemy.orm import Session

from office_node import clock, crash_points
from office_node.das.registration_messages import FileStatus, UploadPlace
from office_node.das.transfer import Content, LinkExpired
from office_node.errors import NotYet, PeerRefused
from office_node.library.catalogue import Version
from office_node.library.digital_library import DigitalLibrary
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step
from office_node.uploads.records import UploadRecord, locked
from office_node.uploads.states import ENDED, UploadState

log = structlog.get_logger()

SEND = "send_content"
CHECK = "check_upload"
_MOST_ROUNDS = 5
_LONGEST_LOOK_SECONDS = 5.0  # protocol.md E5: the sample polls every 5 s
_NO_LONGER_WANTED = "no longer wanted"


class TakesFiles(Protocol):
    """What this room needs of WIPO's client."""

    def request_upload(self, file_format: str, sha256: str, reference: str) -> UploadPlace: ...

    def renew_upload(self, file_id: str) -> UploadPlace: ...

    def file_status(self, file_id: str) -> FileStatus: ...


class CarriesContents(Protocol):
    """What it needs of the object store's."""

    def upload(self, url: str, content: Content, media_type: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Then:
    """The message that the end of an upload puts into the outbox, in the same transaction."""

    kind: str
    effect_key: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is."""

    state: UploadState
    file_id: str | None
    reason: str | None

    @property
    def is_accepted(self) -> bool:
        return self.state is UploadState.ACCEPTED


class Uploads:
    """Contents of the library on their way to WIPO."""

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        outbox: Outbox,
        wipo: TakesFiles,
        store: CarriesContents,
    ) -> None:
        self._database = database
        self._library = library
        self._outbox = outbox
        self._wipo = wipo
        self._store = store

    def begin(self, session: Session, version_id: str, *, reference: str, subject: str, then: Then) -> str:
        """Have a content brought to WIPO, in the caller's transaction; returns the upload's id."""
        upload = UploadRecord(
            id=uuid4().hex,
            version_id=version_id,
            reference=reference,
            subject=subject,
            then_kind=then.kind,
            then_effect_key=then.effect_key,
            then_payload=then.payload,
            state=UploadState.DUE,
            round=0,
            began_at=clock.now(),
        )
        session.add(upload)
        self._put(session, SEND, upload)
        note(session, Step.UPLOAD_BEGUN, None, None, subject=subject, upload=upload.id)
        return upload.id

    def look_up(self, session: Session, upload_id: str) -> Upload:
        """How far it is, inside the caller's transaction."""
        record = session.get_one(UploadRecord, upload_id)
        return Upload(UploadState(record.state), record.file_id, record.reason)

    def give_up(self, session: Session, upload_id: str) -> None:
        """Nobody wants it any more: it ends where it stands, in the caller's transaction."""
        upload = locked(session, upload_id)
        if upload.state not in ENDED:
            self._end(session, upload, UploadState.REJECTED, _NO_LONGER_WANTED)

    def send(self, claim: Claim) -> None:
        """Ask for an address and send the bytes. Raises what the client raises, `FileMissing` or `ContentChanged`."""
        upload = self._read(claim)
        if upload.state not in (UploadState.DUE, UploadState.SENDING):
            self._settle(claim)
            return
        try:
            file_id = self._bring(upload)
        except PeerRefused as exc:
            self._refused(claim, exc.message)
            return
        crash_points.reached("upload: bytes sent, not recorded")
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            record = locked(session, upload.id)
            if record.state != UploadState.SENDING:
                return  # given up meanwhile
            record.move(UploadState.SENT, sent_at=clock.now())
            self._put(session, CHECK, record)
            note(session, Step.UPLOAD_SENT, None, None, subject=record.subject, upload=record.id, file_id=file_id)
        log.info("content sent to WIPO's store", version_id=upload.version_id, file_id=file_id)

    def check(self, claim: Claim) -> None:
        """Ask what WIPO makes of the bytes. Raises `NotYet` while it checks them, and what the client raises."""
        upload = self._read(claim)
        if upload.state != UploadState.SENT:
            self._settle(claim)
            return
        try:
            status = self._wipo.file_status(str(upload.file_id))
        except PeerRefused as exc:
            if exc.status == 404:
                self._start_over(claim, exc)
            else:
                self._refused(claim, exc.message)
            return
        if status.verdict == "processing":
            looks_in = claim.next_look_seconds(_LONGEST_LOOK_SECONDS)
            raise NotYet(f"WIPO checks the file ({status.said})", seconds=looks_in)
        if status.verdict == "rejected":
            self._refused(claim, f"WIPO rejected the file: {status.said}")
            return
        crash_points.reached("upload: file accepted, not recorded")
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            record = locked(session, upload.id)
            if record.state == UploadState.SENT:
                self._end(session, record, UploadState.ACCEPTED, None)
        log.info("file accepted by WIPO", file_id=upload.file_id)

    def _bring(self, upload: UploadRecord) -> str:
        """The file id under which the store now has the bytes."""
        version = self._library.version(upload.version_id)
        place = self._place(upload, version)
        if place is None:
            return str(upload.file_id)
        crash_points.reached("upload: address recorded, before the bytes")
        try:
            self._carry(version, place.url)
        except LinkExpired:  # an address of yesterday, or a slow queue before us: once more with a new one
            if renewed := self._renewed(place.file_id):
                self._carry(version, renewed.url)
        return place.file_id

    def _place(self, upload: UploadRecord, version: Version) -> UploadPlace | None:
        """Where to send the bytes; None if WIPO has them already."""
        if upload.file_id:
            try:
                return self._renewed(upload.file_id)
            except PeerRefused as exc:
                if exc.status != 404:
                    raise
                log.warning("WIPO has forgotten the file, it is sent anew", file_id=upload.file_id)
        crash_points.reached("upload: before WIPO is asked for an address")
        place = self._wipo.request_upload(version.file_format.value, version.sha256, upload.reference)
        crash_points.reached("upload: WIPO gave an address, not recorded")
        with self._database.transaction() as session:
            record = locked(session, upload.id)
            if record.state == UploadState.DUE:
                record.move(UploadState.SENDING)
            record.file_id = place.file_id
        return place

    def _renewed(self, file_id: str) -> UploadPlace | None:
        """A new address for a file; None if WIPO has its bytes already, though nobody could tell us."""
        try:
            return self._wipo.renew_upload(file_id)
        except PeerRefused as exc:
            if exc.status == 409:  # protocol.md E3: the file has already been accepted
                return None
            raise

    def _carry(self, version: Version, url: str) -> None:
        with self._library.open(version) as file:
            content = Content(
                file,
                version.size,
                version.sha256,
                half_way=lambda: crash_points.reached("upload: half of the bytes are sent"),
            )
            self._store.upload(url, content, version.file_format.media_type)

    def _start_over(self, claim: Claim, exc: PeerRefused) -> None:
        """WIPO does not know the file any more: unused ones are cleaned up there."""
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            record = locked(session, str(claim.payload["upload"]))
            if record.state != UploadState.SENT:
                return  # given up meanwhile
            if record.round + 1 >= _MOST_ROUNDS:
                self._end(session, record, UploadState.REJECTED, f"WIPO lost the file again and again: {exc.message}")
                return
            record.move(UploadState.DUE, file_id=None, round=record.round + 1)
            self._put(session, SEND, record)

    def _refused(self, claim: Claim, reason: str) -> None:
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            record = locked(session, str(claim.payload["upload"]))
            if record.state not in ENDED:
                self._end(session, record, UploadState.REJECTED, reason)
        log.error("upload refused", code=PeerRefused.code, reason=reason, hint=PeerRefused.hint)

    def _end(self, session: Session, record: UploadRecord, state: UploadState, reason: str | None) -> None:
        record.move(state, ended_at=clock.now(), reason=reason[:500] if reason else None)
        step = Step.UPLOAD_ACCEPTED if state is UploadState.ACCEPTED else Step.UPLOAD_REFUSED
        note(session, step, None, None, subject=record.subject, upload=record.id, reason=record.reason)
        self._outbox.put(session, record.then_kind, record.then_effect_key, record.then_payload, record.subject)

    def _put(self, session: Session, kind: str, record: UploadRecord) -> None:
        self._outbox.put(session, kind, f"{kind}:{record.id}:{record.round}", {"upload": record.id}, record.subject)

    def _read(self, claim: Claim) -> UploadRecord:
        with self._database.reading() as session:
            return session.get_one(UploadRecord, str(claim.payload["upload"]))

    def _settle(self, claim: Claim) -> None:
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
