"""No token, assertion, access code, signature or presigned URL in any log or answer: planted, then searched for."""

import json

import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import WANTED, eventually, secrets_in
from tests.peer import Says, listening_peer

PLANTED_CODE = "Q7Z9"


@postgresql_in_make_faults
def test_nothing_secret_reaches_a_log_on_any_path(new_office: MakeOffice) -> None:
    office = new_office(overrides={"logging": {"level": "debug"}})
    office.start_central()
    office.start_web("serve")
    office.add_document()
    wipo = office.operator()
    planted = [
        wipo.assertion(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.planted",
        PLANTED_CODE,
        "planted-signature-0123456",
    ]

    # What goes well: assertion, token, access code, link.
    assertion = wipo.assertion()
    token = wipo.ask_token(assertion).json()["access_token"]
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    url = wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"]
    assert wipo.fetch(url).content
    planted += [assertion, token, url, url.rpartition("signature=")[2]]

    # What goes wrong: each with a secret where it is refused.
    api = f"{office.url}/das-api/v1/requests"
    body = {"operationCategory": "retrieval", **WANTED.members(), "dasAccessCode": PLANTED_CODE}
    json_type = {"Content-Type": "application/json"}
    refused = [
        wipo.ask_token(planted[1]),
        wipo.ask_token(assertion),
        requests.post(f"{office.url}/oauth2/access_token?client_assertion={planted[1]}", timeout=30),
        requests.get(f"{api}/retrievals", headers={"Authorization": f"Bearer {planted[1]}"}, timeout=30),
        requests.get(f"{api}/retrievals?access_token={planted[1]}", timeout=30),
        requests.get(f"{api}/retrievals", headers={"Authorization": f"Bearer {token} {planted[1]}"}, timeout=30),
        requests.get(f"{api}/x", headers={"Authorization": f"Bearer {planted[1]}" + "A" * 65536}, timeout=30),
        wipo.call("POST", "retrievals", json=body),
        wipo.call("POST", "retrievals", json={**body, "dasAccessCode": [PLANTED_CODE]}),
        wipo.call("POST", "retrievals", json={**body, "documentNumber": {"dasAccessCode": PLANTED_CODE}}),
        wipo.call("POST", "retrievals", data=json.dumps(body)[:-1], headers=json_type),
        wipo.call("GET", f"retrievals?dasAccessCode={PLANTED_CODE}&requestAckId=nobody"),
        wipo.fetch(url.rpartition("signature=")[0] + "signature=planted-signature-0123456"),
        wipo.fetch(url, Host="elsewhere.example.org"),
        requests.put(url, timeout=30),
    ]
    assert [answer.status_code for answer in refused if answer.status_code >= 500] == []
    for answer in refused:
        assert not any(secret in answer.text for secret in planted), answer.text

    log = office.log_file.read_text()
    assert log.count('"answered"') >= 15, "debug lines were written"
    assert [secret for secret in planted if secret in log] == []
    assert secrets_in(log) == []


@postgresql_in_make_faults
def test_a_peer_that_echoes_secrets_does_not_get_them_into_our_log_or_outbox(new_office: MakeOffice) -> None:
    with listening_peer() as wipo:
        leaky = (
            "refused eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.echo for dasAccessCode=AB21 at https://x/?signature=abcdef0123"
        )
        wipo.will_say(
            Says(200, {"access_token": "plain-token", "expires_in": 3599}),
            Says(400, {"code": "INVALID_INPUT_DATA", "details": [{"code": -7, "message": leaky}]}),
        )
        office = new_office(overrides={"wipo": {"base_url": wipo.url, "token_url": f"{wipo.url}/token"}})
        office.start_web("serve")
        office.add_document()
        office.operator().forward(WANTED)
        eventually(lambda: [message for message in office.waiting() if message.state == "parked"])
        told = office.log_file.read_text() + office.run("outbox", "list", "--json").stdout
    assert "WIPO answered 400" in told
    for secret in ("plain-token", "eyJzdWIiOiJ4In0", "AB21", "abcdef0123"):
        assert secret not in told
