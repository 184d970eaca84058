"""Documents are registered at WIPO one by one, by CSV and by the watched folder; and what is registered changes."""

import csv
import json
from pathlib import Path
from typing import Any, Final

from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally, wait_for
from office_node.rehearsal.papers import write_pdf

_HEADER: Final = (
    *("file_reference", "file_location", "application_number", "application_date", "priority_number", "priority_date"),
    *("document_category", "application_category", "das_code", "file_id", "registered", "ack_id"),
)
_ROWS, _BAD_ROWS = 20, 3
_AT_WIPO, _IN_LIBRARY = "US 98/100,001", "US 98/100,002"
_CODE = "AB21"
_DATE = "2023-11-02"


def one_by_one(stage: Stage, tally: Tally) -> None:
    """Flow F1, both kinds; then everything that may happen to a registration."""
    for number, content in ((_AT_WIPO, "wipo"), (_IN_LIBRARY, "library")):
        file = _paper(stage, f"{content}.pdf", number)
        _verb(stage, tally, "submit", file, *_named(number), "--date", _DATE, "--content", content)
    _verb(stage, tally, "status", *_named(_AT_WIPO), typed="")
    _verb(stage, tally, "correct", *_named(_AT_WIPO), "--new-date", "2023-11-03", typed="")
    _verb(stage, tally, "replace", _paper(stage, "replaced.pdf", "replaced"), *_named(_AT_WIPO), typed="")
    certificate = stage.folder / "certificate.pdf"
    _verb(stage, tally, "certificate", *_named(_AT_WIPO), "--output", str(certificate), typed="")
    tally.step(
        "the certificate is a PDF", certificate.read_bytes().startswith(b"%PDF-"), f"{certificate.stat().st_size} bytes"
    )
    _verb(stage, tally, "withdraw", *_named(_AT_WIPO), "--yes", typed="")
    effects = [entry["effect"] for entry in stage.ledger() if entry["key"].startswith(f"patent {_AT_WIPO}")]
    expected = ["registered", "corrected", "replaced", "certified", "withdrawn"]
    tally.step("WIPO's ledger of the document", effects == expected, ", ".join(effects))


def many_by_csv(stage: Stage, tally: Tally) -> None:
    """Twenty rows, three of them bad: a missing file, a date that is none, and a document that stands twice."""
    rows = [_row(stage, number) for number in range(_ROWS)]
    rows[4]["file_location"] = "not-there.pdf"
    rows[9]["priority_date"] = "2023-13-01"
    rows[14]["priority_number"] = rows[0]["priority_number"]
    file = stage.folder / "batch.csv"
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, _HEADER)
        writer.writeheader()
        writer.writerows(rows)
    done = stage.run("registrations", "submit", "--csv", str(file), "--content", "wipo")
    bad_lines = [
        line.partition(":")[0]
        for line in done.stderr.splitlines()
        if line.startswith("line ") and "registered" not in line
    ]
    tally.step(
        f"office-node registrations submit --csv, {_ROWS} rows",
        done.returncode == 1,
        _first_clause(done.stdout),
    )
    tally.step("the bad rows are named", bad_lines == ["line 6", "line 11", "line 16"], ", ".join(bad_lines))
    with (stage.folder / "batch.result.csv").open(newline="", encoding="utf-8") as results:
        registered = [row for row in csv.DictReader(results) if row["registered"] == "true" and row["ack_id"]]
    keys = {f"patent {row['priority_number']}" for row in registered}
    once = {entry["key"] for entry in stage.ledger() if entry["effect"] == "registered" and entry["times"] == 1}
    good = len(registered) == _ROWS - _BAD_ROWS and keys <= once
    tally.step("the good rows are registered once", good, f"{len(registered)} in batch.result.csv and in WIPO's ledger")


def watched_folder(stage: Stage, tally: Tally) -> None:
    """The office's own system lays one good pair into the folder, and one that is no document."""
    folder = stage.folder / "var" / "intake"
    for name, good in (("case-1", True), ("case-2", False)):
        document = folder / f"{name}.pdf"
        if good:
            write_pdf(document, [name], 10_000)
        else:
            document.write_bytes(b"a letter, not a PDF")
        number = f"US 98/300,00{name[-1]}"
        request = {"kind": "patent", "number": number, "date": _DATE, "access_code": _CODE, "content": "wipo"}
        (folder / f"{name}.json").write_text(json.dumps(request))
    for name, outcome in (("case-1", "done"), ("case-2", "refused")):
        result = folder / outcome / f"{name}.result.json"
        told: dict[str, Any] = json.loads(result.read_text()) if wait_for(result.exists) else {}
        seen = told.get("requestAckId") or "; ".join(told.get("reasons", ["nothing came back"]))
        tally.step(f"var/intake/{name}.pdf ends in {outcome}/", told.get("outcome") == outcome, str(seen)[:60])


def _named(number: str) -> tuple[str, ...]:
    return ("--kind", "patent", "--number", number)


def _paper(stage: Stage, name: str, title: str) -> str:
    file: Path = stage.folder / name
    write_pdf(file, [title], 50_000)
    return str(file)


def _row(stage: Stage, number: int) -> dict[str, str]:
    name = f"batch-{number}.pdf"
    _paper(stage, name, name)
    return {
        "file_reference": f"R{number}",
        "file_location": name,
        "application_number": f"US 98/200,{number:03}",
        "application_date": _DATE,
        "priority_number": f"US 98/200,{number:03}",
        "priority_date": _DATE,
        "document_category": "patent",
        "application_category": "priority document",
        "das_code": _CODE,
    }


def _verb(stage: Stage, tally: Tally, verb: str, *arguments: str, typed: str = _CODE) -> None:
    done = stage.run("registrations", verb, *arguments, typed=typed)
    seen = _first_clause(done.stdout if done.returncode == 0 else done.stderr)
    tally.step(f"office-node registrations {verb}", done.returncode == 0, seen)


def _first_clause(told: str) -> str:
    """Without ids and paths, which are long."""
    return told.strip().partition("\n")[0].partition("; results")[0].partition(", requestAckId")[0]
