"""A node: every part of it, joined."""

from dataclasses import dataclass
from datetime import timedelta

from office_node.auth import keys
from office_node.auth.token_verifier import TokenVerifier
from office_node.auth.used_assertions import UsedAssertions
from office_node.backup.daily import MAKE_BACKUP, DailyBackup
from office_node.backup.making import Backups
from office_node.das.transfer import Transfers
from office_node.headroom import Headroom
from office_node.intake.service import Intake
from office_node.intake.watch import TAKE_IN
from office_node.library.access_codes import AccessCodes
from office_node.library.accession import Accession
from office_node.library.classification import Classification
from office_node.library.digital_library import DigitalLibrary
from office_node.library.fixity import Fixity
from office_node.library.incoming import Incoming
from office_node.library.inspection import Inspector
from office_node.library.keepings import Leftovers
from office_node.library.policy import StoragePolicy
from office_node.library.rewrapping import Rewrapping
from office_node.library.store import Store
from office_node.library.verification import Verification
from office_node.network.ingress import Ingress
from office_node.off_registrations import service as off_registrations
from office_node.off_registrations.certificates import Certificates
from office_node.off_registrations.operations import HAND_BACK
from office_node.off_registrations.overview import Overview
from office_node.off_registrations.service import Registrations
from office_node.off_registrations.telling import Telling
from office_node.off_retrievals import service as off_retrievals
from office_node.off_retrievals.announcements import NOTIFY, Announcements
from office_node.off_retrievals.download_links import DownloadLinks
from office_node.off_retrievals.downloads import DownloadSlots
from office_node.off_retrievals.endings import Endings
from office_node.off_retrievals.handover import Handover
from office_node.off_retrievals.service import ForwardedRetrievals
from office_node.osf_retrievals import service as osf_retrievals
from office_node.osf_retrievals.availability import COLLECT
from office_node.osf_retrievals.collecting import CLEAR
from office_node.outbox.delivery import Handler
from office_node.outbox.outbox import Outbox
from office_node.settings import Settings
from office_node.storage.database import Database
from office_node.storage.peers import Peers
from office_node.storage.rate_counters import RateCounters
from office_node.uploads import service as uploads
from office_node.uploads.service import Uploads
from office_node.wiring.backup import build_backups
from office_node.wiring.calls_out import build_egress, build_peers, build_wipo_client
from office_node.wiring.ingress import build_ingress
from office_node.wiring.keys import build_storage_keys
from office_node.wiring.osf import Foundations, SecondFiling, build_second_filing, build_storage_policy
from office_node.wiring.rows import build_database, build_headroom, build_outbox
from office_node.wiring.store import build_store
from office_node.wiring.timeline import Timeline, build_timeline
from office_node.wiring.trust import OwnAuthorizationServer, build_own_authorization_server, build_token_verifier
from office_node.wiring.watched_folder import build_intake

_HAND_BACK_THREADS = 2


@dataclass(frozen=True, slots=True)
class Node:
    """Every part of a node, joined. Making one opens no connection, starts no thread and no process."""

    settings: Settings
    database: Database
    store: Store
    incoming: Incoming
    library: DigitalLibrary
    accession: Accession
    leftovers: Leftovers
    rewrapping: Rewrapping
    fixity: Fixity
    verification: Verification
    outbox: Outbox
    used_assertions: UsedAssertions
    authorization_server: OwnAuthorizationServer | None
    counters: RateCounters
    peers: Peers
    ingress: Ingress
    verifier: TokenVerifier
    retrievals: ForwardedRetrievals
    endings: Endings
    handover: Handover
    uploads: Uploads
    registrations: Registrations
    telling: Telling
    overview: Overview
    certificates: Certificates
    links: DownloadLinks
    slots: DownloadSlots
    timeline: Timeline
    storage_policy: StoragePolicy
    backups: Backups
    second_filing: SecondFiling
    intake: Intake | None
    """None where no folder is watched."""

    def handlers(self) -> dict[str, Handler]:
        """What the worker does with each kind of outbox message."""
        worker = self.settings.worker
        handlers = {
            off_retrievals.PREPARE: Handler(self.retrievals.prepare, worker.file_checks),
            NOTIFY: Handler(self.retrievals.announce, worker.api_calls, tells_wipo=True),
            off_registrations.TELL: Handler(self.telling.tell, worker.api_calls, tells_wipo=True),
            off_retrievals.TRANSIT: Handler(self.retrievals.announce_transit, worker.file_checks),
            uploads.SEND: Handler(self.uploads.send, worker.transfers, tells_wipo=True),
            uploads.CHECK: Handler(self.uploads.check, worker.api_calls, tells_wipo=True),
            osf_retrievals.ASK: Handler(self.second_filing.asks_wipo.ask, worker.api_calls, tells_wipo=True),
            COLLECT: Handler(self.second_filing.collecting.collect, worker.transfers, tells_wipo=True),
            CLEAR: Handler(self.second_filing.collecting.clear, worker.api_calls, tells_wipo=True),
        }
        if daily := self.daily_backup():
            handlers[MAKE_BACKUP] = Handler(daily.make, threads=1)
        if self.intake:
            handlers[TAKE_IN] = Handler(self.intake.take_in, worker.file_checks)
            handlers[HAND_BACK] = Handler(self.intake.hand_back, _HAND_BACK_THREADS)
        return handlers

    def daily_backup(self) -> DailyBackup | None:
        """What makes one each day; None without [backup]."""
        section = self.settings.backup
        if section is None:
            return None
        return DailyBackup(
            backups=self.backups,
            database=self.database,
            outbox=self.outbox,
            folder=section.folder,
            with_documents=section.documents,
            keep=section.keep,
            headroom=Headroom([section.folder], self.settings.library.headroom_megabytes * 1_000_000),
        )


def build_node(settings: Settings) -> Node:
    """A node as the settings describe it. Raises `KeyUnusable`, `TrustUnusable` and `DestinationRefused`."""
    database = build_database(settings)
    store = build_store(settings)
    storage_keys = build_storage_keys(settings)
    incoming = Incoming(settings.library.store / "incoming", storage_keys)
    access_codes = AccessCodes(keys.load_secret(settings.library.access_code_key_file))
    library = DigitalLibrary(database, store, access_codes, storage_keys)
    max_bytes = settings.library.max_document_bytes
    storage_policy = build_storage_policy(settings)
    headroom = build_headroom(settings, database)
    accession = Accession(
        database=database,
        library=library,
        incoming=incoming,
        store=store,
        inspect=Inspector(max_unpacked_bytes=max_bytes).inspect,
        max_bytes=max_bytes,
        sealed_classes=[Classification(name) for name in settings.library.encrypt],
        storage_policy=storage_policy,
        headroom=headroom,
    )
    outbox = build_outbox(settings, database)
    used_assertions = UsedAssertions(database)
    authorization_server = build_own_authorization_server(settings, used_assertions)
    counters = RateCounters(database)
    ingress = build_ingress(settings, counters)
    links = DownloadLinks(
        keys.load_secret(settings.off.download_link_key_file),
        settings.web.public_url,
        settings.off.download_link_seconds,
    )
    peers = build_peers(settings, database)
    egress = build_egress(settings, peers)
    wipo = build_wipo_client(settings, egress, peers)
    transfers = Transfers(egress, settings.wipo.stall_seconds)
    to_wipo = Uploads(database=database, library=library, outbox=outbox, wipo=wipo, store=transfers)
    foundations = Foundations(
        database, library, accession, outbox, wipo, transfers, storage_keys, storage_policy, headroom
    )
    certificates = Certificates(settings.off.certificate_folder, storage_keys)
    announcements = Announcements(outbox, settings.wipo.notification_ack_id)
    endings = Endings(
        database=database, uploads=to_wipo, announcements=announcements, request_days=settings.off.request_days
    )
    retrievals = ForwardedRetrievals(
        database=database,
        library=library,
        outbox=outbox,
        uploads=to_wipo,
        wipo=wipo,
        announcements=announcements,
        endings=endings,
        big_document_bytes=settings.off.big_document_bytes,
        headroom=headroom,
    )
    registrations = Registrations(
        database=database,
        library=library,
        accession=accession,
        outbox=outbox,
        uploads=to_wipo,
        on_withdrawn=endings.withdraw_all,
        usual_content_at=settings.off.content,
    )
    overview = Overview(database)
    second_filing = build_second_filing(settings, foundations)
    return Node(
        settings=settings,
        database=database,
        store=store,
        incoming=incoming,
        library=library,
        accession=accession,
        leftovers=Leftovers(database, store),
        rewrapping=Rewrapping(database, storage_keys),
        fixity=Fixity(
            database=database,
            library=library,
            every=timedelta(days=settings.library.fixity_days),
            bytes_per_second=settings.library.fixity_megabytes_per_second * 1e6,
        ),
        verification=Verification(database, store, library),
        outbox=outbox,
        used_assertions=used_assertions,
        authorization_server=authorization_server,
        counters=counters,
        peers=peers,
        ingress=ingress,
        verifier=build_token_verifier(settings, authorization_server),
        retrievals=retrievals,
        endings=endings,
        handover=Handover(database, library, links),
        uploads=to_wipo,
        registrations=registrations,
        telling=Telling(
            database=database,
            library=library,
            outbox=outbox,
            uploads=to_wipo,
            wipo=wipo,
            certificates=certificates,
        ),
        overview=overview,
        certificates=certificates,
        links=links,
        slots=DownloadSlots(settings.web.max_downloads, settings.web.max_downloads_per_client),
        timeline=build_timeline(settings, database),
        storage_policy=storage_policy,
        backups=build_backups(settings, database, store),
        second_filing=second_filing,
        intake=build_intake(settings, database, outbox, registrations, overview, second_filing, headroom),
    )
