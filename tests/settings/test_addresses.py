"""Addresses: none with a password, none in the clear to another machine; and no fault ever quotes a secret."""

from pathlib import Path

import pytest

from office_node import settings
from office_node.settings import SettingsFaulty
from tests.settings.files import write

SECRET = "hunter2-Xq"


def numbers(folder: Path, key: str, value: object) -> list[str]:
    """The faults of the shipped settings with one key changed."""
    try:
        settings.load(write(folder, {key: value}))
    except SettingsFaulty as exc:
        told = exc
    else:
        return []
    assert SECRET not in str(told)
    return [finding.number for finding in told.findings]


@pytest.mark.parametrize("key", ["web.public_url", "wipo.base_url", "wipo.token_url"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8180", "localhost", "[::1]:8180"])
def test_http_is_good_enough_within_this_machine(tmp_path: Path, key: str, host: str) -> None:
    assert numbers(tmp_path, key, f"http://{host}") == []


@pytest.mark.parametrize("key", ["web.public_url", "wipo.base_url", "wipo.token_url"])
@pytest.mark.parametrize(
    "host",
    ["das.example.org", "10.0.0.7", "0.0.0.0", "127.0.0.1.example.org", "localhost.example.org", "[2001:db8::1]"],
)
def test_http_to_another_machine_is_refused_and_https_is_taken(tmp_path: Path, key: str, host: str) -> None:
    assert numbers(tmp_path, key, f"http://{host}") == ["N016"]
    assert numbers(tmp_path, key, f"https://{host}") == []


@pytest.mark.parametrize("key", ["web.public_url", "wipo.base_url", "wipo.token_url"])
@pytest.mark.parametrize("user", [f"office:{SECRET}", f":{SECRET}", SECRET])
def test_a_web_address_with_a_user_or_password_is_refused(tmp_path: Path, key: str, user: str) -> None:
    assert numbers(tmp_path, key, f"https://{user}@das.example.org") == ["N017"]
    assert numbers(tmp_path, key, f"http://{user}@das.example.org") == ["N017"]


@pytest.mark.parametrize(
    "address",
    [
        "das.example.org",
        "https://",
        "https:///path",
        "ftp://das.example.org",
        f"ftp://office:{SECRET}@das.example.org",
        f"htps:/office:{SECRET}@das.example.org",
        f"office:{SECRET}@das.example.org",
        "https://[::1",
        "https://das.example.org:http",
        "https://das.example.org:99999",
        "",
    ],
)
def test_what_is_no_web_address_is_refused_without_quoting_it(tmp_path: Path, address: str) -> None:
    assert numbers(tmp_path, "wipo.token_url", address) == ["N015"]


@pytest.mark.parametrize("rest", ["/das", "/?a=b", "?a=b"])
def test_the_public_url_has_neither_path_nor_query(tmp_path: Path, rest: str) -> None:
    assert numbers(tmp_path, "web.public_url", f"https://das.example.org{rest}") == ["N015"]


def test_a_trailing_slash_of_a_web_address_makes_no_difference(tmp_path: Path) -> None:
    with_slash = settings.load(write(tmp_path, {"web.public_url": "https://das.example.org/"}))
    assert with_slash == settings.load(write(tmp_path, {"web.public_url": "https://das.example.org"}))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://office:{SECRET}@db.example.org/office",
        f"postgres://office:{SECRET}@db.example.org/office",
        f"postgresql://:{SECRET}@/office",
        f"postgresql://office@db.example.org/office?password={SECRET}",
        f"postgresql:///office?host=/run/postgresql&sslpassword={SECRET}",
    ],
)
def test_a_password_in_the_database_address_is_refused(tmp_path: Path, url: str) -> None:
    assert numbers(tmp_path, "database.url", url) == ["N017"]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://office@db/office",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:office.db",
        "office.db",
        "postgresql://db.example.org:port/office",
        f"mysql://office:{SECRET}@db/office",
        "",
    ],
)
def test_what_is_neither_sqlite_nor_postgresql_is_refused(tmp_path: Path, url: str) -> None:
    assert numbers(tmp_path, "database.url", url) == ["N019"]


def test_postgresql_has_two_spellings_and_one_meaning(tmp_path: Path) -> None:
    rest = "://office@db.example.org:5432/office?sslmode=verify-full"
    long = settings.load(write(tmp_path, {"database.url": f"postgresql{rest}"}))
    assert long == settings.load(write(tmp_path, {"database.url": f"postgres{rest}"}))


@pytest.mark.parametrize("listener", ["0.0.0.0:8180", "[::]:8180", "office.example.org:1", "127.0.0.1:65535"])
def test_a_listener_is_host_and_port(tmp_path: Path, listener: str) -> None:
    assert numbers(tmp_path, "web.listen", listener) == []


@pytest.mark.parametrize(
    "listener",
    ["8180", ":8180", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "a:²", ""],
)
def test_what_lacks_host_or_port_is_no_listener(tmp_path: Path, listener: str) -> None:
    assert numbers(tmp_path, "web.listen", listener) == ["N018"]
