"""What the verbs of `office-node registrations` share: naming a document, waiting for the worker, telling what came."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from office_node.cli.context import echo_json, plain
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.off_registrations.states import OperationState

if TYPE_CHECKING:
    from office_node.off_registrations.overview import OperationView
    from office_node.wiring.node import Node

LOOK_SECONDS = 0.2
_WAIT_SECONDS = 60.0


class WipoRefused(OfficeNodeError):
    """WIPO did not take what the office asked for."""

    code = "N357"
    owner = "WIPO"
    hint = "correct what WIPO names, then ask for it again"


class StillWaiting(OfficeNodeError):
    """What was asked for has not ended yet; it is written down, and the worker goes on with it."""

    code = "N358"
    owner = "office"
    hint = "the worker goes on by itself, if it runs; `office-node registrations list` shows how far it is"


@click.group()
def registrations() -> None:
    """What WIPO shall know of the office's documents: register, correct, replace, withdraw, ask."""


WAIT = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=_WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for WIPO's answer.",
)
NO_WAIT = click.option("--no-wait", is_flag=True, help="Only write it down; the worker sees to it.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
APPLICATION_DATE = click.option(
    "--application-date", type=click.DateTime(["%Y-%m-%d"]), help="Filing date of the application, YYYY-MM-DD."
)
APPLICATION_NUMBER = click.option("--application-number", help="Number of the application.")
EMAIL = click.option("--email", help="Address of the applicant, for WIPO.")


@dataclass(frozen=True, slots=True)
class Named:
    """A document that a verb is about. Raises `BadDocumentNumber`."""

    kind: DocumentKind
    number: str

    @classmethod
    def read(cls, kind: str, number: str) -> "Named":
        """With its number in normal form."""
        return cls(DocumentKind(kind), number_formats.normalise(DocumentKind(kind), number))

    def shown(self, node: "Node") -> str:
        """With the date that the library knows."""
        entry = node.library.find(self.kind, self.number)
        return str(entry.document) if entry else f"{self.kind} {self.number}"


def day(moment: datetime | None) -> Any:
    """The date of what click read."""
    return moment.date() if moment else None


def await_end(node: "Node", operation_id: str, seconds: float) -> "OperationView":
    """How the operation stands when it has ended, when it waits for a human, or when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while True:
        view = node.overview.operation(operation_id)
        left = deadline - time.monotonic()
        if view.has_ended or view.is_parked or left <= 0:
            return view
        time.sleep(min(LOOK_SECONDS, left))


def tell(view: "OperationView", done: str, named: Named, *, as_json: bool) -> None:
    """`done` if it is; else raises `WipoRefused` or `StillWaiting`."""
    if as_json:
        echo_json({"kind": named.kind.value, "number": named.number, **plain(view)})
    if view.state is OperationState.WAITING:
        _raise_waiting(view)
    if view.state is OperationState.REFUSED:
        raise WipoRefused(f"refused: {one_line(view.reason or 'without a reason')}")
    if not as_json:
        click.echo(done)


def tell_written(operation_id: str, named: Named, *, as_json: bool) -> None:
    """It is written down, and nobody waits for it."""
    if as_json:
        echo_json({"kind": named.kind.value, "number": named.number, "operation_id": operation_id, "state": "waiting"})
    else:
        click.echo(f"written down as operation {operation_id}; the worker tells WIPO")


def _raise_waiting(view: "OperationView") -> NoReturn:
    if view.is_parked:
        hint = "mend what it names, then `office-node outbox retry`; `office-node outbox list --parked` tells the id"
        raise StillWaiting(f"waits for a human: {heard(view)}", hint=hint)
    raise StillWaiting(f"waits still: {heard(view)}")


def heard(view: "OperationView") -> str:
    """What was last heard of an operation that waits."""
    return one_line((view.reason or "nothing heard yet").partition("; hint:")[0])


def receipt(view: "OperationView") -> str:
    """WIPO's names for what it took."""
    names = (("requestAckId", view.wipo_acknowledgement_id), ("fileId", view.file_id))
    return "".join(f", {name} {one_line(value)}" for name, value in names if value)


def one_line(text: str) -> str:
    """A peer's words, without what would move the cursor."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
