"""How long simulated WIPO takes for what WIPO takes time for; changed while it runs."""

from dataclasses import asdict, dataclass
from typing import Any


class UnknownPace(Exception):
    """No such pace, or no such value for it; the message says which."""


@dataclass(slots=True)
class Pace:
    """Every wait that an office may meet. A change holds for what begins after it."""

    upload_url_seconds: float = 900.0
    """Life of a presigned URL; with 0 it is dead when it is given out."""
    file_check_seconds: float = 0.2
    """From the last byte of an upload to the outcome of its check."""
    pending_seconds: float = 0.0
    """How long a registration is `pending`; with 0 it never is."""
    registration_error: str = ""
    """If not empty, registrations end as `error` with this message."""

    def now(self) -> dict[str, Any]:
        return asdict(self)

    def set(self, changes: dict[str, Any]) -> None:
        """Change some. Raises `UnknownPace`, and then changes nothing."""
        for name, value in changes.items():
            if name not in self.now() or not _fits(name, value):
                raise UnknownPace(f"{name}: {value}")
        for name, value in changes.items():
            setattr(self, name, value)


def _fits(name: str, value: Any) -> bool:
    if name == "registration_error":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
