"""What the web door answers without the application is an answer like the application's."""

import json

from office_node.das.error_codes import Unavailable
from office_node.network.ingress import security_headers
from office_node.web import refusals


def test_a_call_that_came_too_late_is_refused_with_every_header_and_when_to_come_again() -> None:
    headers = security_headers("https://das.example.org")
    config = {"WRAP_ERRORS": False, "SECURITY_HEADERS": headers}
    refusal = Unavailable("The service has just been reloaded")
    answer = refusals.answer(refusal, refusal.status, config, **{"Retry-After": "1"})
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *fields = head.decode().split("\r\n")
    told = dict(field.split(": ", 1) for field in fields)
    assert status_line == "HTTP/1.1 503 Service Unavailable"
    assert told == {
        **headers,
        "Content-Type": "application/json",
        "Retry-After": "1",
        "Connection": "close",
        "Content-Length": str(len(body)),
    }
    assert json.loads(body)["code"] == "SERVICE_UNAVAILABLE"
