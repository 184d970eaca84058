"""The demo begins: keys, settings, database, a document in the library, and the processes."""

from functools import partial
from typing import Final

import requests

from office_node.rehearsal import papers
from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally, wait_for
from office_node.rehearsal.operator import Wanted

WANTED: Final = Wanted("patent", "US 98/012,357", "2023-11-02", "AB21")
WANTED_OPTIONS: Final = ("--kind", WANTED.kind, "--number", WANTED.number, "--date", WANTED.date)
_SIZE = 8_000_000


def prepare(stage: Stage, tally: Tally) -> None:
    made = stage.run("keys", "generate")
    tally.step("office-node keys generate", made.returncode == 0, f"{len(made.stdout.splitlines())} keys")
    checked = stage.run("config", "check")
    tally.step("office-node config check", checked.returncode == 0, checked.stdout.rsplit(": ", 1)[-1].strip())
    upgraded = stage.run("db", "upgrade")
    tally.step("office-node db upgrade", upgraded.returncode == 0, upgraded.stdout.strip())
    document = stage.folder / "priority.pdf"
    papers.write_pdf(document, [f"Priority document {WANTED.number}"], _SIZE)
    for expected in ("added", "unchanged"):
        added = stage.run("library", "add", str(document), *WANTED_OPTIONS, typed=WANTED.access_code)
        good = added.returncode == 0 and added.stdout.startswith(f"{expected}:")
        seen = added.stdout.partition(", version")[0] or added.stderr.strip()
        tally.step("office-node library add priority.pdf", good, seen)


def start(stage: Stage, tally: Tally) -> None:
    for what, address, arguments in (
        ("simulated WIPO central", f"{stage.central_url}/rehearsal/alive", ("rehearsal", "serve")),
        ("office node: web and worker", f"{stage.office_url}/.well-known/oauth-authorization-server", ("serve",)),
    ):
        process = stage.start(*arguments)
        answer = wait_for(partial(requests.get, address, timeout=5))
        alive = answer is not None and answer.ok and process.poll() is None
        tally.step(f"office-node {' '.join(arguments)}", alive, f"{what} at {address.split('/')[2]}")
