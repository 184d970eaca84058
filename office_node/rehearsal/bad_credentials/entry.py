"""One entry of the catalogue: what is sent, and what the office must answer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from office_node.rehearsal.bad_credentials.adversary import Adversary, Answer

Kind = Literal["assertion", "token"]
Attempt = Callable[[Adversary], Answer]


@dataclass(frozen=True, slots=True)
class Expected:
    """The answers that are right."""

    statuses: Collection[int]
    errors: Collection[str] | None = None
    """Error codes that are right; "" is none at all, and None any."""

    def told(self) -> str:
        statuses = "4xx" if isinstance(self.statuses, range) else "/".join(map(str, self.statuses))
        return f"{statuses} {' or '.join(error for error in self.errors or () if error)}".strip()

    def meets(self, answer: Answer) -> bool:
        fits = answer.status in self.statuses and (self.errors is None or answer.error in self.errors)
        return fits and not answer.flaw


@dataclass(frozen=True, slots=True)
class Entry:
    """A credential or a token request; `number` is its row in auth-checks.md, `name` unique in kind and setup."""

    number: int
    name: str
    sentence: str
    expected: Expected
    attempt: Attempt
    kind: Kind
    setup: Literal["own", "wipo"] = "own"
    compat: Expected | None = None
    """What is right for a client of the profile compat, where that is something else."""

    def right_for(self, profile: str) -> Expected:
        return self.compat if self.compat and profile == "compat" else self.expected

    def told(self) -> dict[str, Any]:
        return {"number": self.number, "name": self.name, "setup": self.setup, "kind": self.kind}
