"""What simulated WIPO answers when it does not do what it was asked: DAS's JSON, and the XML of its object store.

Sources: protocol.md 5, E4.
"""

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from flask import Response, jsonify

UNNUMBERED: Final = -1
"""Stands for the numbers of WIPO's that nobody has seen."""
_OUTER_CODES = {401: "UNAUTHORIZED", 404: "NOT_FOUND", 409: "CONFLICT"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `details`."""

    message: str
    code: int = UNNUMBERED


class Refused(Exception):
    """Simulated WIPO does not do it; nothing has changed."""

    def __init__(self, status: int, *problems: Problem | str) -> None:
        self.status = status
        self.problems = [Problem(one) if isinstance(one, str) else one for one in problems]
        super().__init__(status)


class StoreRefused(Exception):
    """The object store does not do it, in the words of S3."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(status, code)


def das_failure(refused: Refused, *, wrapped: bool = False) -> Response:
    """The refusal as JSON; `wrapped` in `error` as before 2024-03-04 (C-7)."""
    details = [{"code": problem.code, "message": problem.message} for problem in refused.problems]
    plain = {"code": _OUTER_CODES.get(refused.status, "INVALID_INPUT_DATA"), "message": None, "details": details}
    answer = jsonify({"error": plain} if wrapped else plain)
    answer.status_code = refused.status
    return answer


def store_failure(refused: StoreRefused) -> Response:
    """The refusal as XML."""
    told = f"<Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message>"
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{told}</Error>\n'
    return Response(xml, status=refused.status, mimetype="application/xml")
