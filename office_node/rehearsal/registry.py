"""What is registered at simulated WIPO: every version of every document, until it is withdrawn and after.

Sources: protocol.md E6 to E10, E17, 6.2.
"""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from itertools import count

from office_node.rehearsal.files import Files
from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.pace import Pace
from office_node.rehearsal.refusals import Refused
from office_node.rehearsal.registration import Asked, Named, Version, not_registered, now


@dataclass(slots=True)
class Registration:
    """One document from E6 to E8."""

    ledger_key: str
    """The document, and which time it is registered from the second on."""
    registrar: str = ""
    """Client id of the office that registered it."""
    versions: list[Version] = field(default_factory=list)
    withdrawn: bool = False

    @property
    def present(self) -> Version:
        return self.versions[-1]

    @property
    def stands(self) -> bool:
        return not self.withdrawn and self.present.status != "error"


class Registry:
    """Every registration there was. Whatever changes one happens under the lock, with its entry in the ledger."""

    def __init__(self, files: Files, pace: Pace, ledger: Ledger) -> None:
        self._files = files
        self._pace = pace
        self._ledger = ledger
        self._documents: dict[str, list[Registration]] = {}
        self._acknowledged: dict[str, tuple[Registration, Version]] = {}
        self._numbers = count(1)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def register(self, asked: Asked, registrar: str = "") -> Version:
        """E6. Raises `Refused`; a repeat is counted at the entry of what it would have repeated."""
        with self._lock:
            former = self._documents.setdefault(asked.document, [])
            if former and former[-1].stands:
                self._ledger.record("registered", former[-1].ledger_key, {})
                raise Refused(409, f"The document is already registered: documentNumber={asked.number}")
            key = asked.document if not former else f"{asked.document} #{len(former) + 1}"
            registration = Registration(key, registrar)
            version = self._version(registration, asked, ("registered", key))
            former.append(registration)
            return version

    def change(self, asked: Asked) -> Version:
        """E7. Raises `Refused`. The same again changes nothing but the count in the ledger."""
        with self._lock:
            registration = self._standing(asked.document, asked.kind, asked.number)
            present = registration.present
            is_repeat = present.ledger_entry[0] != "registered" and present.asked == asked
            if is_repeat:
                self._ledger.record(*present.ledger_entry, {})
                return present
            return self._version(registration, asked, self._entry_of_change(registration, asked))

    def withdraw(self, named: Named) -> None:
        """E8. Raises `Refused`."""
        with self._lock:
            former = self._documents.get(named.document)
            if former and former[-1].withdrawn:
                self._ledger.record("withdrawn", former[-1].ledger_key, {})
            registration = self._matched(named)
            registration.withdrawn = True
            self._ledger.record("withdrawn", registration.ledger_key, {"versions": len(registration.versions)})

    def acknowledged(self, acknowledgement_id: str) -> Version:
        """E9. Raises `Refused`."""
        with self._lock:
            if acknowledgement_id not in self._acknowledged:
                raise Refused(404, f"There is no such request: requestAckId={acknowledgement_id}")
            registration, version = self._acknowledged[acknowledgement_id]
        if registration.withdrawn:
            raise not_registered(version.asked.kind, version.asked.number)
        return version

    def available(self, named: Named) -> Version:
        """E17. Raises `Refused`."""
        with self._lock:
            return self._matched(named).present

    def wanted(self, named: Named) -> tuple[Version, str]:
        """E11: what is registered, and by whom. Raises `Refused`."""
        with self._lock:
            registration = self._matched(named)
            return registration.present, registration.registrar

    def certified(self, named: Named) -> tuple[Version, int]:
        """E10: what is to be certified, and the number of that version. Raises `Refused`."""
        with self._lock:
            registration = self._matched(named)
            version, number = registration.present, len(registration.versions)
            if version.status == "pending":
                raise Refused(409, f"The registration is pending: documentNumber={version.asked.number}")
            self._ledger.record("certified", f"{registration.ledger_key} v{number}", {"sha256": version.sha256})
            return version, number

    def _matched(self, named: Named) -> Registration:
        registration = self._standing(named.document, named.kind, named.number)
        if mismatches := named.mismatches(registration.present.asked.data):
            raise Refused(400, *mismatches)
        return registration

    def _standing(self, document: str, kind: str, number: str) -> Registration:
        former = self._documents.get(document)
        if not former or not former[-1].stands:
            raise not_registered(kind, number)
        return former[-1]

    def _entry_of_change(self, registration: Registration, asked: Asked) -> tuple[str, str]:
        is_new_content = asked.file_id not in (None, registration.present.file_id)
        effect, what = ("replaced", asked.file_id) if is_new_content else ("corrected", self._digest(asked))
        key = f"{registration.ledger_key} {what}"
        # Back to what it was before is a change of its own.
        times = sum(one.ledger_entry[1].split(" (")[0] == key for one in registration.versions)
        return effect, f"{key} ({times + 1})" if times else key

    def _version(self, registration: Registration, asked: Asked, entry: tuple[str, str]) -> Version:
        former = registration.versions[-1] if registration.versions else None
        file = self._files.use(asked.file_id, asked.document) if asked.file_id else None
        content = file or former
        version = Version(
            acknowledgement_id=f"REG-{now():%Y%m%d}-{next(self._numbers):06}",
            asked=asked,
            file_id=content.file_id if content else None,
            sha256=content.sha256 if content else None,
            ledger_entry=entry,
            at=now(),
            ready_at=former.ready_at if former else time.monotonic() + self._pace.pending_seconds,
            error=former.error if former else self._pace.registration_error,
        )
        registration.versions.append(version)
        self._acknowledged[version.acknowledgement_id] = registration, version
        facts = {"requestAckId": version.acknowledgement_id, "fileId": version.file_id, "sha256": version.sha256}
        self._ledger.record(*entry, facts | asked.data.for_the_ledger())
        return version

    def _digest(self, asked: Asked) -> str:
        # With a key of our own: four letters of an access code are soon guessed from a plain digest.
        return hmac.digest(self._key, repr(asked.data).encode(), "sha256").hex()[:8]
