"""A document that is too big for a link answers its retrieval through WIPO's transit zone (flow F4)."""

import hashlib
from typing import Final

from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally
from office_node.rehearsal.papers import write_pdf

_BYTES: Final = 200_000_000
_CODE = "AB21"
_NAMED: Final = ("--kind", "patent", "--number", "US 98/400,001", "--date", "2023-11-02")


def transit(stage: Stage, tally: Tally) -> None:
    file = stage.folder / "big.pdf"
    write_pdf(file, ["a big document"], _BYTES)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    added = stage.run("library", "add", str(file), *_NAMED, typed=_CODE)
    tally.step("office-node library add big.pdf", added.returncode == 0, f"{file.stat().st_size // 1_000_000} MB")
    file.unlink()
    forwarded = stage.run("rehearsal", "forward", *_NAMED, typed=_CODE)
    last = forwarded.stdout.strip().rpartition("\n")[2]
    tally.step("office-node rehearsal forward", forwarded.returncode == 0, last[:46] + "...")
    [fetched] = [entry for entry in stage.ledger() if entry.get("sha256") == digest and entry["effect"] == "downloaded"]
    tally.step(
        "WIPO's copy is the office's, through transit", fetched["through"] == "transit", f"sha256 {digest[:16]}..."
    )
