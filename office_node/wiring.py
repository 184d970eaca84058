"""The only place where parts meet: settings go in, a node comes out."""

from dataclasses import dataclass

from office_node import __version__
from office_node.auth import keys
from office_node.auth.client_assertion import ClientAssertions, RegisteredClient
from office_node.auth.guard import Guard
from office_node.auth.token_issuer import TOKEN_PATH, TokenIssuer
from office_node.auth.token_verifier import OwnTokenVerifier
from office_node.auth.used_assertions import UsedAssertions
from office_node.das.access_token import AccessTokens
from office_node.das.client import DasClient
from office_node.library.access_codes import AccessCodes
from office_node.library.digital_library import DigitalLibrary
from office_node.library.folder_store import FolderStore
from office_node.network.egress import Egress
from office_node.off_retrievals import service as off_retrievals
from office_node.off_retrievals.download_links import DownloadLinks
from office_node.off_retrievals.downloads import DownloadSlots
from office_node.off_retrievals.handover import Handover
from office_node.off_retrievals.service import ForwardedRetrievals
from office_node.outbox.delivery import Handler
from office_node.outbox.outbox import Outbox
from office_node.settings import API_SCOPE, Settings
from office_node.storage.database import Database


@dataclass(frozen=True, slots=True)
class Node:
    """Every part of a node, joined. Making one opens no connection and starts no thread."""

    settings: Settings
    database: Database
    store: FolderStore
    library: DigitalLibrary
    outbox: Outbox
    used_assertions: UsedAssertions
    assertions: ClientAssertions
    issuer: TokenIssuer
    guard: Guard
    retrievals: ForwardedRetrievals
    handover: Handover
    links: DownloadLinks
    slots: DownloadSlots

    def handlers(self) -> dict[str, Handler]:
        """What the worker does with each kind of outbox message."""
        worker = self.settings.worker
        return {
            off_retrievals.PREPARE: Handler(self.retrievals.prepare, worker.file_checks),
            off_retrievals.NOTIFY: Handler(self.retrievals.announce, worker.api_calls),
        }


def build_node(settings: Settings) -> Node:
    """A node as the settings describe it. Raises `KeyUnusable` when a key it needs cannot be used."""
    database = build_database(settings)
    store = FolderStore(settings.library.store)
    access_codes = AccessCodes(keys.load_secret(settings.library.access_code_key_file))
    library = DigitalLibrary(database, store, access_codes, settings.library.max_document_bytes)
    outbox = build_outbox(settings, database)
    used_assertions = UsedAssertions(database)
    clients = _registered_clients(settings)
    issuer = _token_issuer(settings, clients)
    links = DownloadLinks(
        keys.load_secret(settings.off.download_link_key_file),
        settings.web.public_url,
        settings.off.download_link_seconds,
    )
    return Node(
        settings=settings,
        database=database,
        store=store,
        library=library,
        outbox=outbox,
        used_assertions=used_assertions,
        assertions=ClientAssertions(
            clients,
            issuer=issuer.issuer,
            token_endpoint=issuer.issuer + TOKEN_PATH,
            max_seconds=settings.authorization_server.max_assertion_seconds,
            used_assertions=used_assertions,
        ),
        issuer=issuer,
        guard=Guard(_token_verifier(issuer, clients), API_SCOPE),
        retrievals=ForwardedRetrievals(
            database=database,
            library=library,
            outbox=outbox,
            wipo=_wipo_client(settings),
            policy=off_retrievals.Policy(settings.off.request_days, settings.wipo.notification_ack_id),
        ),
        handover=Handover(database, library, links),
        links=links,
        slots=DownloadSlots(settings.web.max_downloads),
    )


def build_database(settings: Settings) -> Database:
    """The database alone, for verbs that need no keys."""
    file = settings.database.password_file
    return Database(settings.database.url, keys.load_password(file) if file else None)


def build_outbox(settings: Settings, database: Database) -> Outbox:
    """The outbox alone, for the verbs that list and retry."""
    timing = settings.outbox
    return Outbox(
        database,
        lease_seconds=timing.lease_seconds,
        first_retry_seconds=timing.first_retry_seconds,
        give_up_hours=timing.give_up_hours,
    )


def _registered_clients(settings: Settings) -> dict[str, RegisteredClient]:
    return {
        client.client_id: RegisteredClient(
            client.client_id,
            client.profile,
            tuple(keys.load_public_key(path) for path in client.public_key_files),
            tuple(client.scopes),
        )
        for client in settings.authorization_server.clients
    }


def _token_issuer(settings: Settings, clients: dict[str, RegisteredClient]) -> TokenIssuer:
    server = settings.authorization_server
    return TokenIssuer(
        issuer=settings.web.public_url,
        audience=server.audience or settings.web.public_url,
        signing_key=keys.load_private_key(server.signing_key_file),
        token_seconds=server.token_seconds,
        scopes=tuple(sorted({scope for client in clients.values() for scope in client.scopes})),
    )


def _token_verifier(issuer: TokenIssuer, clients: dict[str, RegisteredClient]) -> OwnTokenVerifier:
    own_keys = {str(issuer.signing_key.kid): issuer.signing_key}
    return OwnTokenVerifier(issuer=issuer.issuer, audience=issuer.audience, keys=own_keys, clients=clients)


def _wipo_client(settings: Settings) -> DasClient:
    wipo = settings.wipo
    egress = Egress(
        connect_seconds=wipo.connect_seconds,
        read_seconds=wipo.read_seconds,
        total_seconds=wipo.total_seconds,
        user_agent=f"office-node/{__version__} ({settings.office.code})",
        ca_file=wipo.ca_file,
    )
    tokens = AccessTokens(
        egress,
        token_url=wipo.token_url,
        client_id=wipo.client_id,
        key=keys.load_private_key(wipo.client_key_file),
        scope=wipo.scope,
    )
    return DasClient(egress, tokens, wipo.base_url)
