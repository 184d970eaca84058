"""What is open at WIPO about a document of ours."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.off_registrations.records import WAITING, OperationRecord
from office_node.outbox.open_messages import who_acts
from office_node.timeline.history import OpenMatter
from office_node.uploads.records import UploadRecord
from office_node.uploads.states import UploadState


def open_matters(session: Session, kind: str, number: str) -> Iterator[OpenMatter]:
    """The operations that wait."""
    found = select(OperationRecord).where(OperationRecord.kind == kind, OperationRecord.number == number, WAITING)
    for operation in session.scalars(found.order_by(OperationRecord.turn)):
        who, next_step = who_acts(session, operation.id)
        upload = session.get(UploadRecord, operation.upload_id) if operation.upload_id else None
        where = f", its content {upload.state}" if upload and upload.state != UploadState.ACCEPTED else ""
        yield OpenMatter(f"{operation.verb} {operation.id} waits{where}", who, next_step)
