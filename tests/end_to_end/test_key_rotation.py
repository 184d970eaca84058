"""Keys roll over while the node works: nobody who holds a good credential is turned away at any moment."""

import base64
import json
import time

import requests

from office_node.auth import keys
from office_node.auth.key_ring import LOOK_SECONDS
from office_node.rehearsal.operator import Operator
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.load import Load, status_with
from tests.office import WANTED, Office, eventually


def published(office: Office) -> set[str]:
    """The kids in the JWKS."""
    return {key["kid"] for key in requests.get(f"{office.url}/oauth2/jwks", timeout=30).json()["keys"]}


def new_token(wipo: Operator) -> tuple[str, str]:
    """A fresh token and its kid."""
    token = wipo.ask_token(wipo.assertion()).json()["access_token"]
    header = token.partition(".")[0]
    return token, json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]


def asking_and_calling(office: Office) -> Load:
    """Every fourth request asks for a token, the others use the last one that was given."""
    held = [new_token(office.stranger())[0]]

    def send(number: int) -> tuple[str, int]:
        if number % 4:
            return "call", status_with(office, held[0])
        wipo = office.stranger()
        answer = wipo.ask_token(wipo.assertion())
        if answer.ok:
            held[0] = answer.json()["access_token"]
        return "token", answer.status_code

    return Load(send)


@on_sqlite
def test_a_signing_key_rolls_over_under_20_requests_a_second_and_no_credential_is_refused(
    new_office: MakeOffice,
) -> None:
    office = new_office({"authorization_server": {"token_seconds": 60}, "web": {"workers": 3}})
    office.upgrade()
    office.start_web()
    old_token, old_kid = new_token(office.stranger())
    new_kid: list[str] = []

    def roll_over() -> None:
        assert command_line.run(office.settings_file, "keys", "rotate", "token-signing", "--in", "10").exit_code == 0
        [file] = (office.folder / "keys").glob("token_signing.2*.pem")
        new_kid.append(str(keys.load_private_key(file).kid))
        eventually(lambda: published(office) == {old_kid, *new_kid})
        assert new_token(office.stranger())[1] == old_kid
        eventually(lambda: new_token(office.stranger())[1] in new_kid)
        time.sleep(1)  # beyond the moment, with every worker

    load = asking_and_calling(office)
    load.run_while(roll_over)
    assert set(load.seen) == {("token", 200), ("call", 200)}, load.seen
    assert load.seen.total() > 100
    new_one, kid = new_token(office.stranger())
    assert [kid] == new_kid
    assert published(office) == {old_kid, kid}
    assert [status_with(office, token) for token in (old_token, new_one)] == [requests.codes.ok] * 2


@on_sqlite
def test_a_key_that_others_saw_is_replaced_at_once_and_its_tokens_die(new_office: MakeOffice) -> None:
    office = new_office({"web": {"workers": 2}})
    office.upgrade()
    office.start_web()
    stolen, old_kid = new_token(office.stranger())
    assert status_with(office, stolen) == requests.codes.ok
    done = command_line.run(office.settings_file, "keys", "rotate", "token-signing", "--at-once")
    assert f"removed {office.folder / 'keys' / 'token_signing.pem'}\n" in done.stdout
    time.sleep(LOOK_SECONDS + 0.5)
    assert status_with(office, stolen) == requests.codes.unauthorized
    fresh, kid = new_token(office.stranger())
    assert published(office) == {kid} != {old_kid}
    assert status_with(office, fresh) == requests.codes.ok


@on_sqlite
def test_our_key_at_wipo_rolls_over_and_no_notification_is_refused(new_office: MakeOffice) -> None:
    both = ["../keys/es256_cert.pem", "../keys/es256_cert.next.pem"]
    office = new_office({"rehearsal": {"office_certificate_files": both}})
    assert command_line.run(office.settings_file, "keys", "rotate", "wipo-client").exit_code == 0
    central = office.start_central()
    office.start_web("serve")
    office.add_document()
    wipo = office.operator()
    first = wipo.forward(WANTED).json()["requestAckId"]
    eventually(lambda: first in {entry["key"] for entry in office.ledger()})

    assert command_line.run(office.settings_file, "keys", "rotate", "wipo-client", "--activate").exit_code == 0
    seen_by_all = time.monotonic() + LOOK_SECONDS + 0.5
    [new_certificate] = (office.folder / "keys").glob("es256_cert.2*.pem")
    text = office.settings_file.read_text()
    office.settings_file.write_text(text.replace("es256_cert.next.pem", new_certificate.name))
    office.script_central({"status": 401})  # so that a new token is asked for, whichever key signs
    second = wipo.forward(WANTED, wipo_acknowledgement_id="A2").json()["requestAckId"]
    eventually(lambda: second in {entry["key"] for entry in office.ledger()})

    # A central that knows the new key alone, and no token of before: only the new key can get one there.
    central.terminate()
    central.wait(30)
    office.settings_file.write_text(office.settings_file.read_text().replace(f'"{both[0]}", ', ""))
    office.start_central()
    time.sleep(max(0, seen_by_all - time.monotonic()))
    third = wipo.forward(WANTED, wipo_acknowledgement_id="A3").json()["requestAckId"]
    eventually(lambda: third in {entry["key"] for entry in office.ledger()})
    assert [line for line in office.log_lines() if line.get("code") == "N603"] == []
