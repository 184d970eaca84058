"""Each fault of the settings has a number of its own, says where it stands, and what to do."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import command_line
from tests.office import ROOT
from tests.settings.files import GONE, Changes, changed


@dataclass(frozen=True)
class Case:
    """A file with one fault, and the one line that tells it; `{folder}` stands for the folder above `config`."""

    line: str
    changes: Changes | None = None
    """What differs from the shipped file."""
    text: str | None = None
    """The file itself, if it differs in more than keys."""

    @property
    def number(self) -> str:
        return self.line.split()[0]


TOO_LONG = 256 * "x"
# Without the shipped client: its key is the rehearsal's, which is a fault of its own outside this machine.
_OUTSIDE: Changes = {
    "web.public_url": "https://das.example.org",
    "trust.accept": ["wipo"],
    "authorization_server": GONE,
    "rehearsal": GONE,
}
_WITH_NUMBERS = [*(ROOT / "office_node" / "settings").glob("*.py"), *(ROOT / "office_node" / "checks").glob("*.py")]

CASES = [
    Case(
        "N001 office.toml file: {folder}/config/office.toml: No such file or directory;"
        " hint: name it with --config FILE"
    ),
    Case(
        "N002 office.toml file: not TOML: Invalid value (at line 2, column 8);"
        " hint: strings stand in quotes, one key a line",
        text="[office]\ncode = XX\n",
    ),
    Case(
        "N002 office.toml file: not TOML: 'utf-8' codec can't decode byte 0xdc in position 1: unexpected end of data;"
        " hint: strings stand in quotes, one key a line",
        text="#\udcdc",
    ),
    Case(
        "N010 office.toml [web] lissen: unknown key; hint: did you mean `listen`?",
        {"web.lissen": "127.0.0.1:1"},
    ),
    Case(
        "N010 office.toml [library] xyzzy: unknown key;"
        " hint: known are store, access_code_key_file, storage_key_file"
        ", encrypt, max_document_bytes, fixity_days, fixity_megabytes_per_second, headroom_megabytes",
        {"library.xyzzy": 1},
    ),
    Case("N011 office.toml [loging]: unknown section; hint: did you mean `logging`?", {"loging": {"level": "info"}}),
    Case(
        "N012 office.toml [wipo] token_url: missing; hint: WIPO's token endpoint; also `aud` of our assertions.",
        {"wipo.token_url": GONE},
    ),
    Case("N012 office.toml [office]: missing; hint: add it", {"office": GONE}),
    Case(
        "N013 office.toml [web] workers: must be a valid integer; hint: Web processes; one per core.",
        {"web.workers": "two"},
    ),
    Case(
        "N014 office.toml [web] workers: must be greater than or equal to 1; hint: Web processes; one per core.",
        {"web.workers": 0},
    ),
    Case(
        "N014 office.toml [ingress] allow: is empty; hint: name at least one",
        {"ingress.allow": []},
    ),
    Case(
        "N015 office.toml [wipo] base_url: no web address; hint: write it whole, such as https://das.example.org",
        {"wipo.base_url": "das.example.org/das-api/v1"},
    ),
    Case(
        "N015 office.toml [wipo] token_url: its host or port cannot be read;"
        " hint: write it whole, such as https://das.example.org",
        {"wipo.token_url": "https://das.example.org:99999/token"},
    ),
    Case(
        "N015 office.toml [wipo] base_url: goes too far; hint: leave /requests away: the node adds it",
        {"wipo.base_url": "https://das.example.org/das-api/v1/requests"},
    ),
    Case(
        "N015 office.toml [web] public_url: has a path;"
        " hint: give scheme, host and port only, such as https://das.example.org",
        {"web.public_url": "https://office.example.org/das"},
    ),
    Case(
        "N016 office.toml [wipo] token_url: http would send documents and tokens in the clear;"
        " hint: use https outside this machine",
        {"wipo.token_url": "http://wipo.example.org/token"},
    ),
    Case(
        "N017 office.toml [wipo] token_url: a web address here carries no user or password;"
        " hint: take the part before @ away",
        {"wipo.token_url": "https://office:s3cret@wipo.example.org/token"},
    ),
    Case(
        "N017 office.toml [database] url: the password stands in the file;"
        " hint: move it into a file named by password_file",
        {"database.url": "postgresql://office:s3cret@db.example.org/office"},
    ),
    Case(
        "N018 office.toml [web] listen: `8180` is no listener; hint: write host:port, such as 127.0.0.1:8180",
        {"web.listen": "8180"},
    ),
    Case(
        "N019 office.toml [database] url: neither SQLite nor PostgreSQL;"
        " hint: write sqlite:///PATH or postgresql://user@host/name",
        {"database.url": "mysql://office@db.example.org/office"},
    ),
    Case(
        "N019 office.toml [database] url: SQLite needs a file; hint: write sqlite:///../var/office.db",
        {"database.url": "sqlite://"},
    ),
    Case(
        "N020 office.toml [web] max_downloads: 25 downloads leave fewer than 8 of 32 threads to the API;"
        " hint: lower it to 24 or raise threads",
        {"web.max_downloads": 25},
    ),
    Case(
        "N020 office.toml [web] max_downloads: 24 downloads leave fewer than 8 of 10 threads to the API;"
        " hint: lower it to 2 or raise threads",
        {"web.threads": 10},
    ),
    Case(
        "N021 office.toml [authorization_server] clients: client_id wipo-das stands more than once;"
        " hint: keep one entry per client",
        {
            "authorization_server.clients": [
                {"client_id": "wipo-das", "public_key_files": ["../keys/rehearsal_wipo_public.pem"]},
                {"client_id": "wipo-das", "public_key_files": ["../keys/es256_public.pem"]},
            ]
        },
    ),
    Case(
        "N022 office.toml [outbox]: lease_seconds 60 does not outlive [wipo] total_seconds;"
        " hint: make it longer than 60",
        {"outbox.lease_seconds": 60},
    ),
    Case(
        "N022 office.toml [outbox]: lease_seconds 65 does not outlive [wipo] total_seconds;"
        " hint: make it longer than 80",
        {"wipo.total_seconds": 80, "outbox.lease_seconds": 65},
    ),
    Case(
        "N023 office.toml [library] store: {folder}/config/office.toml cannot be written;"
        " hint: give it to the user the node runs as",
        {"library.store": "office.toml/library"},
    ),
    Case(
        "N023 office.toml [database] url: {folder}/config/office.toml cannot be written;"
        " hint: give it to the user the node runs as",
        {"database.url": "sqlite:///office.toml/office.db"},
    ),
    Case(
        f"N023 office.toml [library] store: {{folder}}/{TOO_LONG} cannot be written;"
        " hint: give it to the user the node runs as",
        {"library.store": f"../{TOO_LONG}"},
    ),
    Case(
        "N024 office.toml [ingress] allow #2: `2001:db8::1/32` is no network; hint: write 2001:db8::/32",
        {"ingress.allow": ["127.0.0.1", "2001:db8::1/32"]},
    ),
    Case(
        "N024 office.toml [authorization_server.clients.#1] networks #1: `wipo.int` is no network;"
        " hint: write 192.0.2.0/24 or 2001:db8::/32",
        {"authorization_server.clients.0.networks": ["wipo.int"]},
    ),
    Case(
        "N025 office.toml [ingress] rate_per_client: `10/min` is no rate;"
        " hint: write a number and a span, such as 600/minute",
        {"ingress.rate_per_client": "10/min"},
    ),
    Case(
        "N026 office.toml [egress] allow #1: `127.0.0.1` is no host;"
        " hint: write a host such as files.example.org, or *.example.org for every host below; no address, no port",
        {"egress.allow": ["127.0.0.1"]},
    ),
    Case(
        "N027 office.toml [web] accel_redirect: `library/..` is no path of a URL;"
        " hint: write it from the root, such as /_library",
        {"web.accel_redirect": "library/.."},
    ),
    Case(
        "N028 office.toml [web]: certificate_key_file is missing; hint: name both, or neither if a proxy serves TLS",
        {"web.certificate_file": "../keys/tls.pem"},
    ),
    Case(
        'N029 office.toml [trust]: accept names "wipo", and [wipo_authorization_server] is missing;'
        " hint: add [wipo_authorization_server]",
        {"wipo_authorization_server": GONE},
    ),
    Case(
        "N030 office.toml [trust]: [wipo_authorization_server] issuer is our own public_url;"
        " hint: an issuer is whoever signs: name WIPO's",
        {"wipo_authorization_server.issuer": "http://127.0.0.1:8180"},
    ),
    Case(
        "N031 office.toml [ingress] allow: holds nothing but this machine,"
        " and https://das.example.org is outside: nobody could call; hint: add the networks from which WIPO calls",
        {**_OUTSIDE, "ingress.trusted_proxies": 1},
    ),
    Case(
        "N032 office.toml [ingress] trusted_proxies: is 0, and what reaches 127.0.0.1:8180"
        " under https://das.example.org comes through a proxy on this machine;"
        " hint: give the number of proxies, such as 1",
        {**_OUTSIDE, "ingress.allow": ["192.0.2.0/24"]},
    ),
    Case(
        "N032 office.toml [web] certificate_file: is missing, and no proxy is declared: nobody would serve TLS"
        " for https://das.example.org;"
        " hint: name certificate_file and certificate_key_file, or give [ingress] trusted_proxies",
        {**_OUTSIDE, "ingress.allow": ["192.0.2.0/24"], "web.listen": "0.0.0.0:8443"},
    ),
    Case(
        "N033 office.toml [rehearsal]: the simulated WIPO has no place in a node that is reached as"
        " https://das.example.org; hint: take the section out; rehearse with a copy of the shipped file",
        {
            "web.public_url": "https://das.example.org",
            "ingress.allow": ["192.0.2.0/24"],
            "ingress.trusted_proxies": 1,
            "trust.accept": ["wipo"],
            "authorization_server": GONE,
        },
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.line[12:60]}")
def test_a_fault_is_told_in_one_line_with_its_number_place_and_remedy(folder: Path, case: Case) -> None:
    file = folder / "config" / "office.toml"
    file.parent.mkdir()
    text = changed(case.changes) if case.changes else case.text
    if text is not None:
        file.write_text(text, errors="surrogateescape")
    checked = command_line.run(file, "config", "check")
    assert checked.stderr.splitlines() == [case.line.format(folder=folder)]
    assert (checked.exit_code, checked.stdout) == (1, "")


def test_every_number_has_a_case_here_and_a_line_in_the_docs() -> None:
    code = "".join(path.read_text() for path in _WITH_NUMBERS)
    numbers = set(re.findall(r'"(N0\d\d)"', code))
    assert len(numbers) >= 23
    assert {case.number for case in CASES} == numbers
    documented = re.findall(r"^\| (N0\d\d) \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    assert set(documented) == numbers
