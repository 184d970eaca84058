"""What is wrong with keys when a process starts: a danger refuses, everything else is told and the node works."""

from datetime import UTC, datetime, timedelta

from tests.auth.issued import issue
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office, eventually

NOW, DAY = datetime.now(UTC), timedelta(days=1)


@on_sqlite
def test_certificates_out_of_time_are_told_at_the_start_and_by_the_housekeeping(new_office: MakeOffice) -> None:
    client = {"client_id": "wipo-das", "profile": "compat", "public_key_files": ["../keys/wipo_cert.pem"]}
    office = new_office({"authorization_server": {"clients": [client]}})
    office.upgrade()
    keys = office.folder / "keys"
    issue(keys / "es256_private.pem", keys / "es256_cert.pem", NOW - DAY, NOW + 20 * DAY)
    issue(keys / "rehearsal_wipo.pem", keys / "wipo_cert.pem", NOW - 9 * DAY, NOW - DAY)
    office.start("worker")
    eventually(lambda: office.told("worker started"))
    lines = [(line["event"], line["level"], line.get("code")) for line in office.log_lines()]
    assert ("settings to be looked at", "warning", "N107") in lines
    assert ("settings to be looked at", "error", "N105") in lines
    assert ("certificate ends", "warning", "N107") in lines
    assert ("certificate has ended", "error", "N105") in lines
    [kept] = [line for line in office.log_lines() if line["event"] == "house kept"]
    assert kept["key_warnings"] == 2


@on_sqlite
def test_a_private_key_that_others_may_read_refuses_the_start(office: Office) -> None:
    (office.folder / "keys" / "es256_private.pem").chmod(0o644)
    ran = office.run("worker")
    assert ran.returncode == 1
    assert ran.stderr.startswith("N102 office.toml [wipo] client_key_file: ")
    assert len(ran.stderr.splitlines()) == 1
