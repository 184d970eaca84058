"""How many documents a second are registered by CSV: 1,000 of 100 KB against the rehearsal, content at WIPO.

Real processes on SQLite: simulated WIPO, one worker, the verb. Simulated WIPO's ledger says whether each was registered
once; beside the figure stands what the same machine does in the same run when WIPO keeps no content.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from office_node import settings
from office_node.auth.key_generation import make_missing
from office_node.off_registrations.csv_rows import LAYOUT
from office_node.rehearsal.papers import write_pdf
from tests.office import SHIPPED_SETTINGS, Office, make_office

_DOCUMENTS = 1000
_BYTES = 100_000


def main() -> None:
    """Measure and print; exit code 1 if a document is not in the ledger exactly once."""
    with tempfile.TemporaryDirectory(prefix="office-node-bench-") as folder:
        place = Path(folder)
        (place / "shipped" / "config").mkdir(parents=True)
        file = place / "shipped" / "config" / "office.toml"
        file.write_text(SHIPPED_SETTINGS.read_text())
        make_missing(settings.load(file))
        (place / "office").mkdir()
        office = make_office(place / "office", place / "shipped" / "keys")
        try:
            office.upgrade()
            office.start_central()
            office.start("worker")
            good = [_measured(office, content) for content in ("wipo", "library")]
        finally:
            office.close()
    sys.exit(0 if all(good) else 1)


def _measured(office: Office, content: Literal["wipo", "library"]) -> bool:
    numbers = [f"XX {content} {number}" for number in range(_DOCUMENTS)]
    batch = _batch(office.folder / content, numbers)
    began = time.monotonic()
    done = office.run("registrations", "submit", "--csv", str(batch), "--content", content, seconds=1800)
    seconds = time.monotonic() - began
    kept = {entry["key"]: entry["times"] for entry in office.ledger("registered")}
    once = sum(kept.get(f"patent {number.upper()}") == 1 for number in numbers)
    where = "at WIPO" if content == "wipo" else "at the office"
    print(f"content {where}: {once} of {_DOCUMENTS} in the ledger once, {_DOCUMENTS / seconds:.1f} documents a second")
    if done.returncode or once != _DOCUMENTS:
        print(done.stdout, done.stderr[-2000:], file=sys.stderr)
    return bool(once == _DOCUMENTS)


def _batch(folder: Path, numbers: list[str]) -> Path:
    folder.mkdir()
    with (folder / "batch.csv").open("w", newline="", encoding="utf-8") as target:
        rows = csv.DictWriter(target, LAYOUT.columns)
        rows.writeheader()
        for position, number in enumerate(numbers):
            write_pdf(folder / f"{position}.pdf", [number], _BYTES)
            rows.writerow(
                {
                    "file_location": f"{position}.pdf",
                    "priority_number": number,
                    "priority_date": "2023-11-02",
                    "document_category": "patent",
                    "das_code": "AB21",
                }
            )
    return folder / "batch.csv"


if __name__ == "__main__":
    main()
