"""What NAME.result.json says: what happened, and what to do."""

from collections.abc import Mapping
from typing import Any

from office_node import clock
from office_node.errors import OfficeNodeError
from office_node.off_registrations.overview import OperationView, RegistrationView
from office_node.off_registrations.states import OperationState
from office_node.osf_retrievals.overview import RequestView

_NOTHING = "nothing"


class NotTaken(OfficeNodeError):
    """The operation ended, and WIPO did not take it or did not hear of it; the reason says why."""

    code = "N367"
    owner = "office"
    hint = "correct what the reason names, then drop both files again"


def of_error(exc: OfficeNodeError, named: Mapping[str, Any]) -> dict[str, Any]:
    """It was refused here."""
    findings = [str(finding) for finding in getattr(exc, "findings", ())]
    return _told(named, exc.code, findings or [exc.message], exc.next_step)


def of_nothing_to_tell(named: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """It is done without WIPO."""
    return _told(named, None, [reason], _NOTHING)


def of_operation(
    view: OperationView, registration: RegistrationView | None, named: Mapping[str, Any]
) -> dict[str, Any]:
    """An operation that has ended."""
    facts = _facts(view, registration)
    if view.state == OperationState.REFUSED:
        return _told({**named, **facts}, NotTaken.code, [view.reason or "no reason was given"], NotTaken.hint)
    return _told({**named, **facts}, None, [], _NOTHING)


def of_earlier(view: OperationView, registration: RegistrationView | None, named: Mapping[str, Any]) -> dict[str, Any]:
    """The same had been asked for before, by other means or under another name."""
    reason = f"the same was asked for before, as operation {view.operation_id}"
    waits = "" if view.has_ended else ", which waits for WIPO"
    return _told({**named, **_facts(view, registration)}, None, [reason + waits], _NOTHING)


def of_request(view: RequestView, named: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """WIPO is asked for a document of another office."""
    facts = {"request": view.request_id, "comes_as": f"{view.comes_as}.json in collected/ of the node's [osf] folder"}
    told = [] if is_new else [f"the same was asked for before; it is {view.state.value}"]
    return _told({**named, **facts}, None, told, _NOTHING)


def _facts(view: OperationView, registration: RegistrationView | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"operation": view.verb.value, "operation_id": view.operation_id}
    file_id, acknowledgement_id = view.file_id, view.wipo_acknowledgement_id
    if registration:
        facts |= {"kind": registration.kind.value, "number": registration.number, "date": str(registration.date)}
        file_id = file_id or registration.file_id
        acknowledgement_id = acknowledgement_id or registration.wipo_acknowledgement_id
        if registration.registered_at:
            facts["registered_at"] = registration.registered_at.isoformat(timespec="seconds")
    known = {"requestAckId": acknowledgement_id, "fileId": file_id}
    return facts | {name: value for name, value in known.items() if value}


def _told(named: Mapping[str, Any], code: str | None, reasons: list[str], what_to_do: str) -> dict[str, Any]:
    code_or_none = {"code": code} if code else {}
    at = clock.now().isoformat(timespec="seconds")
    return {**named, **code_or_none, "reasons": reasons, "what_to_do": what_to_do, "at": at}
