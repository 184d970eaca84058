"""Everything the administrator decides, section by section; the docstrings become docs/configuration.md."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from office_node.settings.fields import (
    AnyNumber,
    ApiAddress,
    DatabaseUrl,
    FilePath,
    HostPattern,
    Listener,
    Network,
    OneOrMore,
    Origin,
    ProxyAddress,
    Rate,
    Scope,
    UrlPath,
    WebAddress,
    Word,
)
from office_node.settings.findings import fault

API_SCOPE = "das-api/office-exchange"  # protocol.md 2.3, C-10
_THIS_MACHINE = ("127.0.0.0/8", "::1/128")


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
    max_downloads_per_client: int = Field(default=20, ge=1, le=500)
    """Downloads of one client's requests running at once in each web process."""
    max_body_bytes: int = Field(default=65_536, ge=1024, le=16_777_216)
    """Largest request body; a larger one is answered 413."""
    max_json_depth: int = Field(default=32, ge=4, le=200)
    """How deep a JSON message may nest; a deeper one is refused."""
    receive_seconds: float = Field(default=20, ge=1, le=300)
    """How long a request may take to arrive whole, head and body; a slower one is answered 408."""
    drain_seconds: int = Field(default=30, ge=1, le=600)
    """How long running requests may take to end when the node stops."""
    certificate_file: FilePath | None = None
    """Certificate and chain (PEM): with it the node serves TLS 1.2 and 1.3 itself. None: http, for a proxy in front."""
    certificate_key_file: FilePath | None = None
    """Private key (PEM, mode 0600) of certificate_file."""
    accel_redirect: UrlPath | None = None
    """Internal place under which nginx serves [library] store: nginx then sends the downloads (X-Accel-Redirect) of
    documents that are not encrypted. What it sends the node does not see: such a request stays open until WIPO ends it.
    """

    @field_validator("max_downloads")
    @classmethod
    def _leave_threads_for_the_api(cls, max_downloads: int, info: ValidationInfo) -> int:
        threads = info.data.get("threads", max_downloads + 8)
        if max_downloads > threads - 8:
            what = f"{max_downloads} downloads leave fewer than 8 of {threads} threads to the API"
            raise fault("N020", what, f"lower it to {threads - 8} or raise threads")
        return max_downloads

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> Self:
        if (self.certificate_file is None) != (self.certificate_key_file is None):
            missing = "certificate_key_file" if self.certificate_file else "certificate_file"
            raise fault("N028", f"{missing} is missing", "name both, or neither if a proxy serves TLS")
        return self


class Ingress(_Section):
    """Who may reach the node, and how often."""

    allow: OneOrMore[Network] = _THIS_MACHINE
    """Networks whose addresses may call; everybody else is answered 403. WIPO's have to stand here."""
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    """Proxies between WIPO and the node that append to X-Forwarded-For; 0: the header is never believed."""
    proxy_networks: OneOrMore[Network] = _THIS_MACHINE
    """Where those proxies stand; from anywhere else the header is not believed."""
    rate_per_client: Rate = "30000/minute"
    """Calls that one client may make, counted over all web processes; more are answered 429."""
    rate_per_address: Rate = "30000/minute"
    """Requests that one address may make, counted over all web processes; more are answered 429."""


class Egress(_Section):
    """Where the node may call."""

    allow: AnyNumber[HostPattern] = ()
    """Hosts beside those that other sections name, for presigned addresses: a host, or *.domain; https on port 443."""
    private_networks: AnyNumber[Network] = ()
    """Private networks to which names of hosts may lead; an address that a section itself names needs none."""
    proxy: ProxyAddress | None = None
    """The office's http proxy (CONNECT), if calls out have to take one: it then looks names up. The environment's is
    never used."""
    breaker_failures: int = Field(default=5, ge=0, le=100)
    """So many failures of a peer in a row, and nobody calls it for a while; 0: it is called all the same."""
    breaker_seconds: float = Field(default=60, gt=0, le=3600)
    """How long that is; then one call looks how the peer is."""


class Database(_Section):
    """Where rows are kept."""

    url: DatabaseUrl = Field(default="sqlite:///../var/office.db", validate_default=True)
    """sqlite:///PATH, or postgresql://user@host/name."""
    password_file: FilePath | None = None
    """File whose first line is the password of the PostgreSQL user."""


class Library(_Section):
    """The digital library."""

    store: FilePath = Field(default=Path("../var/library"), validate_default=True)
    """Folder that holds the documents; with [s3] only while they arrive."""
    access_code_key_file: FilePath
    """32 random bytes in base64; access codes are sealed with them."""
    storage_key_file: FilePath
    """P-256 private key (PEM, mode 0600) under which documents are sealed (docs/encryption-at-rest.md). Where they are
    only taken in, its public half is enough."""
    encrypt: AnyNumber[Literal["confidential", "highly_confidential"]] = ("confidential", "highly_confidential")
    """Classes of documents that are kept encrypted; leave out what lies on disks that are encrypted themselves."""
    max_document_bytes: int = Field(default=4_294_967_296, ge=1024)
    """Largest document taken in."""
    fixity_days: int = Field(default=30, ge=1, le=365)
    """Within so many days every document is read against its digest, by the worker."""
    fixity_megabytes_per_second: float = Field(default=8, gt=0, le=10_000)
    """How fast it reads for that, at most."""
    headroom_megabytes: int = Field(default=256, ge=0, le=1_000_000)
    """Room that is kept free on the disks of documents and database: with less nothing new is taken in, and what has
    begun ends."""


class StorageRule(_Section):
    """A rule of the storage policy; what it does not name, it fits."""

    kinds: AnyNumber[Literal["patent", "design", "trademark", "utility model"]] = ()
    """Kinds of documents; empty: every kind."""
    numbers: str = Field(default="*", min_length=1, max_length=100)
    """Pattern with * and ? over the document's number, as the office keeps it: "PCT/IB*"."""
    classes: AnyNumber[Literal["confidential", "highly_confidential"]] = ()
    """Classes of documents; empty: both."""
    place: Literal["library", "transit", "nowhere"]
    """Where it may be kept: in the library for good, only on its way to the office's systems, or nowhere."""
    max_age_days: float = Field(default=7, gt=0, le=7)
    """How long it may lie here on its way; after that it is deleted."""


# WIPO's table (protocol.md 8.5): what the International Bureau receives as PCT receiving office is in transit only.
_WIPOS_TABLE = (
    StorageRule(kinds=("patent",), numbers="PCT/IB*", place="transit", max_age_days=3),
    StorageRule(place="library"),
)


class StoragePolicy(_Section):
    """What may be kept, where, and for how long."""

    rules: AnyNumber[StorageRule] = _WIPOS_TABLE
    """The first rule that fits decides, one [[storage_policy.rules]] each; what none fits is in transit only. As
    shipped: PCT documents of the receiving office IB are in transit only, for 3 days; everything else may be kept."""


class Osf(_Section):
    """This office as office of second filing."""

    mode: Literal["notified", "polling", "both"] = "both"
    """How it learns that a document is available: WIPO notifies, the node asks, or both, with the asking as a net."""
    poll_seconds: float = Field(default=300, ge=1, le=86_400)
    """How often WIPO is asked while anything is awaited."""
    request_days: int = Field(default=14, ge=1, le=365)
    """Age at which a request that WIPO did not answer ends."""
    folder: FilePath = Field(default=Path("../var/osf"), validate_default=True)
    """Folder for what comes: `collecting/` while it comes, encrypted; `collected/` for the office's systems."""
    clear_transit: bool = True
    """Tell WIPO to delete its transit copy once a document is handed over."""
    originals: bool = False
    """Fetch the office of first filing's own document too, where WIPO has merged it with a cover page."""
    locate_by: Literal["POST", "GET"] = "POST"
    """How WIPO is asked for a document's location (C-1); the other is tried where one is not allowed."""
    original_header: Word = "Original-Document-Url"
    """Header in which WIPO names the address of an original document."""


class S3(_Section):
    """A bucket of any S3-compatible service that holds the documents in the place of a folder (docs/s3.md)."""

    bucket: Word
    """Its name."""
    prefix: str = Field(default="", max_length=200, pattern=r"^(?:[A-Za-z0-9_.-]+/)*$")
    """What the names of all objects begin with, ending in /; empty: the bucket holds nothing else."""
    endpoint_url: WebAddress | None = None
    """Where the service is; without it Amazon's."""
    region: Word | None = None
    """Its region."""
    access_key_id: Word | None = None
    """Who the node is there; without it, what the machine itself is allowed."""
    secret_key_file: FilePath | None = None
    """File whose first line is the secret of access_key_id (mode 0600)."""
    path_style: bool = False
    """Address the bucket in the path and not in the host's name, as many services want it."""
    presign: bool = False
    """Send WIPO to the bucket for documents that are not encrypted; what it fetches there the node does not see."""


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
    networks: AnyNumber[Network] = ()
    """From where it may ask for tokens and use them; empty: from everywhere that [ingress] allows."""


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
    clients: AnyNumber[Client] = ()
    """Who may ask for tokens, one [[authorization_server.clients]] each; nobody if there is none."""

    @field_validator("clients")
    @classmethod
    def _name_each_client_once(cls, clients: tuple[Client, ...]) -> tuple[Client, ...]:
        ids = [client.client_id for client in clients]
        twice = sorted({client_id for client_id in ids if ids.count(client_id) > 1})
        if twice:
            raise fault("N021", f"client_id {', '.join(twice)} stands more than once", "keep one entry per client")
        return clients


class WipoAuthorizationServer(_Section):
    """WIPO's authorization server, whose tokens we check against its JWKS."""

    issuer: Word
    """`iss` of its tokens, letter by letter, with the port if WIPO writes it."""
    jwks_url: WebAddress
    """Where its keys are published."""
    audiences: OneOrMore[Word]
    """`aud` that a token must name one of; at WIPO a client id."""
    client_ids: AnyNumber[Word]
    """`sub` of the clients that may call, nobody if there is none; newer servers of its make write (age!CLIENT_ID)."""
    algorithms: OneOrMore[Literal["RS256", "PS256", "ES256"]] = ("RS256",)
    """Signature algorithms that are accepted."""
    cache_seconds: int = Field(default=900, ge=30, le=86_400)
    """Life of a fetched key set when its HTTP headers do not say."""
    refetch_seconds: int = Field(default=30, ge=5, le=900)
    """Rest after a fetch that failed, or did not bring the key a token named: a flood of such tokens fetches once."""
    keep_hours: int = Field(default=24, ge=1, le=168)
    """How long a key set serves past its life while WIPO's server does not answer."""


class Trust(_Section):
    """Whose access tokens open the API."""

    accept: OneOrMore[Literal["own", "wipo"]] = ("own",)
    """"own": tokens of [authorization_server] (mutual setup). "wipo": of [wipo_authorization_server]. Or both."""


class Wipo(_Section):
    """WIPO's central service, as we call it."""

    base_url: ApiAddress
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
    stall_seconds: float = Field(default=60, gt=0, le=600)
    """Longest time in which nothing moves in a transfer to WIPO's store; as a whole it may take as long as it takes."""
    withdraw_by: Literal["query", "body"] = "query"
    """How a withdrawal (DELETE registrations) names its document: WIPO's texts do not say."""
    status_by: Literal["path", "query"] = "path"
    """Where a registration's status is asked for: registrations/ID, or registrations/statuses?requestAckId=ID."""


class Off(_Section):
    """This office as office of first filing."""

    download_link_key_file: FilePath
    """32 random bytes in base64; download links are signed with them."""
    download_link_seconds: int = Field(default=900, ge=10, le=86_400)
    """Life of a download link."""
    request_days: int = Field(default=7, ge=1, le=365)
    """Age at which a forwarded retrieval that WIPO did not finish is closed."""
    content: Literal["library", "wipo"] = "library"
    """Who keeps the content of what is registered, unless it is said otherwise: this office's library, or WIPO."""
    big_document_bytes: int = Field(default=52_428_800, ge=0)
    """A larger document answers a retrieval through WIPO's transit zone, unless it has a bound of its own."""
    certificate_folder: FilePath = Field(default=Path("../var/certificates"), validate_default=True)
    """Folder that holds WIPO's certificates of registration."""
    wrap_errors: bool = False
    """Wrap error bodies in `error`, as before 2024-03-04 (C-7)."""


class Outbox(_Section):
    """Delivery of what WIPO must be told."""

    lease_seconds: float = Field(default=90, ge=1, le=3600)
    """A worker that says nothing for so long loses its message to another."""
    first_retry_seconds: float = Field(default=5, gt=0, le=60)
    """Wait before the second try; the waits grow to two hours."""
    rest_seconds: float = Field(default=60, ge=0, le=3600)
    """Shortest wait after an answer that did not come in time, or said that there were too many calls."""
    give_up_hours: float = Field(default=72, gt=0, le=720)
    """Age of the first try at which a message is parked for a human."""
    stale_hours: float = Field(default=96, gt=0, le=8760)
    """A message for WIPO that nobody worked on for so long, because no worker ran, waits for a human as well."""


class Worker(_Section):
    """The worker process."""

    poll_seconds: float = Field(default=0.1, ge=0.01, le=5)
    """How often due work is looked for."""
    api_calls: int = Field(default=4, ge=1, le=64)
    """Calls to WIPO at once."""
    messages_per_second: int = Field(default=20, ge=1, le=1000)
    """Messages for WIPO taken up in a second by all workers together: a backlog drains evenly, not as a burst."""
    file_checks: int = Field(default=2, ge=1, le=64)
    """Documents read and checked at once."""
    transfers: int = Field(default=2, ge=1, le=64)
    """Contents carried to WIPO's store at once."""


class Intake(_Section):
    """The watched folder, through which the office's own systems hand documents over (docs/watched-folder.md)."""

    folder: FilePath
    """NAME.json with NAME.pdf or NAME.zip beside it is taken from here; done/ and refused/ in it tell what came of it.
    """
    poll_seconds: float = Field(default=2, ge=0.05, le=3600)
    """How often the folder is looked at."""
    settle_seconds: float = Field(default=2, ge=0, le=3600)
    """Files that changed within this time may still be written: they are left alone."""
    missing_seconds: float = Field(default=60, ge=0, le=86_400)
    """How long NAME.json waits for the file that belongs to it before it is refused."""


class Timeline(_Section):
    """The record of every step of every document and request (docs/timeline.md)."""

    signing_key_file: FilePath
    """P-256 private key (PEM, mode 0600) that signs its checkpoints."""
    checkpoint_folder: FilePath = Field(default=Path("../var/checkpoints"), validate_default=True)
    """Folder into which each checkpoint is laid too; copy it to where nobody of this machine can change it."""
    checkpoint_minutes: int = Field(default=60, ge=1, le=1440)
    """How long an entry waits at most until a checkpoint covers it, while the worker runs."""


class Backup(_Section):
    """Copies of database and library (docs/backup.md); leave the section out if something else makes them."""

    folder: FilePath
    """Where they lie; best on another disk than the node's."""
    at: str = Field(default="03:15", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """When the worker makes one each day, in UTC."""
    keep: int = Field(default=30, ge=1, le=3650)
    """How many of them are kept."""
    documents: bool = False
    """Copy the documents too, each once; without, the backup names them and proves what they have to be."""


class Logging(_Section):
    """The JSON lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least weight of a line that is written."""


class RehearsalOffice(_Section):
    """An office beside this one, that simulated WIPO knows; it takes tokens of WIPO's server."""

    client_id: Word
    """Its client id at WIPO."""
    url: Origin
    """Where simulated WIPO reaches it."""
    certificate_files: OneOrMore[FilePath] = Field(max_length=4)
    """What it sent to WIPO."""


class Rehearsal(_Section):
    """The simulated WIPO central (`office-node rehearsal`); leave the section out in production."""

    listen: Listener = "127.0.0.1:8190"
    """host:port it binds."""
    wipo_key_file: FilePath
    """P-256 private key with which simulated WIPO signs its assertions."""
    office_certificate_files: OneOrMore[FilePath] = Field(max_length=4)
    """What the office would send to WIPO: the certificate of [wipo] client_key_file, while it rolls over also the next.
    """
    client_id: Word = "wipo-das"
    """Which of our clients simulated WIPO is."""
    offices: AnyNumber[RehearsalOffice] = ()
    """Other offices, one [[rehearsal.offices]] each."""


class Settings(_Section):
    """Everything the administrator decides."""

    office: Office
    web: Web
    ingress: Ingress = Field(default=Ingress(), validate_default=True)
    egress: Egress = Egress()
    database: Database = Field(default_factory=Database, validate_default=True)
    library: Library
    s3: S3 | None = None
    authorization_server: AuthorizationServer | None = None
    wipo_authorization_server: WipoAuthorizationServer | None = None
    trust: Trust = Field(default=Trust(), validate_default=True)
    wipo: Wipo
    off: Off
    osf: Osf = Field(default=Osf(), validate_default=True)
    storage_policy: StoragePolicy = StoragePolicy()
    outbox: Outbox = Field(default=Outbox(), validate_default=True)
    worker: Worker = Worker()
    intake: Intake | None = None
    timeline: Timeline
    backup: Backup | None = None
    logging: Logging = Logging()
    rehearsal: Rehearsal | None = None

    @field_validator("trust")
    @classmethod
    def _servers_are_described(cls, trust: Trust, info: ValidationInfo) -> Trust:
        for accepted, section in (("own", "authorization_server"), ("wipo", "wipo_authorization_server")):
            # A section that was itself faulty is not in `data`: that fault is told instead.
            if accepted in trust.accept and section in info.data and info.data[section] is None:
                raise fault("N029", f'accept names "{accepted}", and [{section}] is missing', f"add [{section}]")
        wipo, web = info.data.get("wipo_authorization_server"), info.data.get("web")
        if wipo and web and wipo.issuer == web.public_url:
            what = "[wipo_authorization_server] issuer is our own public_url"
            raise fault("N030", what, "an issuer is whoever signs: name WIPO's")
        return trust

    @field_validator("outbox")
    @classmethod
    def _lease_outlives_a_call(cls, outbox: Outbox, info: ValidationInfo) -> Outbox:
        # Two workers would send the same message at once if a call could outlast its lease.
        wipo: Wipo | None = info.data.get("wipo")
        if wipo and outbox.lease_seconds <= wipo.total_seconds:
            what = f"lease_seconds {outbox.lease_seconds:g} does not outlive [wipo] total_seconds"
            raise fault("N022", what, f"make it longer than {wipo.total_seconds:g}")
        return outbox
