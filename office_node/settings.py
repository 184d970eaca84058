"""The one TOML file of the administrator, read once into frozen, typed settings.

Every fault of the file is found in one reading and told with its own number, where it stands and what to do:
`N012 office.toml [wipo] token_url: missing; hint: ...`. Secrets are named by path only, and relative paths are
relative to the file. Whether the paths and keys hold what they should is `checks`' question, not this file's.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from office_node.errors import OfficeNodeError

T = TypeVar("T")

API_SCOPE = "das-api/office-exchange"  # protocol.md 2.3, C-10
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the settings or with what they point at."""

    number: str
    file: str
    place: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.number} {self.file} {self.place}: {self.what}; hint: {self.hint}"


class SettingsFaulty(OfficeNodeError):
    """The file cannot be used; `findings` holds everything that is wrong with it."""

    code = "N001"
    hint = "mend what is named, then run `office-node config check`"

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} fault(s) in the settings")
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


def _fault(number: str, what: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("office_node", "{what}", {"number": number, "what": what, "hint": hint})


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / path.expanduser()).resolve()


def _split(url: str, number: str, hint: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # what is no port is noticed no sooner
    except ValueError as exc:
        raise _fault(number, "its host or port cannot be read", hint) from exc
    return parts


def _web_address(url: str) -> str:
    # No fault quotes the address: a password may stand in it.
    hint = "write it whole, such as https://das.example.org"
    parts = _split(url, "N015", hint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _fault("N015", "no web address", hint)
    if parts.username or parts.password:
        raise _fault("N017", "a web address here carries no user or password", "take the part before @ away")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise _fault("N016", "http would send documents and tokens in the clear", "use https outside this machine")
    return url.rstrip("/")


def _origin(url: str) -> str:
    if urlsplit(url).path or urlsplit(url).query:
        raise _fault("N015", "has a path", "give scheme, host and port only, such as https://das.example.org")
    return url


def _listener(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise _fault("N018", f"`{address}` is no listener", "write host:port, such as 127.0.0.1:8180")
    return address


def _database_url(url: str, info: ValidationInfo) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        name = rest.removeprefix("/")
        if not name or name == ":memory:":
            raise _fault("N019", "SQLite needs a file", "write sqlite:///../var/office.db")
        return f"sqlite:///{_beside_the_file(Path(name), info)}"
    hint = "write sqlite:///PATH or postgresql://user@host/name"
    if scheme in ("postgresql", "postgres"):
        parts = _split(url, "N019", hint)
        if parts.password or any(name.endswith("password") for name in parse_qs(parts.query)):
            raise _fault("N017", "the password stands in the file", "move it into a file named by password_file")
        return f"postgresql://{rest}"
    raise _fault("N019", "neither SQLite nor PostgreSQL", hint)


def _not_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise _fault("N014", "is empty", "name at least one")
    return values


# The text at the end of each is what `settings_reference` calls it.
FilePath = Annotated[Path, Field(strict=False), AfterValidator(_beside_the_file), "path"]
WebAddress = Annotated[str, AfterValidator(_web_address), "web address"]
Origin = Annotated[WebAddress, AfterValidator(_origin), "scheme, host and port"]
Listener = Annotated[str, AfterValidator(_listener), "host:port"]
DatabaseUrl = Annotated[str, AfterValidator(_database_url), "database address"]
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$"), "scope"]  # RFC 6749 3.3: one scope token
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"), "text without blanks"]


OneOrMore = Annotated[tuple[T, ...], Field(strict=False), AfterValidator(_not_empty)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Office(_Section):
    """Who this office is."""

    code: Annotated[str, "two capital letters"] = Field(pattern=r"^[A-Z]{2}$")
    """Two letters of WIPO ST.3."""


class Web(_Section):
    """The listener that WIPO reaches."""

    listen: Listener = "127.0.0.1:8180"
    """host:port that gunicorn binds."""
    public_url: Origin
    """Scheme, host and port under which WIPO reaches this node; issuer of our tokens, host of our download links."""
    workers: int = Field(default=2, ge=1, le=256)
    """Web processes; one per core."""
    threads: int = Field(default=32, ge=10, le=512)
    """Threads in each web process."""
    max_downloads: int = Field(default=24, ge=1, le=500, validate_default=True)
    """Downloads running at once in each web process; at least 8 threads stay for the API."""
    max_body_bytes: int = Field(default=65_536, ge=1024, le=16_777_216)
    """Largest request body; a larger one is answered 413."""
    drain_seconds: int = Field(default=30, ge=1, le=600)
    """How long running requests may take to end when the node stops."""

    @field_validator("max_downloads")
    @classmethod
    def _leave_threads_for_the_api(cls, max_downloads: int, info: ValidationInfo) -> int:
        threads = info.data.get("threads", max_downloads + 8)
        if max_downloads > threads - 8:
            what = f"{max_downloads} downloads leave fewer than 8 of {threads} threads to the API"
            raise _fault("N020", what, f"lower it to {threads - 8} or raise threads")
        return max_downloads


class Database(_Section):
    """Where rows are kept."""

    url: DatabaseUrl = Field(default="sqlite:///../var/office.db", validate_default=True)
    """sqlite:///PATH, or postgresql://user@host/name."""
    password_file: FilePath | None = None
    """File whose first line is the password of the PostgreSQL user."""


class Library(_Section):
    """The digital library."""

    store: FilePath = Field(default=Path("../var/library"), validate_default=True)
    """Folder that holds the documents."""
    access_code_key_file: FilePath
    """32 random bytes in base64; access codes are sealed with them."""
    max_document_bytes: int = Field(default=4_294_967_296, ge=1024)
    """Largest document taken in."""


class Client(_Section):
    """One client of the office's own token endpoint."""

    client_id: Word
    """Its id; `iss` and `sub` of its assertions."""
    profile: Literal["strict", "compat"] = "strict"
    """strict: all of FAPI 2.0's and OpenID's rules. compat: also WIPO's documented assertion."""
    public_key_files: OneOrMore[FilePath] = Field(max_length=4)
    """Certificate (PEM), public key (PEM) or JWK (JSON), each P-256; more than one while keys roll over."""
    scopes: OneOrMore[Scope] = (API_SCOPE,)
    """What it may ask for."""


class AuthorizationServer(_Section):
    """The office's own authorization server (mutual setup)."""

    signing_key_file: FilePath
    """P-256 private key (PEM, mode 0600) that signs our access tokens."""
    audience: Word | None = None
    """`aud` of our access tokens; the public URL if not set."""
    token_seconds: int = Field(default=900, ge=60, le=3600)
    """Life of an access token."""
    max_assertion_seconds: int = Field(default=3600, ge=60, le=3600)
    """How far ahead an assertion may expire. WIPO's sample sends 1000."""
    max_body_bytes: int = Field(default=65_536, ge=4096, le=1_048_576)
    """Largest token request."""
    clients: OneOrMore[Client]
    """Who may ask for tokens, one [[authorization_server.clients]] each."""

    @field_validator("clients")
    @classmethod
    def _name_each_client_once(cls, clients: tuple[Client, ...]) -> tuple[Client, ...]:
        ids = [client.client_id for client in clients]
        twice = sorted({client_id for client_id in ids if ids.count(client_id) > 1})
        if twice:
            raise _fault("N021", f"client_id {', '.join(twice)} stands more than once", "keep one entry per client")
        return clients


class Wipo(_Section):
    """WIPO's central service, as we call it."""

    base_url: WebAddress
    """WIPO's API up to and without /requests, such as https://HOST/das-api/v1."""
    token_url: WebAddress
    """WIPO's token endpoint; also `aud` of our assertions."""
    client_id: Word
    """Our client id at WIPO."""
    client_key_file: FilePath
    """P-256 private key (PEM, mode 0600) registered at WIPO."""
    scope: Scope = API_SCOPE
    """Scope asked for (C-10)."""
    notification_ack_id: Literal["ours", "wipo"] = "ours"
    """Whose acknowledgement id a notification leads with (C-9); the other is sent beside it when known."""
    ca_file: FilePath | None = None
    """Certificates (PEM) to trust instead of the public ones."""
    connect_seconds: float = Field(default=5, gt=0, le=60)
    """Longest wait for a connection."""
    read_seconds: float = Field(default=30, gt=0, le=60)
    """Longest silence within an answer."""
    total_seconds: float = Field(default=60, gt=0, le=80)
    """Longest call as a whole; shorter than the lease of the outbox."""


class Off(_Section):
    """This office as office of first filing."""

    download_link_key_file: FilePath
    """32 random bytes in base64; download links are signed with them."""
    download_link_seconds: int = Field(default=900, ge=10, le=86_400)
    """Life of a download link."""
    request_days: int = Field(default=7, ge=1, le=365)
    """Age at which a forwarded retrieval that WIPO did not finish is closed."""
    wrap_errors: bool = False
    """Wrap error bodies in `error`, as before 2024-03-04 (C-7)."""


class Outbox(_Section):
    """Delivery of what WIPO must be told."""

    lease_seconds: float = Field(default=90, ge=1, le=3600)
    """A worker that says nothing for so long loses its message to another."""
    first_retry_seconds: float = Field(default=5, gt=0, le=60)
    """Wait before the second try; the waits grow to two hours."""
    give_up_hours: float = Field(default=72, gt=0, le=720)
    """Age of the first try at which a message is parked for a human."""


class Worker(_Section):
    """The worker process."""

    poll_seconds: float = Field(default=0.1, ge=0.01, le=5)
    """How often due work is looked for."""
    api_calls: int = Field(default=4, ge=1, le=64)
    """Calls to WIPO at once."""
    file_checks: int = Field(default=2, ge=1, le=64)
    """Documents read and checked at once."""


class Logging(_Section):
    """The JSON lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least weight of a line that is written."""


class Rehearsal(_Section):
    """The simulated WIPO central (`office-node rehearsal`); leave the section out in production."""

    listen: Listener = "127.0.0.1:8190"
    """host:port it binds."""
    wipo_key_file: FilePath
    """P-256 private key with which simulated WIPO signs its assertions."""
    office_public_key_file: FilePath
    """Public half of [wipo] client_key_file: what the office would send to WIPO."""
    client_id: Word = "wipo-das"
    """Which of our clients simulated WIPO is."""


class Settings(_Section):
    """Everything the administrator decides."""

    office: Office
    web: Web
    database: Database = Field(default_factory=Database, validate_default=True)
    library: Library
    authorization_server: AuthorizationServer
    wipo: Wipo
    off: Off
    outbox: Outbox = Field(default=Outbox(), validate_default=True)
    worker: Worker = Worker()
    logging: Logging = Logging()
    rehearsal: Rehearsal | None = None

    @field_validator("outbox")
    @classmethod
    def _lease_outlives_a_call(cls, outbox: Outbox, info: ValidationInfo) -> Outbox:
        # Two workers would send the same message at once if a call could outlast its lease.
        wipo: Wipo | None = info.data.get("wipo")
        if wipo and outbox.lease_seconds <= wipo.total_seconds:
            what = f"lease_seconds {outbox.lease_seconds:g} does not outlive [wipo] total_seconds"
            raise _fault("N022", what, f"make it longer than {wipo.total_seconds:g}")
        return outbox


def load(path: Path) -> Settings:
    """The settings in `path`. Raises `SettingsFaulty` with every fault of the file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        where = Finding("N001", path.name, "file", f"{path}: {exc.strerror}", "name it with --config FILE")
        raise SettingsFaulty([where]) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        where = Finding("N002", path.name, "file", f"not TOML: {exc}", "strings stand in quotes, one key a line")
        raise SettingsFaulty([where]) from exc
    content.setdefault("database", {})
    try:
        return Settings.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as exc:
        raise SettingsFaulty([_finding(path.name, error) for error in exc.errors(include_url=False)]) from exc


def _finding(file: str, error: ErrorDetails) -> Finding:
    location = error["loc"]
    number, what, hint = _explain(error)
    section = [str(part) if isinstance(part, str) else f"#{part + 1}" for part in location[:-1]]
    key = str(location[-1]) if location else ""
    if len(location) <= 1:
        place = f"[{key}]" if key else "file"
    else:
        place = f"[{'.'.join(section)}] {key if isinstance(location[-1], str) else f'#{location[-1] + 1}'}"
    return Finding(number, file, place, what, hint)


def _explain(error: ErrorDetails) -> tuple[str, str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "office_node":
            return context["number"], context["what"], context["hint"]
        case "missing":
            return "N012", "missing", _description(error["loc"]) or "add it"
        case "extra_forbidden":
            return _unknown_key(error["loc"])
        case kind if kind.endswith(("_type", "_parsing", "_from_float")):
            return "N013", _plain(error), _description(error["loc"]) or "see the shipped example"
        case _:
            return "N014", _plain(error), _description(error["loc"]) or "see the shipped example"


def _plain(error: ErrorDetails) -> str:
    match error["type"]:
        case "path_type":
            return "must be a path in quotes"
        case "tuple_type":
            return "must be a list"
        case "model_type":
            return "must be a section with keys of its own"
    return re.sub(r"^\w+ should", "must", error["msg"].partition(", unable to")[0])


def _unknown_key(location: tuple[int | str, ...]) -> tuple[str, str, str]:
    known = _fields_at(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    number, noun = ("N011", "section") if len(location) == 1 else ("N010", "key")
    return number, f"unknown {noun}", f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    section = _section_at(location)
    return list(section.model_fields) if section else []


def _section_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    model: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model


def _description(location: tuple[int | str, ...]) -> str:
    *section, key = location
    model = _section_at(tuple(section)) if isinstance(key, str) else None
    field = model.model_fields.get(str(key)) if model else None
    return (field.description or "").split("\n")[0] if field else ""


def masked(settings: Settings) -> dict[str, Any]:
    """The settings as plain data to show. They hold no secret, only paths to secrets; a URL's user is left out too."""
    shown = settings.model_dump(mode="json", exclude_none=True)
    url = urlsplit(settings.database.url)
    if url.username:
        # Asterisks, so that the line stays an address that can be read again.
        shown["database"]["url"] = settings.database.url.replace(f"//{url.username}", "//***", 1)
    return shown
