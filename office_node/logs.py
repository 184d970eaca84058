"""JSON lines on standard error, one vocabulary for every process, and no secret in any of them.

Every record, ours or a library's, passes `_redact` last: a secret that slipped into a message is cut out there, and a
test plants secrets to see that it is. Ids that were bound stand on every later line of the same request or message.
"""

import logging
import math
import re
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from office_node import clock
from office_node.errors import OfficeNodeError

_SECRET_NAMES = re.compile(
    r"(?i)^(authorization|access_?token|client_?assertion|assertion|das_?access_?code|access_?code|password|secret"
    r"|signature|file_?(up|down)load_?url|presigned_?url|download_?url|token)$"
)
# (what to find, what stays of it): a JWT; a signed query; an Authorization value; a named access code; a URL password.
_SECRET_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_=-]*(\.[A-Za-z0-9_=-]*)?"), "[jwt]"),
    (re.compile(r"(?i)((?:x-amz-)?(?:signature|credential|security-token)=)[^&\s\"']+"), r"\1[cut]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 [cut]"),
    (re.compile(r"(?i)(das_?access_?code\W{1,5})[0-9a-z]{4}\b"), r"\1[cut]"),
    (re.compile(r"(://[^/\s:@]+:)[^@\s/]+@"), r"\1[cut]@"),
)


def redact_text(text: str) -> str:
    """`text` without tokens, assertions, signatures, access codes and passwords."""
    for pattern, rest in _SECRET_TEXTS:
        text = pattern.sub(rest, text)
    return text


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {k: "[cut]" if _SECRET_NAMES.match(str(k)) else _redact_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    return value


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    redacted: MutableMapping[str, Any] = _redact_value(dict(event))
    return redacted


def configure(level: str = "info", *, process: str) -> None:
    """Send every log record of this process, libraries included, to standard error as redacted JSON lines."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _name_process(process),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _with_code],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries that would tell of every poll or print whole URLs when asked for more.
    for noisy in ("urllib3", "alembic", "sqlalchemy", "authlib", "requests"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of every tick that a slow one swallowed


class LibraryTold(OfficeNodeError):
    """A library that the node is built of told of an error, in its own words: gunicorn of a worker that was killed."""

    code = "N901"
    hint = "its line tells what happened; the node goes on"


def _with_code(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No error is told without a code of the catalogue, nor by a library."""
    if event.get("level") in ("error", "critical"):
        event.setdefault("code", LibraryTold.code)
    return event


def _name_process(process: str) -> structlog.types.Processor:
    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return name


def bind(**ids: str | None) -> None:
    """Every further log line of this request or message carries these ids; `None` ids are left out."""
    structlog.contextvars.bind_contextvars(**{name: value for name, value in ids.items() if value})


def unbind_all() -> None:
    """A new request begins on this thread: nothing of the last one may stand on its lines."""
    structlog.contextvars.clear_contextvars()


@contextmanager
def bound(**ids: str | None) -> Iterator[None]:
    """Every log line written inside carries these ids; `None` ids are left out."""
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in ids.items() if value}):
        yield


class Repeats:
    """Keeps what happens again and again from filling the log: one line in so many seconds, with the count."""

    def __init__(self, seconds: float, most: int = 1000) -> None:
        """At most `most` things are told apart; a flood of ever new ones shares its lines."""
        self._seconds = seconds
        self._most = most
        self._told: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def due(self, what: str) -> int:
        """How often `what` has happened since the last line, if it is time for the next; else 0."""
        now = clock.now().timestamp()
        with self._lock:
            if what not in self._told and len(self._told) >= self._most:
                self._told = {key: entry for key, entry in self._told.items() if self._is_recent(entry[0], now)}
            if what not in self._told and len(self._told) >= self._most:
                what = ""
            last, silent = self._told.get(what, (-math.inf, 0))
            due = not self._is_recent(last, now)
            self._told[what] = (now, 0) if due else (last, silent + 1)
            return silent + 1 if due else 0

    def _is_recent(self, last: float, now: float) -> bool:
        return 0 <= now - last < self._seconds  # a clock set back ends the silence
