"""What was decided about a pair, and the name that it gets: written down before anything moves on."""

import json
import os
import re
from contextlib import suppress
from typing import Final

from office_node.intake import files as intake_files
from office_node.intake.files import FileUnreadable, IntakeUnusable

REQUEST: Final = "json"
CONTENTS: Final = ("pdf", "zip")
RESULT: Final = "result.json"
_MOST_RESULT_BYTES = 1 << 24
_TICKET = re.compile(r"([^./\0][^/\0]{0,220})~[0-9a-f]{16}")


def is_ticket(text: str) -> bool:
    """Whether this is a name that `take` gave."""
    return _TICKET.fullmatch(text) is not None


def name_in(ticket: str) -> str:
    """The name under which it was dropped."""
    return ticket.rpartition("~")[0]


def decision_about(taken: int, ticket: str) -> tuple[str, str] | None:
    """The subfolder it goes to, and its name there; None if nothing is decided, or all is done."""
    if intake_files.look_at(taken, f"{ticket}.{RESULT}") is None:
        return None
    try:
        told = json.loads(intake_files.read_small(taken, f"{ticket}.{RESULT}", _MOST_RESULT_BYTES))
        outcome, name = told["outcome"], told["kept_as"]
    except FileNotFoundError:
        return None  # another worker has just carried it out
    except (ValueError, KeyError, TypeError, FileUnreadable) as exc:
        raise IntakeUnusable(f"what was decided about {ticket} cannot be read") from exc
    if outcome not in ("done", "refused") or name not in (ticket, name_in(ticket)):
        raise IntakeUnusable(f"what was decided about {ticket} is no decision")
    return outcome, name


def _reservation(ticket: str) -> str:
    return f".{name_in(ticket)}.reserved"


def free_name(folder: int, ticket: str) -> str:
    """The name it was dropped under, reserved for this ticket; the ticket itself if that name is taken."""
    name = name_in(ticket)
    _reserve(folder, ticket)
    if not _is_reserved(folder, ticket):
        return ticket
    if any(intake_files.look_at(folder, f"{name}.{extension}") for extension in (*CONTENTS, REQUEST, RESULT)):
        let_go(folder, ticket)
        return ticket
    return name


def _reserve(folder: int, ticket: str) -> None:
    """Unless another ticket has. No two hosts may find a name free at once, and none may wait for the other."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(_reservation(ticket), flags, 0o600, dir_fd=folder)
    except FileExistsError:
        return
    try:
        os.write(descriptor, ticket.encode())
    except OSError:
        os.unlink(_reservation(ticket), dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _is_reserved(folder: int, ticket: str) -> bool:
    with suppress(FileNotFoundError, FileUnreadable):
        return intake_files.read_small(folder, _reservation(ticket)) == ticket.encode()
    return False


def let_go(folder: int, ticket: str) -> None:
    """Others may have the name, as far as this ticket is concerned."""
    if _is_reserved(folder, ticket):
        intake_files.remove(folder, _reservation(ticket))
