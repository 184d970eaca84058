"""The ground of all failures: a code, whose turn it is, and what to do next.

Classes stand beside the code that raises them; only the families that several rooms share are here.
"""

from typing import ClassVar, Literal

Owner = Literal["office", "WIPO", "network", "caller"]


class OfficeNodeError(Exception):
    """A failure its reader can act on. The message never holds a secret."""

    code: ClassVar[str] = "N900"
    owner: ClassVar[Owner] = "office"
    hint: ClassVar[str] = "report this with the log lines around it"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = hint or self.hint

    def __str__(self) -> str:
        return f"{self.code} {self.message}; hint: {self.next_step}"


class PeerUnavailable(OfficeNodeError):
    """The line, or a peer that may answer later: worth another try.

    `retry_after_seconds` is what the peer asked for, if it did. `at_least_seconds` is the shortest wait that makes
    sense after this kind of failure.
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
        at_least_seconds: float = 0,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds
        self.at_least_seconds = at_least_seconds


class PeerRefused(OfficeNodeError):
    """The peer understood us and said no: the same words again will not help."""

    code = "N602"
    owner = "WIPO"
    hint = "read the peer's reason, correct what it names, then `office-node outbox retry`"
