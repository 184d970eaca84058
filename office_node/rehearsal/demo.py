"""`make demo`: a priority document travels, between real processes, and every step is told.

It knows the node only as its users do: by its command line, its log lines and its HTTP interface.
"""

import contextlib
import hashlib
import json
import re
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests
from joserfc.jwk import ECKey

from office_node.rehearsal.operator import Operator, Wanted
from office_node.rehearsal.stage import Stage, opened

_READY_SECONDS = 30.0
_SIZE = 8_000_000
_WANTED = Wanted("patent", "US 98/012,357", "2023-11-02", "AB21")


@dataclass
class _Tally:
    """Tells each step as it ends, and how many went well."""

    passed: int = 0
    failed: int = 0

    def step(self, what: str, good: bool, seen: str) -> None:
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"  {'ok    ' if good else 'FAILED'} {what:<62} {seen}", flush=True)

    def answer(self, what: str, answer: requests.Response, status: int, seen: str = "", *, also: bool = True) -> None:
        expected = f"{answer.status_code}{'' if answer.status_code == status else f' instead of {status}'}"
        self.step(what, answer.status_code == status and also, f"{expected} {seen}".strip())


def run(shipped_config: Path) -> int:
    """The whole walk on a copy of the shipped settings; returns the exit code. Raises `NotAlone`."""
    tally = _Tally()
    began = time.monotonic()
    with opened(shipped_config) as stage:
        for title, part in _PARTS:
            print(title, flush=True)
            part(stage, tally)
            if tally.failed:
                break
    print(f"took {time.monotonic() - began:.1f} s")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


def _prepare(stage: Stage, tally: _Tally) -> None:
    made = stage.run("keys", "generate")
    tally.step("office-node keys generate", made.returncode == 0, f"{len(made.stdout.splitlines())} keys")
    checked = stage.run("config", "check")
    tally.step("office-node config check", checked.returncode == 0, checked.stdout.rsplit(": ", 1)[-1].strip())
    upgraded = stage.run("db", "upgrade")
    tally.step("office-node db upgrade", upgraded.returncode == 0, upgraded.stdout.strip())
    document = stage.folder / "priority.pdf"
    document.write_bytes(b"%PDF-1.4\n" + secrets.token_bytes(_SIZE) + b"\n%%EOF\n")
    for expected in ("added", "unchanged"):
        arguments = ("--kind", _WANTED.kind, "--number", _WANTED.number, "--date", _WANTED.date)
        added = stage.run("library", "add", str(document), *arguments, "--access-code", _WANTED.access_code)
        good = added.returncode == 0 and added.stdout.startswith(f"{expected}:")
        seen = added.stdout.partition(", version")[0] or added.stderr.strip()
        tally.step("office-node library add priority.pdf", good, seen)


def _start(stage: Stage, tally: _Tally) -> None:
    for what, address, arguments in (
        ("simulated WIPO central", f"{stage.central_url}/rehearsal/alive", ("rehearsal", "serve")),
        ("office node: web and worker", f"{stage.office_url}/.well-known/oauth-authorization-server", ("serve",)),
    ):
        process = stage.start(*arguments)
        answer = _wait_for(partial(requests.get, address, timeout=5))
        alive = answer is not None and answer.ok and process.poll() is None
        tally.step(f"office-node {' '.join(arguments)}", alive, f"{what} at {address.split('/')[2]}")


def _trust(stage: Stage, tally: _Tally) -> None:
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


def _refusals(stage: Stage, tally: _Tally) -> None:
    operator = _authenticated(stage)
    for what, wanted, codes in (
        ("an unknown document", Wanted("patent", "US 98/999,999", "2023-11-02", "AB21"), [-7]),
        ("a wrong date", Wanted(_WANTED.kind, _WANTED.number, "2023-11-03", "AB21"), [-12]),
        ("a wrong access code", Wanted(_WANTED.kind, _WANTED.number, _WANTED.date, "ZZ99"), [-14]),
        (
            "a wrong date and a wrong access code",
            Wanted(_WANTED.kind, _WANTED.number, "2023-11-03", "ZZ99"),
            [-12, -14],
        ),
    ):
        answer = operator.forward(wanted)
        found = [detail["code"] for detail in answer.json()["details"]]
        tally.answer(f"POST retrievals, {what}", answer, 400, str(found), also=found == codes)
    broken = operator.call("POST", "retrievals", data="{", headers={"Content-Type": "application/json"})
    tally.answer("POST retrievals, broken JSON", broken, 400, broken.json()["code"])
    unknown = operator.locate(_WANTED, "00000000-0000-0000-0000-000000000000")
    tally.answer("POST files/url-downloads, unknown id", unknown, 404, unknown.json()["code"])


def _travel(stage: Stage, tally: _Tally) -> None:
    operator = _authenticated(stage)
    wipo_id = f"A1-{secrets.token_hex(4)}"
    forwarded = operator.forward(_WANTED, wipo_acknowledgement_id=wipo_id)
    acknowledgement_id = forwarded.json().get("requestAckId", "")
    tally.answer(f"POST retrievals ({wipo_id})", forwarded, 201, f"requestAckId {acknowledgement_id}")
    again = operator.forward(_WANTED, wipo_acknowledgement_id=wipo_id)
    same = again.json().get("requestAckId") == acknowledgement_id
    tally.answer("POST retrievals, repeated", again, 201, "the same requestAckId", also=same)
    notified = _wait_for(lambda: next((e for e in stage.ledger() if e["key"] == acknowledgement_id), None))
    seen = f"{notified['notification']['requestStatusCategory']}, {notified['times']} time" if notified else "never"
    tally.step("WIPO's POST notifications was called", bool(notified), seen)
    status = operator.status(acknowledgement_id)
    category = status.json()["documentRetrievalResponseBag"][0]["requestStatusCategory"]
    tally.answer("GET retrievals", status, 200, category, also=category == "success")
    located = operator.locate(_WANTED, acknowledgement_id)
    url = located.json().get("fileDownloadUrl", "")
    stage.secrets.append(url.rpartition("signature=")[2])
    tally.answer("POST files/url-downloads", located, 200, "a link for 15 minutes")
    _fetch(stage, tally, operator, url)
    deleted = operator.delete(acknowledgement_id)
    tally.answer("DELETE files", deleted, 204)
    tally.answer("DELETE files, again", operator.delete(acknowledgement_id), 404)
    tally.answer("GET the link after that", operator.fetch(url), 410)


def _fetch(stage: Stage, tally: _Tally, operator: Operator, url: str) -> None:
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


def _afterwards(stage: Stage, tally: _Tally) -> None:
    for arguments, expected in (
        (("outbox", "list"), "nothing waits"),
        (("library", "verify"), "every file is what the catalogue says"),
    ):
        told = stage.run(*arguments)
        good = told.returncode == 0 and told.stdout.strip() == expected
        tally.step(f"office-node {' '.join(arguments)}", good, told.stdout.strip() or told.stderr.strip())
    for process in reversed(stage.processes):
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
        tally.step("SIGTERM", code == 0, f"process ended with {code}")
    log = stage.log_file.read_text(errors="replace")
    leaked = [secret for secret in stage.secrets if secret and secret in log]
    coded = re.findall(r'"(?:dasAccessCode|access_code)": ?"(?!\[cut)[^"]*"', log)
    tally.step(
        "no token, assertion, access code or link in the log", not leaked and not coded, f"{len(log)} bytes searched"
    )
    errors = [line for line in log.splitlines() if '"level": "error"' in line]
    tally.step("no error in the log", not errors, errors[0] if errors else f"{len(log.splitlines())} lines")


_PARTS: tuple[tuple[str, Callable[[Stage, _Tally], None]], ...] = (
    ("An office sets up its node and takes a priority document into its library", _prepare),
    ("The processes start", _start),
    ("WIPO authenticates at the office's own token endpoint", _trust),
    ("What does not fit is refused, and nothing expected is told", _refusals),
    ("WIPO forwards a retrieval, is notified, fetches the location and the bytes", _travel),
    ("Afterwards", _afterwards),
)


def _operator(stage: Stage) -> Operator:
    key = ECKey.import_key((stage.folder / "keys" / "rehearsal_wipo.pem").read_bytes())
    return Operator(office_url=stage.office_url, client_id="wipo-das", key=key, scope="das-api/office-exchange")


def _authenticated(stage: Stage) -> Operator:
    operator = _operator(stage)
    operator.ask_token(operator.assertion(), percent_encoded=True).raise_for_status()
    return operator


def _wait_for(look: Callable[[], Any]) -> Any:
    """What `look` gives once it gives something; None when time is up."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException, json.JSONDecodeError):
            if found := look():
                return found
        time.sleep(0.05)
    return None
