"""The JSON body of a call, as every capability's views read it."""

from typing import Final

from flask import request
from werkzeug.exceptions import BadRequest

from office_node.das.error_codes import Malformed, WrongMediaType
from office_node.network.ingress import is_nested_deeper, whole_body

PREFIXES: Final = ("/das/v1/requests", "/das-api/v1/requests", "/requests")
"""Under which WIPO was seen to call (C-14, family C of protocol.md 1.3)."""


def json_body(max_depth: int) -> bytes:
    """The present request's body. Raises `WrongMediaType` and `Malformed`."""
    if request.mimetype != "application/json":
        raise WrongMediaType("Send the message as application/json")
    try:
        body = whole_body(request)
    except BadRequest:
        raise Malformed("The body was cut") from None
    if is_nested_deeper(body, max_depth):
        raise Malformed("The message is nested too deep")
    return body
