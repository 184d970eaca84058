"""SIGHUP while something is under way: downloads end, messages are sent once, and a stop still stops everything."""

import os
import re
import signal
import subprocess
import sys
import time

import psutil
import requests

from office_node.rehearsal.operator import Wanted
from tests.conftest import MakeOffice
from tests.databases import on_sqlite, postgresql_in_make_faults
from tests.end_to_end.reloading import (
    OTHER,
    WIPO,
    SlowReader,
    calling,
    change,
    children_of,
    keep_clients,
    lines_of,
    link_to,
    operator,
    reload,
    told_by,
    two_clients,
)
from tests.office import ROOT, WANTED, Office, eventually, pdf

BIG = 50_000_000


@on_sqlite
def test_a_slow_download_outlives_two_reloads_and_the_time_that_a_stop_gives(new_office: MakeOffice) -> None:
    office = two_clients(new_office, drain_seconds=1)
    web, _ = office.start_web(), office.start("worker")
    content = pdf(BIG)
    with SlowReader(link_to(office, content)) as reader:
        got = [reader.read(1_000_000)]
        for _ in range(2):
            reload(office, web)
            got.append(reader.read(1_000_000))
            time.sleep(1.5)  # longer than drain_seconds
        assert all(line["still_ending"] for line in lines_of(office, "web", "reloaded")), "one worker has the reader"
        got.append(reader.read(len(content) - sum(map(len, got))))
        assert b"".join(got) == content
        assert reader.ask_again() == b"", "its worker has the old settings: it takes nothing more"
    eventually(lambda: len(children_of(web)) == 2)
    assert told_by(office, "web", "download ended") == 1


@on_sqlite
def test_a_stop_right_after_a_reload_waits_no_longer_than_a_stop_does(new_office: MakeOffice) -> None:
    office = two_clients(new_office, drain_seconds=3)
    serve = office.start_web("serve")
    eventually(lambda: told_by(office, "worker", "worker started"))
    with SlowReader(link_to(office, pdf(BIG))) as reader:
        reader.read(1_000_000)
        serve.send_signal(signal.SIGHUP)
        eventually(lambda: told_by(office, "web"))
        family = psutil.Process(serve.pid).children(recursive=True)
        serve.send_signal(signal.SIGHUP)
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(20) == 0, "an hour was given to the reader, and is taken back"
    assert not any(map(_lives, family))


@on_sqlite
def test_a_reload_of_a_node_that_stops_changes_nothing(office: Office) -> None:
    serve = office.start_web("serve")
    eventually(lambda: told_by(office, "worker", "worker started"))
    serve.send_signal(signal.SIGTERM)
    for pid in (serve.pid, *children_of(serve)):
        os.kill(pid, signal.SIGHUP)
    assert serve.wait(60) == 0
    log = office.log_file.read_text()
    assert "Traceback" not in log
    booted = re.findall(r"Booting worker with pid: (\d+)", log)
    ended = re.findall(r"Worker exiting \(pid: (\d+)\)", log)
    assert sorted(ended) == sorted(booted), "one that did not hear of the stop serves on until it is killed"


@postgresql_in_make_faults
def test_every_message_is_sent_once_though_the_worker_is_reloaded_again_and_again(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    office.start_central()
    serve = office.start_web("serve")
    eventually(lambda: told_by(office, "worker", "worker started"))
    wanted = [Wanted("patent", f"US 98/{number:03},001", "2023-11-02", "AB21") for number in range(40)]
    for document in wanted:
        office.add_document(pdf(100_000), document)
    office.script_central(*[{"hold_seconds": 0.3, "after_effect": True}] * len(wanted))
    wipo, sent = operator(office, WIPO), []
    wipo.http.headers["Connection"] = "close"  # an idle line may be closed in the moment of asking (RFC 9112 9.3.1)
    for document in wanted:
        sent.append(wipo.forward(document).json()["requestAckId"])
        if len(sent) % 10 == 0:
            change(office, "worker", api_calls=1 + len(sent) // 10)
            serve.send_signal(signal.SIGHUP)
    eventually(lambda: not office.waiting())
    assert sorted((entry["key"], entry["times"]) for entry in office.ledger()) == sorted(
        (sent_id, 1) for sent_id in sent
    )
    assert told_by(office, "worker") >= 2
    assert told_by(office, "worker", "message postponed") == 0


@on_sqlite
def test_a_worker_that_cannot_use_the_file_goes_on_with_what_it_has(office: Office) -> None:
    office.start_central()
    office.start_web()
    worker = office.start("worker")
    eventually(lambda: told_by(office, "worker", "worker started"))
    good = office.settings_file.read_text()
    office.settings_file.write_text(good.replace("[office]", "[offices]"))
    worker.send_signal(signal.SIGHUP)
    eventually(lambda: told_by(office, "worker", "reload refused"))
    assert {line["code"] for line in lines_of(office, "worker", "settings not taken")} == {"N011", "N012"}
    office.settings_file.write_text(good)
    office.add_document()
    office.operator().forward(WANTED)
    eventually(office.ledger)
    reload(office, worker, "worker")


@on_sqlite
def test_serve_hands_a_reload_on_to_web_and_worker_even_if_it_comes_before_they_listen(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    serve = office.start("serve")
    eventually(lambda: psutil.Process(serve.pid).children())
    serve.send_signal(signal.SIGHUP)
    eventually(lambda: told_by(office, "web") and told_by(office, "worker"))
    assert told_by(office, "serve", "child ended, starting it again") == 0
    assert requests.get(f"{office.url}/oauth2/jwks", timeout=30).ok


@on_sqlite
def test_gunicorn_with_the_shipped_wsgi_file_is_reloaded_as_well(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "wsgi:app"]
    environment = {**os.environ, "OFFICE_NODE_CONFIG": str(office.settings_file)}
    with office.log_file.open("ab") as log:
        web = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    office.processes.append(web)
    eventually(lambda: requests.get(f"{office.url}/oauth2/jwks", timeout=30).ok)
    removed, good = operator(office, OTHER), operator(office, WIPO)
    with calling(lambda: good.call("GET", "retrievals")) as answers:
        keep_clients(office, WIPO)
        good_file = office.settings_file.read_text()
        office.settings_file.write_text("nothing")
        web.send_signal(signal.SIGHUP)
        eventually(lambda: told_by(office, "web", "reload refused"))
        assert removed.call("GET", "retrievals").status_code == 200
        office.settings_file.write_text(good_file)
        reload(office, web)
        assert removed.call("GET", "retrievals").status_code == 401
    assert (answers.failures, answers.statuses()) == ([], {200})
    web.terminate()
    assert web.wait(60) == 0


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # killed, and not yet taken note of
    except psutil.NoSuchProcess:
        return False
