"""Simulated WIPO on a port of its own, and what an office of first filing says to it; real HTTP."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from joserfc.jwk import ECKey

from office_node.rehearsal.central import Central, CentralSettings
from office_node.rehearsal.pace import Pace
from office_node.rehearsal.routes import listening
from tests.office import eventually, free_port

TIMEOUT = 30
DOCUMENT = {"documentKindCategory": "patent", "documentNumber": "US 98/012,357", "documentDate": "2023-11-02"}
NAMED = {**DOCUMENT, "dasAccessCode": "AB21"}
REGISTRATION = {
    **NAMED,
    "operationCategory": "registration",
    "applicationCategory": "priority document",
    "applicationNumber": None,
    "applicationFilingDate": None,
    "email": None,
}
CONTENT = b"%PDF-1.4 made for a rehearsal %%EOF"


@dataclass
class Wipo:
    """The server, and an office with a token in hand."""

    central: Central
    prefix: str = "/das-api/v1"

    @property
    def url(self) -> str:
        return self.central.settings.public_url

    def call(self, method: str, path: str, **request: Any) -> requests.Response:
        """A place under `requests`, with the token."""
        bearer = {"Authorization": f"Bearer {self.central.tokens.mint('das-xx-office')}"}
        url = f"{self.url}{self.prefix}/requests/{path}"
        return requests.request(method, url, headers=bearer, timeout=TIMEOUT, **request)

    def announce(self, content: bytes = CONTENT, **members: Any) -> dict[str, str]:
        """E2."""
        asked = {"fileFormatCategory": "pdf", "fileChecksum": hashlib.sha256(content).hexdigest(), **members}
        answer = self.call("POST", "files/url-uploads", json=asked)
        assert answer.status_code == 201, answer.text
        told: dict[str, str] = answer.json()
        return told

    def deposit(self, content: bytes = CONTENT) -> str:
        """E2, E4 and E5 until the file is accepted; returns its id."""
        announced = self.announce(content)
        assert put(announced["fileUploadUrl"], content).status_code == 200
        assert self.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"
        return announced["fileId"]

    def file_status(self, file_id: str) -> requests.Response:
        """E5."""
        return self.call("GET", "files", params={"fileId": file_id})

    def outcome(self, file_id: str) -> dict[str, Any]:
        """E5 once the check is done."""
        eventually(lambda: self.file_status(file_id).json()["fileStatusCategory"] != "PROCESSING")
        told: dict[str, Any] = self.file_status(file_id).json()
        return told

    def register(self, **members: Any) -> requests.Response:
        """E6."""
        return self.call("POST", "registrations", json=REGISTRATION | members)

    def change(self, **members: Any) -> requests.Response:
        """E7."""
        return self.call("PUT", "registrations", json=REGISTRATION | members)

    def withdraw(self, **members: Any) -> requests.Response:
        """E8."""
        return self.call("DELETE", "registrations", params=NAMED | members)

    def certificate(self, **members: Any) -> requests.Response:
        """E10."""
        return self.call("GET", "registrations/certificates", params=NAMED | members)

    def available(self, **members: Any) -> requests.Response:
        """E17."""
        return self.call("GET", "../documents/registrations/statuses", params=NAMED | members)

    def say(self, path: str, message: Any) -> requests.Response:
        """What only a rehearsing office may tell it."""
        return requests.post(f"{self.url}/rehearsal/{path}", json=message, timeout=TIMEOUT)

    def ledger(self, effect: str) -> dict[str, dict[str, Any]]:
        """The entries of one effect by their keys."""
        entries = requests.get(f"{self.url}/rehearsal/ledger", timeout=TIMEOUT).json()
        return {entry["key"]: entry for entry in entries if entry["effect"] == effect}

    def times(self, effect: str) -> dict[str, int]:
        """How often each of them was asked for."""
        return {key: entry["times"] for key, entry in self.ledger(effect).items()}


def put(url: str, content: Any = CONTENT, **headers: str) -> requests.Response:
    """E4."""
    return requests.put(url, data=content, headers={"Content-Type": "application/pdf"} | headers, timeout=TIMEOUT)


def problems(answer: requests.Response) -> tuple[int, list[int]]:
    """Status and detail codes of a refusal in DAS's JSON."""
    return answer.status_code, [detail["code"] for detail in answer.json()["details"]]


@contextmanager
def running(office_url: str = "http://127.0.0.1:8180", **settings: Any) -> Iterator[Wipo]:
    """Simulated WIPO with a quick file check, for the length of the block."""
    port = free_port()
    known: dict[str, Any] = {
        "public_url": f"http://127.0.0.1:{port}",
        "office_url": office_url,
        "wipo_client_id": "wipo-das",
        "wipo_key": ECKey.generate_key("P-256"),
        "office_client_id": "das-xx-office",
        "office_public_keys": (),
        "scope": "das-api/office-exchange",
        "pace": Pace(file_check_seconds=0.05),
    }
    central = Central(CentralSettings(**(known | settings)))
    server = listening(central, "127.0.0.1", port)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield Wipo(central)
    server.shutdown()
    serving.join()
    server.server_close()
    central.store.close()
