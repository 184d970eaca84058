"""Exchanges of every kind with a simulated WIPO, and the judgement over them: what was intended, against its ledger."""

import hashlib
import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from random import Random

import requests

from office_node.off_registrations.details import Corrections
from office_node.off_registrations.states import Verb
from tests import command_line
from tests.faults.ledgers import Ledger
from tests.off_registrations.desk import Desk as Registry
from tests.off_registrations.desk import make_desk as make_registry
from tests.off_registrations.desk import paper
from tests.office import Office, eventually
from tests.osf_retrievals.desk import Desk as Reader
from tests.osf_retrievals.desk import make_desk as make_reader

QUICK = {
    "outbox": {"lease_seconds": 4, "first_retry_seconds": 0.1, "rest_seconds": 0.3},
    "wipo": {"total_seconds": 3, "read_seconds": 2, "connect_seconds": 2, "stall_seconds": 2},
    "egress": {"breaker_seconds": 1},
    "osf": {"poll_seconds": 2},
    "off": {"big_document_bytes": 100_000},
    "worker": {"messages_per_second": 200, "api_calls": 8},
    "ingress": {"rate_per_client": "10000/second", "rate_per_address": "10000/second"},
}
BIG, SMALL = 150_000, 2_000
Finished = Callable[[], bool]
Judgement = Callable[[Ledger], list[str]]


@dataclass
class Exchanges:
    """What was begun on an office, each with how to see that it ended and how it is judged."""

    office: Office
    registry: Registry
    reader: Reader
    seed: int
    open: list[tuple[str, Finished]] = field(default_factory=list)
    judged_by: list[Judgement] = field(default_factory=list)

    def begin(self, count: int) -> None:
        """So many of every kind in turn, in an order of the seed."""
        kinds = list(itertools.islice(itertools.cycle(self._kinds()), count))
        Random(self.seed).shuffle(kinds)
        for kind in kinds:
            kind()

    def end(self, seconds: float) -> None:
        """Wait until each has ended; whatever did not is named."""
        deadline = time.monotonic() + seconds
        while self.open:
            looked_at, self.open = self.open, []  # what follows one that ended is begun while it is looked at
            self.open += [(name, finished) for name, finished in looked_at if not _is_finished(finished)]
            assert time.monotonic() < deadline, f"not ended: {sorted(name for name, _ in self.open)[:10]}"
            time.sleep(0.2)
        eventually(lambda: not self.office.waiting(), max(30.0, deadline - time.monotonic()))

    def differences(self) -> list[str]:
        """What WIPO's ledger has more, less or otherwise than was intended; nothing if all is well."""
        ledger = Ledger(self.office.ledger(""))
        return [found for judge in self.judged_by for found in judge(ledger)]

    def _kinds(self) -> tuple[Callable[[], None], ...]:
        return (
            lambda: self._forward(SMALL),
            lambda: self._register("wipo"),
            lambda: self._register("library"),
            lambda: self._change("corrected"),
            self._ask,
            lambda: self._change("replaced"),
            lambda: self._forward(BIG),
            lambda: self._change("withdrawn"),
            self._certify,
            self._ask,
        )

    def _forward(self, size: int) -> None:
        desk = self.registry.with_another_document()
        content = desk.add(paper(filler_bytes=size))
        wanted = desk.wanted
        asked = {"kind": wanted.kind, "number": wanted.number, "date": wanted.date, "access_code": wanted.access_code}
        url = f"{self.office.central_url}/rehearsal/retrievals"
        said = requests.post(url, json={**asked, "is_patient": True}, timeout=60).json()
        name = str(said.get("requestAckId"))

        def judge(ledger: Ledger) -> list[str]:
            through = "transit" if size == BIG else "link"
            facts = {"sha256": hashlib.sha256(content).hexdigest(), "through": through}
            return ledger.expect("notified", name) + ledger.expect("downloaded", name, **facts)

        self.open.append((f"forwarded {said}", lambda: bool(self.office_effects("downloaded", name))))
        self.judged_by.append(judge)

    def office_effects(self, effect: str, key: str) -> list[str]:
        return [str(entry["key"]) for entry in self.office.ledger(effect) if entry["key"] == key]

    def _register(self, content_at: str) -> None:
        self._registered(content_at=content_at)

    def _registered(self, content_at: str = "wipo", then: Callable[[], None] = lambda: None) -> Registry:
        """`then` is done once WIPO has registered it."""
        desk = self.registry.with_another_document()
        content = paper(filler_bytes=SMALL)
        asked = desk.submit(content, content_at=content_at)  # type: ignore[arg-type]
        self._await(desk, str(asked.operation_id), "registered", then)
        digest = hashlib.sha256(content).hexdigest() if content_at == "wipo" else None
        self.judged_by.append(lambda ledger: ledger.expect_once("registered", desk.key, sha256=digest))
        return desk

    def _await(self, desk: Registry, operation_id: str, what: str, then: Callable[[], None] = lambda: None) -> None:
        def finished() -> bool:
            view = desk.node.overview.operation(operation_id)
            assert view.state in ("waiting", "done"), f"{what} {desk.key}: {view.state}, {view.reason}"
            if view.state == "done":
                then()
            return view.state == "done"

        self.open.append((f"{what} {desk.key} {operation_id}", finished))

    def _change(self, effect: str) -> None:
        def change() -> None:
            registrations = desk.node.registrations
            if effect == "corrected":
                asked = registrations.correct(*desk.named, Corrections(filing_date=date(2023, 11, 3)))
            elif effect == "replaced":
                asked = registrations.replace(*desk.named, BytesIO(paper("new", SMALL)))
            else:
                asked = registrations.withdraw(*desk.named)
            self._await(desk, str(asked.operation_id), effect)

        desk = self._registered(then=change)
        self.judged_by.append(lambda ledger: ledger.expect_one_about(effect, desk.key))

    def _certify(self) -> None:
        def certify() -> None:
            asked = desk.node.registrations.ask(Verb.CERTIFICATE, *desk.named)
            self._await(desk, str(asked.operation_id), "certified")

        desk = self._registered(then=certify)

    def _ask(self) -> None:
        reader = self.reader.with_another_document()
        content = reader.deposit(paper_of(reader))
        asked = reader.ask()

        def finished() -> bool:
            view = reader.view(asked)
            assert view.state not in ("refused", "expired"), f"asked {reader.document}: {view.state}, {view.reason}"
            return view.state == "collected"

        def judge(ledger: Ledger) -> list[str]:
            _, files = reader.handed_over(str(reader.view(asked).handed_over_as))
            wrong = [] if files == {"document": content} else [f"handed over {reader.document} differs"]
            return wrong + ledger.expect_once(
                "retrieval asked", f"das-xx-office {reader.document.kind} {reader.document.number}"
            )

        self.open.append((f"asked {reader.document}", finished))
        self.judged_by.append(judge)


@contextmanager
def exchanging(office: Office, seed: int) -> Iterator[Exchanges]:
    """Exchanges of an office; what looks at its database for them is closed at the end."""
    registry, reader = make_registry(office), make_reader(office)
    try:
        yield Exchanges(office, registry, reader, seed)
    finally:
        registry.node.database.close()
        reader.node.database.close()


def assert_sound(office: Office) -> None:
    """Every error told has its code, the timeline is whole, and every document is what it was."""
    assert list(uncoded_errors(office)) == []
    for verb in (("timeline", "verify"), ("library", "verify")):
        found = command_line.run(office.settings_file, *verb)
        assert found.exit_code == 0, found.output


def paper_of(reader: Reader) -> bytes:
    return paper(f"of {reader.document.number}", SMALL)


def _is_finished(finished: Finished) -> bool:
    try:
        return finished()
    except requests.RequestException:
        return False


def uncoded_errors(office: Office) -> Iterator[str]:
    """ERROR lines without a code of the catalogue."""
    for line in office.log_lines():
        if line["level"] in ("error", "critical") and not re.fullmatch(r"N\d{3}", str(line.get("code", ""))):
            yield str(line)
