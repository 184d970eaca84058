"""What simulated WIPO signs with and calls with: keys that are told of when missing, tokens that are fresh."""

import shutil

import requests

from office_node.auth import keys
from tests import command_line
from tests.databases import on_sqlite
from tests.office import WANTED, Office, eventually


@on_sqlite
def test_it_says_how_to_make_the_keys_that_are_missing(office: Office) -> None:
    shutil.rmtree(office.folder / "keys")
    ran = command_line.run(office.settings_file, "rehearsal", "serve")
    assert ran.exit_code == 1
    assert ran.stderr == (
        f"N101 {office.folder / 'keys' / 'rehearsal_wipo.pem'}: No such file or directory; "
        "hint: see that the path is right; `office-node keys generate` makes keys where none ever was\n"
    )


@on_sqlite
def test_a_document_announced_when_the_first_token_is_dead_is_fetched(office: Office) -> None:
    office.start_central()
    web = office.start_web()
    office.add_document()
    wanted = {"kind": WANTED.kind, "number": WANTED.number, "date": WANTED.date, "access_code": WANTED.access_code}
    forwarded = requests.post(f"{office.central_url}/rehearsal/retrievals", json=wanted, timeout=30).json()
    web.terminate()
    web.wait(60)
    server = office.settings().authorization_server
    assert server
    signing_key = server.signing_key_file
    signing_key.unlink()  # as good as waiting: no token from before is known any longer
    keys.generate_private_key(signing_key)
    office.start_web()
    office.start("worker")
    last = eventually(lambda: office.ledger("downloaded") + office.ledger("not downloaded"))
    assert [(entry["effect"], entry["key"]) for entry in last] == [("downloaded", forwarded["requestAckId"])]
