"""How long an answer may be kept, as its headers say (RFC 9111 4.2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from office_node import clock


def seconds_fresh(headers: Mapping[str, str]) -> float | None:
    """What is left of an answer's life: 0 if it is not to be kept at all, None if the headers do not say."""
    directives = _directives(headers.get("Cache-Control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    life = _seconds(directives.get("max-age", ""))
    if life is None and "Expires" in headers:
        life = _seconds_until(headers["Expires"], headers.get("Date", ""))
    if life is None:
        return None
    return max(0.0, life - (_seconds(headers.get("Age", "")) or 0.0))


def _directives(value: str) -> dict[str, str]:
    parts = (part.partition("=") for part in value.split(","))
    return {name.strip().lower(): argument.strip().strip('"') for name, _, argument in parts}


def _seconds(value: str) -> float | None:
    value = value.strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


def _seconds_until(expires: str, date: str) -> float:
    """A date that is none, such as `0`, lies in the past (RFC 9111 5.3)."""
    end = _moment(expires)
    return (end - (_moment(date) or clock.now())).total_seconds() if end else 0.0


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
