"""What a value of the settings may be: paths, addresses, networks, rates. Each refuses with its own number."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from office_node.settings.findings import fault

T = TypeVar("T")

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_RATE = re.compile(r"([1-9][0-9]{0,6})/(second|minute|hour)")
_HOST_PATTERN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / path.expanduser()).resolve()


def _split(url: str, number: str, hint: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # what is no port is noticed no sooner
    except ValueError as exc:
        raise fault(number, "its host or port cannot be read", hint) from exc
    return parts


def _web_address(url: str) -> str:
    # No fault quotes the address: a password may stand in it.
    hint = "write it whole, such as https://das.example.org"
    parts = _split(url, "N015", hint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise fault("N015", "no web address", hint)
    if parts.username or parts.password:
        raise fault("N017", "a web address here carries no user or password", "take the part before @ away")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise fault("N016", "http would send documents and tokens in the clear", "use https outside this machine")
    return url.rstrip("/")


def _api_address(url: str) -> str:
    if url.endswith("/requests"):
        raise fault("N015", "goes too far", "leave /requests away: the node adds it")
    return url


def _origin(url: str) -> str:
    if urlsplit(url).path or urlsplit(url).query:
        raise fault("N015", "has a path", "give scheme, host and port only, such as https://das.example.org")
    return url


def _proxy_address(url: str) -> str:
    hint = "write scheme, host and port, such as http://proxy.example.org:3128"
    parts = _split(url, "N015", hint)
    if parts.username or parts.password:
        raise fault("N017", "a web address here carries no user or password", "let the proxy know the node by address")
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise fault("N015", "no address of an http proxy", hint)
    return url.rstrip("/")


def _listener(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise fault("N018", f"`{address}` is no listener", "write host:port, such as 127.0.0.1:8180")
    return address


def _database_url(url: str, info: ValidationInfo) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        name = rest.removeprefix("/")
        if not name or name == ":memory:":
            raise fault("N019", "SQLite needs a file", "write sqlite:///../var/office.db")
        return f"sqlite:///{_beside_the_file(Path(name), info)}"
    hint = "write sqlite:///PATH or postgresql://user@host/name"
    if scheme in ("postgresql", "postgres"):
        parts = _split(url, "N019", hint)
        if parts.password or any(name.endswith("password") for name in parse_qs(parts.query)):
            raise fault("N017", "the password stands in the file", "move it into a file named by password_file")
        return f"postgresql://{rest}"
    raise fault("N019", "neither SQLite nor PostgreSQL", hint)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        try:
            whole = str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            whole = "192.0.2.0/24 or 2001:db8::/32"
        raise fault("N024", f"`{text}` is no network", f"write {whole}") from exc


def _rate(text: str) -> str:
    if not _RATE.fullmatch(text):
        raise fault("N025", f"`{text}` is no rate", "write a number and a span, such as 600/minute")
    return text


def _host_pattern(text: str) -> str:
    if not _HOST_PATTERN.fullmatch(text.lower()):
        hint = "write a host such as files.example.org, or *.example.org for every host below; no address, no port"
        raise fault("N026", f"`{text}` is no host", hint)
    return text.lower()


def _url_path(text: str) -> str:
    if not re.fullmatch(r"(?:/[A-Za-z0-9_-]+)+", text):
        raise fault("N027", f"`{text}` is no path of a URL", "write it from the root, such as /_library")
    return text


def _not_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise fault("N014", "is empty", "name at least one")
    return values


# The text at the end of each is what `reference` calls it.
FilePath = Annotated[Path, Field(strict=False), AfterValidator(_beside_the_file), "path"]
WebAddress = Annotated[str, AfterValidator(_web_address), "web address"]
ApiAddress = Annotated[WebAddress, AfterValidator(_api_address), "web address"]
Origin = Annotated[WebAddress, AfterValidator(_origin), "scheme, host and port"]
ProxyAddress = Annotated[str, AfterValidator(_proxy_address), "http://host:port"]
Listener = Annotated[str, AfterValidator(_listener), "host:port"]
DatabaseUrl = Annotated[str, AfterValidator(_database_url), "database address"]
Network = Annotated[str, AfterValidator(_network), "network"]
Rate = Annotated[str, AfterValidator(_rate), "number/second, /minute or /hour"]
HostPattern = Annotated[str, AfterValidator(_host_pattern), "host or *.domain"]
UrlPath = Annotated[str, AfterValidator(_url_path), "path of a URL"]
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$"), "scope"]  # RFC 6749 3.3: one scope token
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"), "text without blanks"]


OneOrMore = Annotated[tuple[T, ...], Field(strict=False), AfterValidator(_not_empty)]
AnyNumber = Annotated[tuple[T, ...], Field(strict=False)]
