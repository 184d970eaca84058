"""What the office's own system does with the watched folder, and what a worker does, step by step."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from office_node.errors import NotYet, OfficeNodeError
from office_node.intake.service import Intake
from office_node.intake.watch import TAKE_IN
from office_node.off_registrations.operations import HAND_BACK
from office_node.rehearsal import papers
from office_node.uploads.service import CHECK, SEND
from office_node.wiring.node import Node, build_node
from tests.office import Office

AT_ONCE = {"intake": {"settle_seconds": 0, "missing_seconds": 0, "poll_seconds": 0.05}}
REQUEST = {"kind": "patent", "number": "US 98/012,357", "date": "2023-11-02", "access_code": "AB21"}
EVERYTHING = (TAKE_IN, SEND, CHECK, "tell_registration", HAND_BACK)


def pdf() -> bytes:
    """A real one, different each time."""
    return b"".join(papers.pdf([os.urandom(8).hex()], 2000))


def numbered(number: int) -> dict[str, Any]:
    """A request for another document."""
    return {**REQUEST, "number": f"US 98/{number:03},357"}


@dataclass
class Bench:
    """A watched folder and its node, in this process."""

    node: Node
    folder: Path

    @property
    def intake(self) -> Intake:
        assert self.node.intake
        return self.node.intake

    def drop(
        self, name: str = "A", request: Any = REQUEST, content: bytes | None = b"", extension: str = "pdf"
    ) -> None:
        """Put a pair there, the request last; `content` None is a request alone, b"" a PDF."""
        drop(self.folder, name, request, content, extension)

    def scan(self) -> None:
        """Two looks: no pair is taken at the first."""
        self.intake.scan()
        self.intake.scan()

    def work(self, *kinds: str) -> None:
        """Everything due of these kinds, as a worker does it."""
        handlers = self.node.handlers()
        for kind in kinds or (TAKE_IN,):
            while claims := self.node.outbox.claim(kind, 50):
                for claim in claims:
                    try:
                        handlers[kind].work(claim)
                    except NotYet as exc:
                        self.node.outbox.look_again(claim, exc)
                    except OfficeNodeError as exc:
                        self.node.outbox.postpone(claim, exc)

    def take_in(self) -> None:
        """See what was dropped, and take it."""
        self.scan()
        self.work(TAKE_IN)

    def result(self, outcome: str, name: str = "A") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / outcome / f"{name}.result.json").read_text())
        assert found["outcome"] == outcome
        return found

    def names(self, place: str = "") -> list[str]:
        """What lies there, subfolders left out."""
        return sorted(path.name for path in (self.folder / place).iterdir() if not path.is_dir())


def drop(folder: Path, name: str, request: Any, content: bytes | None = b"", extension: str = "pdf") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if content is not None:
        (folder / f"{name}.{extension}").write_bytes(content or pdf())
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    temporary = folder / f".{os.urandom(4).hex()}.tmp"
    temporary.write_bytes(body)
    temporary.rename(folder / f"{name}.json")


@contextmanager
def bench_of(office: Office) -> Iterator[Bench]:
    node = build_node(office.settings())
    assert node.settings.intake
    bench = Bench(node, node.settings.intake.folder)
    bench.folder.mkdir(parents=True, exist_ok=True)
    yield bench
    node.database.close()
