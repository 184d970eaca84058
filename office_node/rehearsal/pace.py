"""How long simulated WIPO takes for what WIPO takes time for; changed while it runs."""

from dataclasses import asdict, dataclass
from typing import Any


class UnknownPace(Exception):
    """No such pace, or no such value for it; the message says which."""


@dataclass(slots=True, kw_only=True)
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

    prepare_seconds: float = 0.1
    """From an office's request for a document to its being available, if WIPO has the content."""
    download_url_seconds: float = 900.0
    """Life of a presigned URL for a download."""
    notifications: int = 1
    """How often the office is told that a document is available; 0: it has to ask."""
    merged: int = 0
    """1: what is served is a PDF with WIPO's cover page, and the original has an address of its own."""
    late_errors: int = 0
    """1: a request that does not match is acknowledged, and ends as an error later."""
    cut_download_bytes: int = 0
    """If not 0, every download is cut after so many bytes."""
    without_etag: int = 0
    """1: downloads have no ETag."""
    silence_seconds: float = 35.0
    """How long a hostile simulated WIPO says nothing before it hangs up; an office gives up earlier."""
    drip_seconds: float = 1.0
    """From one byte to the next where it lets an answer drip."""
    spoilt_downloads: int = 0
    """1: one byte of every download is another one than was announced."""
    token_seconds: float = 0.0
    """How long a token is used again for what is forwarded, less than its life; with 0 each forwarding and each
    download takes a new one."""

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
