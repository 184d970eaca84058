"""The ground of all failures: a code, whose turn it is, and what to do next.

Classes stand beside the code that raises them; only the families that several rooms share are here.
"""

from typing import ClassVar, Literal

Owner = Literal["office", "operator", "WIPO", "network", "caller"]
"""Whose turn it is: who works with the document, who runs the node, WIPO, the line, who calls the node."""


class OfficeNodeError(Exception):
    """A failure its reader can act on. The message never holds a secret."""

    code: ClassVar[str] = "N900"
    owner: ClassVar[Owner] = "operator"
    hint: ClassVar[str] = "report this with the log lines around it"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = hint or self.hint

    def __str__(self) -> str:
        return f"{self.code} {self.message}; hint: {self.next_step}"


class PeerUnavailable(OfficeNodeError):
    """The line, or a peer that may answer later: worth another try.

    `retry_after_seconds` is what the peer asked for, if it did. `needs_rest`: a quick repeat would meet the same.
    `made_progress`: the line carries, it was cut in the middle of a transfer; so the next try need not wait longer and
    longer. `may_have_happened`: the request may have reached the peer and had its effect there; nobody here knows.
    """

    code = "N601"
    owner: ClassVar[Owner] = "network"
    hint = "the node tries again by itself; if it lasts, check the line to the peer"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after_seconds: float | None = None,
        needs_rest: bool = False,
        made_progress: bool = False,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds
        self.needs_rest = needs_rest
        self.made_progress = made_progress
        self.may_have_happened = may_have_happened


class Postponed(PeerUnavailable):
    """Nothing was tried, and nothing failed: what keeps everybody from trying now has its own end.

    It costs a message no try. `retry_after_seconds` tells when to look again.
    """

    code = "N612"
    hint = "nothing to do: the node goes on by itself"


class PeerRefused(OfficeNodeError):
    """The peer understood us and said no: the same words again will not help."""

    code = "N602"
    owner = "WIPO"
    hint = "read the peer's reason, correct what it names, then `office-node outbox retry`"

    def __init__(
        self, message: str, *, hint: str | None = None, status: int = 0, numbers: tuple[int, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """HTTP status of the answer; 0 if it was a 2xx that says no."""
        self.numbers = numbers
        """The peer's own numbers for its reasons, such as -7."""


class NotYet(OfficeNodeError):
    """Nothing failed: a peer, or an earlier step, is still at work. Worth another look in `seconds`.

    `is_ours`: what is waited for is a step of our own, which has its own end; so the wait has none.
    """

    code = "N608"
    owner: ClassVar[Owner] = "WIPO"
    hint = "nothing to do: the node looks again by itself"

    def __init__(self, message: str, *, seconds: float, is_ours: bool = False) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.is_ours = is_ours
