"""What is right for a token request, and entries for an assertion that differs from the honest one."""

from collections.abc import Callable
from typing import Final

from office_node.rehearsal.bad_credentials.adversary import Adversary
from office_node.rehearsal.bad_credentials.entry import Attempt, Entry, Expected

Make = Callable[[Adversary], str]

ISSUED: Final = Expected((200,), ("",))
INVALID_CLIENT: Final = Expected((400, 401), ("invalid_client",))
NOT_AUTHENTICATED: Final = Expected((400, 401), ("invalid_client", "invalid_request"))
INVALID_REQUEST: Final = Expected((400,), ("invalid_request",))
INVALID_SCOPE: Final = Expected((400,), ("invalid_scope",))
OTHER_GRANT: Final = Expected((400,), ("unsupported_grant_type", "unauthorized_client"))
REFUSED: Final = Expected(range(400, 500))
CLEAN: Final = Expected((200, 400, 401))
"""Issued or refused, but answered as a token endpoint answers."""


def asking(number: int, name: str, sentence: str, expected: Expected, attempt: Attempt) -> Entry:
    """An entry for the token endpoint."""
    return Entry(number, name, sentence, expected, attempt, "assertion")


def good(number: int, name: str, sentence: str, make: Make) -> Entry:
    return asking(number, name, sentence, ISSUED, lambda who: who.ask(make(who)))


def bad(number: int, name: str, sentence: str, make: Make) -> Entry:
    return asking(number, name, sentence, INVALID_CLIENT, lambda who: who.ask(make(who)))


def malformed(number: int, name: str, sentence: str, make: Make) -> Entry:
    """Bad in its form already, so that invalid_request is right too."""
    return asking(number, name, sentence, NOT_AUTHENTICATED, lambda who: who.ask(make(who)))
