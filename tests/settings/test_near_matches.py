"""A slip of the hand is refused, never taken for a default, and nearly always answered with the right name."""

from pathlib import Path

import pytest

from office_node import settings
from office_node.settings import SettingsFaulty
from tests.settings.files import write

SLIPS = [
    # (where it was written, what was meant)
    ("office.cod", "code"),
    ("office.country_code", "code"),
    ("web.listne", "listen"),
    ("web.publicurl", "public_url"),
    ("web.public_uri", "public_url"),
    ("web.worker", "workers"),
    ("web.max_download", "max_downloads"),
    ("web.max-body-bytes", "max_body_bytes"),
    ("web.drain_second", "drain_seconds"),
    ("database.ulr", "url"),
    ("database.passwordfile", "password_file"),
    ("library.Store", "store"),
    ("library.access_code_key", "access_code_key_file"),
    ("library.max_document_size", "max_document_bytes"),
    ("authorization_server.signing_key", "signing_key_file"),
    ("authorization_server.token_secs", "token_seconds"),
    ("authorization_server.clients.0.clientid", "client_id"),
    ("authorization_server.clients.0.public_key_file", "public_key_files"),
    ("authorization_server.clients.0.scope", "scopes"),
    ("wipo.baseurl", "base_url"),
    ("wipo.token_uri", "token_url"),
    ("wipo.client_kye_file", "client_key_file"),
    ("wipo.ca_files", "ca_file"),
    ("wipo.conect_seconds", "connect_seconds"),
    ("off.download_link_key", "download_link_key_file"),
    ("off.request_day", "request_days"),
    ("outbox.lease", "lease_seconds"),
    ("worker.poll_second", "poll_seconds"),
    ("logging.lvl", "level"),
    ("rehearsal.wipo_key", "wipo_key_file"),
    ("libary.store", "library"),
    ("databse.url", "database"),
    ("authorisation_server.token_seconds", "authorization_server"),
    ("out_box.lease_seconds", "outbox"),
    ("logs.level", "logging"),
    ("Web.listen", "web"),
]


@pytest.mark.parametrize(("written", "meant"), SLIPS)
def test_a_misspelt_key_or_section_is_refused_where_it_stands(tmp_path: Path, written: str, meant: str) -> None:
    section, _, key = written.partition(".")
    knows_section = section in settings.Settings.model_fields
    number, place = ("N010", key.rpartition(".")[2]) if knows_section else ("N011", section)
    with pytest.raises(SettingsFaulty) as caught:
        settings.load(write(tmp_path, {written: "x"}))
    [finding] = caught.value.findings
    assert finding.number == number
    assert place in finding.place


def test_nearly_every_slip_is_answered_with_what_was_meant(tmp_path: Path) -> None:
    missed = []
    for written, meant in SLIPS:
        with pytest.raises(SettingsFaulty) as caught:
            settings.load(write(tmp_path, {written: "x"}))
        if f"did you mean `{meant}`?" != caught.value.findings[0].hint:
            missed.append((written, caught.value.findings[0].hint))
    assert len(missed) <= len(SLIPS) // 10, missed
