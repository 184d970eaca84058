"""WIPO calls with tokens of the office's own server, step by step; and what does not fit is refused."""

import hashlib
import secrets

import requests
from joserfc.jwk import ECKey

from office_node.rehearsal.demo.preparing import WANTED
from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally, wait_for
from office_node.rehearsal.operator import Operator, Wanted


def trust(stage: Stage, tally: Tally) -> None:
    metadata = requests.get(f"{stage.office_url}/.well-known/oauth-authorization-server", timeout=5)
    tally.answer("GET /.well-known/oauth-authorization-server", metadata, 200, f"issuer {metadata.json()['issuer']}")
    keys = requests.get(f"{stage.office_url}/oauth2/jwks", timeout=5)
    tally.answer("GET /oauth2/jwks", keys, 200, f"kid {keys.json()['keys'][0]['kid']}")
    operator = _operator(stage)
    without = operator.call("POST", "retrievals", json={})
    tally.answer("POST retrievals without a token", without, 401, without.headers.get("WWW-Authenticate", ""))
    assertion = operator.assertion()
    stage.secrets.append(assertion)
    token = operator.ask_token(assertion)
    stage.secrets.append(token.json().get("access_token", assertion))
    tally.answer(
        "POST /oauth2/access_token (private_key_jwt, ES256)", token, 200, f"{token.json().get('expires_in')} s"
    )
    replayed = operator.ask_token(assertion)
    tally.answer("POST /oauth2/access_token, the same assertion again", replayed, 401, replayed.json().get("error", ""))


def refusals(stage: Stage, tally: Tally) -> None:
    operator = _authenticated(stage)
    for what, wanted, codes in (
        ("an unknown document", Wanted("patent", "US 98/999,999", "2023-11-02", "AB21"), [-7]),
        ("a wrong date", Wanted(WANTED.kind, WANTED.number, "2023-11-03", "AB21"), [-12]),
        ("a wrong access code", Wanted(WANTED.kind, WANTED.number, WANTED.date, "ZZ99"), [-14]),
        (
            "a wrong date and a wrong access code",
            Wanted(WANTED.kind, WANTED.number, "2023-11-03", "ZZ99"),
            [-12, -14],
        ),
    ):
        answer = operator.forward(wanted)
        found = [detail["code"] for detail in answer.json()["details"]]
        tally.answer(f"POST retrievals, {what}", answer, 400, str(found), also=found == codes)
    broken = operator.call("POST", "retrievals", data="{", headers={"Content-Type": "application/json"})
    tally.answer("POST retrievals, broken JSON", broken, 400, broken.json()["code"])
    unknown = operator.locate(WANTED, "00000000-0000-0000-0000-000000000000")
    tally.answer("POST files/url-downloads, unknown id", unknown, 404, unknown.json()["code"])


def travel(stage: Stage, tally: Tally) -> None:
    operator = _authenticated(stage)
    wipo_id = f"A1-{secrets.token_hex(4)}"
    forwarded = operator.forward(WANTED, wipo_acknowledgement_id=wipo_id)
    acknowledgement_id = forwarded.json().get("requestAckId", "")
    tally.answer(f"POST retrievals ({wipo_id})", forwarded, 201, f"requestAckId {acknowledgement_id}")
    again = operator.forward(WANTED, wipo_acknowledgement_id=wipo_id)
    same = again.json().get("requestAckId") == acknowledgement_id
    tally.answer("POST retrievals, repeated", again, 201, "the same requestAckId", also=same)
    notified = wait_for(lambda: next((e for e in stage.ledger() if e["key"] == acknowledgement_id), None))
    seen = f"{notified['notification']['requestStatusCategory']}, {notified['times']} time" if notified else "never"
    tally.step("WIPO's POST notifications was called", bool(notified), seen)
    status = operator.status(acknowledgement_id)
    category = status.json()["documentRetrievalResponseBag"][0]["requestStatusCategory"]
    tally.answer("GET retrievals", status, 200, category, also=category == "success")
    located = operator.locate(WANTED, acknowledgement_id)
    url = located.json().get("fileDownloadUrl", "")
    stage.secrets.append(url.rpartition("signature=")[2])
    tally.answer("POST files/url-downloads", located, 200, "a link for 15 minutes")
    _fetch(stage, tally, operator, url)
    deleted = operator.delete(acknowledgement_id)
    tally.answer("DELETE files", deleted, 204)
    tally.answer("DELETE files, again", operator.delete(acknowledgement_id), 404)
    tally.answer("GET the link after that", operator.fetch(url), 410)


def _fetch(stage: Stage, tally: Tally, operator: Operator, url: str) -> None:
    expected = hashlib.sha256((stage.folder / "priority.pdf").read_bytes()).hexdigest()
    head = operator.http.head(url, timeout=10)
    tally.answer("HEAD the link", head, 200, f"{head.headers.get('Content-Length')} bytes")
    target = stage.folder / "fetched.pdf"
    digest, size = operator.download(url, target)
    tally.step("GET the link", digest == expected, f"{size} bytes, sha256 {digest[:16]}...")
    with target.open("r+b") as file:
        file.truncate(size // 3)
    digest, size = operator.download(url, target)
    tally.step("GET the link by Range, after a cut", digest == expected, f"{size} bytes, sha256 {digest[:16]}...")
    changed = operator.fetch(url[:-1] + ("A" if url[-1] != "A" else "B"))
    tally.answer("GET the link with one character changed", changed, 403, changed.json()["code"])


def _operator(stage: Stage) -> Operator:
    key = ECKey.import_key((stage.folder / "keys" / "rehearsal_wipo.pem").read_bytes())
    return Operator(office_url=stage.office_url, client_id="wipo-das", key=key, scope="das-api/office-exchange")


def _authenticated(stage: Stage) -> Operator:
    operator = _operator(stage)
    operator.ask_token(operator.assertion(), percent_encoded=True).raise_for_status()
    return operator
