"""SIGHUP reads settings and keys again: at once for whoever lost his access, unnoticed by everybody else."""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from functools import partial

import pytest
import requests

from office_node.auth import keys
from office_node.rehearsal.operator import Operator
from tests.conftest import MakeOffice
from tests.databases import on_sqlite, postgresql_in_make_faults
from tests.end_to_end.reloading import (
    OTHER,
    WIPO,
    calling,
    change,
    children_of,
    keep_clients,
    lines_of,
    operator,
    reload,
    reloaded_at,
    told_by,
    two_clients,
)
from tests.office import Office, eventually, free_port


@postgresql_in_make_faults
def test_a_client_that_is_removed_loses_its_access_and_nobody_else_notices(new_office: MakeOffice) -> None:
    office = two_clients(new_office, workers=3)
    web = office.start_web()
    removed = [operator(office, OTHER) for _ in range(6)]
    good, stranger = operator(office, WIPO), operator(office, WIPO)
    with ExitStack() as stack:
        lost = [stack.enter_context(calling(partial(who.call, "GET", "retrievals"))) for who in removed]
        kept = stack.enter_context(calling(lambda: good.call("GET", "retrievals")))
        strangers = stack.enter_context(calling(lambda: _on_a_new_line(stranger)))
        keep_clients(office, WIPO)
        reload(office, web)
        time.sleep(1)
    assert all(200 in answers.statuses() for answers in lost)
    assert {status for answers in lost for status in answers.statuses(reloaded_at(office))} == {401}
    assert removed[0].ask_token(removed[0].assertion()).status_code == 401
    for answers in (kept, strangers):
        assert (answers.failures, answers.statuses(), answers.statuses(reloaded_at(office))) == ([], {200}, {200})
    assert not any(answers.failures for answers in lost), "even he was answered, each time"


@on_sqlite
def test_the_last_client_can_be_taken_out_too(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    web = office.start_web()
    caller = operator(office, WIPO)
    keep_clients(office)
    reload(office, web)
    assert caller.call("GET", "retrievals").status_code == 401
    assert caller.ask_token(caller.assertion()).status_code == 401


@on_sqlite
def test_a_kept_alive_connection_that_was_silent_meanwhile_gains_nothing(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    web = office.start_web()
    silent = [operator(office, OTHER) for _ in range(4)]
    keep_clients(office, WIPO)
    reload(office, web)
    assert {who.call("GET", "retrievals").status_code for who in silent} == {401}


@on_sqlite
@pytest.mark.parametrize(
    ("section", "values", "number"),
    [
        ("web", {"liste": "127.0.0.1:1"}, "N010"),
        ("off", {"request_days": 0}, "N014"),
        ("authorization_server", {"signing_key_file": "../keys/nobody.pem"}, "N101"),
        ("database", {"url": "sqlite:///../var/empty.db"}, "N202"),
    ],
)
def test_what_cannot_be_used_is_told_and_the_old_settings_stay(
    new_office: MakeOffice, section: str, values: dict[str, object], number: str
) -> None:
    office = two_clients(new_office)
    web = office.start_web()
    caller, good_file, workers = operator(office, OTHER), office.settings_file.read_text(), children_of(web)
    keep_clients(office, WIPO)
    change(office, section, **values)
    web.send_signal(signal.SIGHUP)
    [refused] = eventually(lambda: lines_of(office, "web", "reload refused"))
    assert refused["code"] == "N712"
    assert [line["code"] for line in lines_of(office, "web", "settings not taken")] == [number]
    assert caller.call("GET", "retrievals").status_code == 200
    assert children_of(web) == workers
    office.settings_file.write_text(good_file)
    reload(office, web)
    assert caller.call("GET", "retrievals").status_code == 200
    assert not children_of(web) & workers


@on_sqlite
def test_a_worker_that_falls_before_the_reload_comes_back_with_the_settings_in_force(new_office: MakeOffice) -> None:
    office = two_clients(new_office, workers=1)
    web = office.start_web()
    caller, [first] = operator(office, OTHER), children_of(web)
    office.settings_file.write_text("not TOML at all")
    (office.folder / "keys" / "token_signing.pem").write_text("no key")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: children_of(web) not in ({first}, set()))
    eventually(lambda: caller.call("GET", "retrievals").status_code == 200)


@on_sqlite
def test_a_scope_that_is_taken_away_is_refused_from_then_on(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    web = office.start_web()
    caller = operator(office, WIPO)
    change(office, "authorization_server", clients=[_with_scopes(office, ["das-api/das-access"])])
    reload(office, web)
    assert caller.ask_token(caller.assertion()).status_code == 400
    assert caller.call("GET", "retrievals").status_code == 403, "the token of before has lost it too"


@on_sqlite
def test_many_at_once_are_taken_one_after_the_other_and_pile_up_no_workers(new_office: MakeOffice) -> None:
    office = two_clients(new_office)
    web = office.start_web()
    most = 0
    for _ in range(10):
        web.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        most = max(most, len(children_of(web)))
    assert most <= 3 * 2, "those that serve, those that come, those that end"
    eventually(lambda: told_by(office, "web") >= 2)
    assert operator(office, OTHER).call("GET", "retrievals").status_code == 200


@on_sqlite
def test_a_signing_key_that_was_replaced_is_the_only_one_that_counts(office: Office) -> None:
    web = office.start_web()
    caller = operator(office, WIPO)
    before = requests.get(f"{office.url}/oauth2/jwks", timeout=30).json()
    file = office.folder / "keys" / "token_signing.pem"
    keys.generate_private_key(office.folder / "keys" / "next.pem")
    shutil.move(office.folder / "keys" / "next.pem", file)
    reload(office, web)
    assert requests.get(f"{office.url}/oauth2/jwks", timeout=30).json() != before
    assert caller.call("GET", "retrievals").status_code == 401
    assert operator(office, WIPO).call("GET", "retrievals").status_code == 200


@on_sqlite
def test_another_listener_is_told_to_need_a_restart_and_all_the_rest_is_taken(new_office: MakeOffice) -> None:
    office = two_clients(new_office, workers=2)
    web = office.start_web()
    caller = operator(office, OTHER)
    keep_clients(office, WIPO)
    change(office, "web", listen=f"127.0.0.1:{free_port()}", workers=3)
    reload(office, web)
    [stays] = lines_of(office, "web", "listener stays")
    assert (stays["code"], stays["level"]) == ("N713", "warning")
    assert caller.call("GET", "retrievals").status_code == 401
    eventually(lambda: len(children_of(web)) == 3)


@on_sqlite
def test_three_in_a_row_end_in_the_last_settings_with_as_many_workers_as_they_say(new_office: MakeOffice) -> None:
    office = two_clients(new_office, workers=2)
    web = office.start_web()
    gone, good = operator(office, OTHER), operator(office, WIPO)
    with calling(lambda: good.call("GET", "retrievals")) as answers:
        for workers in (3, 1):
            change(office, "web", workers=workers)
            web.send_signal(signal.SIGHUP)
        keep_clients(office, WIPO)
        reload(office, web)
        eventually(lambda: gone.call("GET", "retrievals").status_code == 401)
        eventually(lambda: len(children_of(web)) == 1)
    assert (answers.failures, answers.statuses()) == ([], {200})
    assert told_by(office, "web", "reload refused") == 0


def _on_a_new_line(caller: Operator) -> requests.Response:
    caller.http.close()
    return caller.call("GET", "retrievals")


def _with_scopes(office: Office, scopes: list[str]) -> dict[str, object]:
    [client, *_] = office.settings().authorization_server.clients  # type: ignore[union-attr]
    files = [str(file) for file in client.public_key_files]
    return {"client_id": WIPO, "profile": "compat", "public_key_files": files, "scopes": scopes}
