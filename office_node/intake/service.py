"""The watched folder at work: what was dropped is taken, asked for, and handed back when it has ended.

Two kinds of messages carry it. `take_in` moves a pair to `taken/` and asks for what it wants, under its ticket as the
name to hand back to; what can be answered at once goes on to `done/` or `refused/`. `hand_back` does that for the
rest, when the operation has ended. Every step can be done again: a killed worker's message is claimed anew, and finds
by the ticket how far the pair is.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from office_node import clock, crash_points, logs
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.errors import NotYet, OfficeNodeError
from office_node.intake import request as intake_request
from office_node.intake import results as intake_results
from office_node.intake.decisions import CONTENTS, is_ticket, name_in
from office_node.intake.files import FileChanged, FileUnreadable
from office_node.intake.folder import Drop, IntakeFolder, Outcome, Taken
from office_node.intake.request import IntakeRequest
from office_node.intake.watch import Watch, drop_in, is_sound
from office_node.off_registrations.overview import OperationView, Overview, RegistrationView
from office_node.off_registrations.refusals import NothingToCorrect
from office_node.off_registrations.service import Asked, Registrations
from office_node.off_registrations.states import OperationState
from office_node.osf_retrievals.overview import Requests
from office_node.osf_retrievals.service import Retrievals
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step

log = structlog.get_logger()

REFUSED_BY: Final = (
    *("N301", "N303", "N305", "N307", "N310", "N316", "N319", "N320", "N346", "N347"),
    *("N350", "N351", "N352", "N353", "N354", "N355"),
    *("N361", "N362", "N363", "N364", "N365", "N366"),
    "N371",
)
"""Codes of what whoever dropped it can mend. Any other failure is the node's, or passes: then the pair waits."""
_LOOK_FOR_CONTENT_SECONDS = 2.0
_COMPLAINT_SECONDS = 60.0


class ContentMissing(OfficeNodeError):
    """NAME.json came without the file that belongs to it."""

    code = "N363"
    owner = "office"
    hint = "drop NAME.pdf or NAME.zip, then NAME.json; for what the library keeps, say in_library: true"


class ContentUnwanted(OfficeNodeError):
    """More files lie beside NAME.json than belong to it."""

    code = "N364"
    owner = "office"
    hint = "drop NAME.json with one content where one belongs to it, and else alone"


class BadName(OfficeNodeError):
    """The name of the files cannot be kept."""

    code = "N365"
    owner = "office"
    hint = "name them in printable UTF-8, in at most 200 bytes without the extension"


class Intake:
    """What the worker does about the watched folder."""

    def __init__(
        self,
        *,
        folder: IntakeFolder,
        watch: Watch,
        registrations: Registrations,
        overview: Overview,
        retrievals: Retrievals,
        requests: Requests,
        database: Database,
        outbox: Outbox,
        missing_seconds: float,
    ) -> None:
        self._folder = folder
        self._watch = watch
        self._registrations = registrations
        self._overview = overview
        self._retrievals = retrievals
        self._requests = requests
        self._database = database
        self._outbox = outbox
        self._missing = timedelta(seconds=missing_seconds)
        self._complaints = logs.Repeats(_COMPLAINT_SECONDS)

    def scan(self) -> int:
        """Look at the folder once; returns how many drops will be taken. Never raises: the next scan may do better."""
        try:
            return self._watch.look()
        except OfficeNodeError as exc:
            if times := self._complaints.due(exc.code):
                log.error("intake stands still", code=exc.code, reason=exc.message, hint=exc.next_step, times=times)
        except Exception:
            if self._complaints.due(OfficeNodeError.code):
                log.exception("intake stands still by a bug of ours", code=OfficeNodeError.code)
        return 0

    def remove_leftovers(self) -> int:
        """Remove what killed workers left half written. Raises `IntakeUnusable`."""
        self._folder.prepare()
        return self._folder.remove_leftovers()

    def take_in(self, claim: Claim) -> None:
        """Take a drop, and ask for what it wants. Raises `NotYet`, or what is not its maker's fault."""
        crash_points.reached("intake: claimed, nothing moved")
        drop = drop_in(claim.payload)
        if not self._folder.complete(drop.ticket) and self._take(claim, drop):
            crash_points.reached("intake: taken, nothing asked for")
            self._carry_out(claim, drop)
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)

    def hand_back(self, claim: Claim) -> None:
        """The operation has ended: the pair goes to `done/` or `refused/`. Raises `IntakeUnusable`."""
        view = self._overview.operation(str(claim.payload["operation"]))
        ticket = view.hand_back_to or ""
        if is_ticket(ticket) and not self._folder.complete(ticket) and self._folder.holds(ticket):
            outcome: Outcome = "refused" if view.state == OperationState.REFUSED else "done"
            named = self._named(ticket)
            self._finish(ticket, outcome, intake_results.of_operation(view, self._registration(view), named))
        crash_points.reached("intake: handed back, not settled")
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)

    def _take(self, claim: Claim, drop: Drop) -> bool:
        """Whether it lies in `taken/` now; else there is nothing to do."""
        if not drop.files.keys() & set(CONTENTS) and not self._folder.holds(drop.ticket):
            self._await_content(claim, drop)
            if self._folder.has_content(drop.name):
                return False  # the next look puts both
        match self._folder.take(drop):
            case Taken.GONE:
                return False
            case Taken.CHANGED if not self._is_asked_for(drop.ticket):
                self._refuse(drop, FileChanged("the files changed while they were taken"), {})
                return False
            case _:
                return True

    def _await_content(self, claim: Claim, drop: Drop) -> None:
        """Raises `NotYet` while the content may still come, or was taken already without this request."""
        waited = clock.now() - claim.first_tried_at
        # A dead worker's message is claimed again within a lease; what lies there longer was left by something else.
        if waited.total_seconds() < 2 * self._outbox.lease_seconds and self._folder.is_half_taken(name_in(drop.ticket)):
            raise NotYet("its content is being taken under an earlier message", seconds=_LOOK_FOR_CONTENT_SECONDS)
        try:
            body = self._folder.read_untaken(drop)
            needs_content = body is not None and intake_request.parse(body).needs_content
        except (intake_request.BadRequest, FileUnreadable):
            return  # taken, to be refused
        is_early = needs_content and waited < self._missing
        if is_early and not self._folder.has_content(drop.name):
            raise NotYet("the content is not there yet", seconds=_LOOK_FOR_CONTENT_SECONDS)

    def _carry_out(self, claim: Claim, drop: Drop) -> None:
        named: dict[str, Any] = {}
        try:
            request = self._request(drop)
            named = request.named()
            if request.operation == "retrieve":
                self._ask_wipo(drop, request, named)
                return
            if self._registrations.asked_as(request.kind, request.normal_number(), drop.ticket):
                return  # by a worker that was here before; `hand_back` does the rest
            asked = self._ask(drop, request)
        except OfficeNodeError as exc:
            if exc.code not in REFUSED_BY:
                raise
            if isinstance(exc, NothingToCorrect) and claim.attempts > 1:
                asked = Asked(None, is_new=False)  # an earlier try of ours corrected it
            else:
                self._refuse(drop, exc, named)
                return
        crash_points.reached("intake: asked for, not settled")
        self._answer(drop, asked, named)

    def _ask_wipo(self, drop: Drop, request: IntakeRequest, named: Mapping[str, Any]) -> None:
        """A document of another office: it comes into the folder of [osf], not here."""
        asked = self._retrievals.ask(request.wanted())
        view = self._requests.one(asked.request_id)
        if view:
            self._note(Step.DROP_TAKEN, named, view.request_id, name=name_in(drop.ticket))
            self._finish(drop.ticket, "done", intake_results.of_request(view, named, is_new=asked.is_new))

    def _answer(self, drop: Drop, asked: Asked, named: Mapping[str, Any]) -> None:
        """Hand back at once what needs no waiting."""
        if asked.operation_id is None:
            reason = "done in the library; WIPO has no registration that this concerns"
            self._finish(drop.ticket, "done", intake_results.of_nothing_to_tell(named, reason))
            return
        view = self._overview.operation(asked.operation_id)
        if view.hand_back_to != drop.ticket:
            registration = self._registration(view)
            self._finish(drop.ticket, "done", intake_results.of_earlier(view, registration, named))
            return
        self._note(Step.DROP_TAKEN, named, asked.operation_id, name=name_in(drop.ticket))
        log.info("drop taken in", name=name_in(drop.ticket), operation_id=asked.operation_id)

    def _request(self, drop: Drop) -> IntakeRequest:
        """What is wanted. Raises what it is refused by."""
        if not is_sound(drop.name):
            raise BadName(f"the name of the files is too long, or not printable UTF-8: {drop.name!a}")
        request = intake_request.parse(self._folder.read(drop.ticket))
        contents = sorted(drop.files.keys() & set(CONTENTS))
        if len(contents) > 1:
            raise ContentUnwanted("both NAME.pdf and NAME.zip are there")
        if request.needs_content and not contents:
            raise ContentMissing(f"no content beside the request for {self._missing.total_seconds():g} seconds")
        if contents and not request.needs_content:
            raise ContentUnwanted(f"NAME.{contents[0]} is there, and operation {request.operation} takes none here")
        return request

    def _ask(self, drop: Drop, request: IntakeRequest) -> Asked:
        number, back = request.normal_number(), drop.ticket
        match request.operation:
            case "correct":
                return self._registrations.correct(request.kind, number, request.corrections(), hand_back_to=back)
            case "withdraw":
                return self._registrations.withdraw(request.kind, number, hand_back_to=back)
            case "replace":
                with self._folder.content(back) as source:
                    if source is None:
                        raise FileChanged("the content is no longer there")
                    return self._registrations.replace(request.kind, number, source, hand_back_to=back)
            case "retrieve":
                raise AssertionError("asked for elsewhere")
            case "register":
                with self._folder.content(back) as source:
                    if source is None and request.needs_content:
                        raise FileChanged("the content is no longer there")
                    document, details = request.document(), request.details()
                    return self._registrations.submit(
                        document, source, request.access_code or None, details, request.content, hand_back_to=back
                    )

    def _is_asked_for(self, ticket: str) -> bool:
        """Whether a worker that was here before asked already: then its pair may be on its way back by now."""
        if not self._folder.holds(ticket):
            return False
        try:
            request = intake_request.parse(self._folder.read(ticket))
            return self._registrations.asked_as(request.kind, request.normal_number(), ticket) is not None
        except (intake_request.BadRequest, number_formats.BadDocumentNumber, FileUnreadable):
            return False

    def _named(self, ticket: str) -> dict[str, Any]:
        try:
            return intake_request.parse(self._folder.read(ticket)).named()
        except (intake_request.BadRequest, FileUnreadable):
            return {}

    def _registration(self, view: OperationView) -> RegistrationView | None:
        return self._overview.registration(view.registration_id) if view.registration_id else None

    def _refuse(self, drop: Drop, exc: OfficeNodeError, named: Mapping[str, Any]) -> None:
        log.warning("drop refused", name=name_in(drop.ticket), code=exc.code, reason=exc.message, hint=exc.next_step)
        self._finish(drop.ticket, "refused", intake_results.of_error(exc, named))

    def _finish(self, ticket: str, outcome: Outcome, result: Mapping[str, Any]) -> None:
        self._folder.finish(ticket, outcome, {"name": name_in(ticket), **result})
        step = Step.DROP_REFUSED if outcome == "refused" else Step.DROP_HANDED_BACK
        self._note(step, result, result.get("operation_id"), name=name_in(ticket), code=result.get("code"))
        log.info("drop handed back", name=name_in(ticket), outcome=outcome, code=result.get("code"))

    def _note(self, step: Step, named: Mapping[str, Any], subject: str | None, **said: str | None) -> None:
        kind, number = _normal(named)
        with self._database.transaction() as session:
            note(session, step, kind, number, subject=subject, **said)


def _normal(named: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Kind and number as the library keeps them; nothing where the request named none."""
    try:
        kind = DocumentKind(named["kind"])
        return kind.value, number_formats.normalise(kind, named["number"])
    except (KeyError, ValueError, number_formats.BadDocumentNumber):
        return None, None
