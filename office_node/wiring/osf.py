"""This office as office of second filing, joined."""

from dataclasses import dataclass
from datetime import timedelta

from office_node.das.client import DasClient
from office_node.das.transfer import Transfers
from office_node.document_id import DocumentKind
from office_node.headroom import Headroom
from office_node.library.accession import Accession
from office_node.library.classification import Classification
from office_node.library.digital_library import DigitalLibrary
from office_node.library.policy import Place, Rule, StoragePolicy
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.osf_retrievals.asking import AsksWipo
from office_node.osf_retrievals.availability import Availability
from office_node.osf_retrievals.collecting import Collecting, CollectingParts
from office_node.osf_retrievals.coming import ComingFiles
from office_node.osf_retrievals.endings import RequestEndings
from office_node.osf_retrievals.handing_over import CollectedFolder
from office_node.osf_retrievals.overview import Requests
from office_node.osf_retrievals.service import Retrievals
from office_node.outbox.outbox import Outbox
from office_node.settings import Settings
from office_node.storage.database import Database


@dataclass(frozen=True, slots=True)
class SecondFiling:
    """The verbs of an office of second filing."""

    retrievals: Retrievals
    asks_wipo: AsksWipo
    availability: Availability
    collecting: Collecting
    endings: RequestEndings
    requests: Requests
    coming: ComingFiles


def build_storage_policy(settings: Settings) -> StoragePolicy:
    """The rules of [storage_policy]."""
    return StoragePolicy(
        [
            Rule(
                Place(rule.place),
                timedelta(days=rule.max_age_days),
                [DocumentKind(kind) for kind in rule.kinds],
                rule.numbers,
                [Classification(name) for name in rule.classes],
            )
            for rule in settings.storage_policy.rules
        ]
    )


@dataclass(frozen=True, slots=True)
class Foundations:
    """What the verbs stand on."""

    database: Database
    library: DigitalLibrary
    accession: Accession
    outbox: Outbox
    wipo: DasClient
    transfers: Transfers
    storage_keys: StorageKeys
    storage_policy: StoragePolicy
    headroom: Headroom


def build_second_filing(settings: Settings, on: Foundations) -> SecondFiling:
    """The verbs as [osf] describes them."""
    osf = settings.osf
    coming = ComingFiles(
        database=on.database,
        folder=osf.folder / "collecting",
        storage_keys=on.storage_keys,
        store=on.transfers,
        max_bytes=settings.library.max_document_bytes,
        headroom=on.headroom,
    )
    collected = CollectedFolder(osf.folder / "collected")
    availability = Availability(
        database=on.database,
        outbox=on.outbox,
        wipo=on.wipo,
        storage_policy=on.storage_policy,
        headroom=on.headroom,
    )
    parts = CollectingParts(
        database=on.database,
        library=on.library,
        accession=on.accession,
        outbox=on.outbox,
        wipo=on.wipo,
        storage_policy=on.storage_policy,
        coming=coming,
        collected=collected,
        clear_transit=osf.clear_transit,
        originals=osf.originals,
    )
    return SecondFiling(
        retrievals=Retrievals(
            database=on.database, library=on.library, outbox=on.outbox, storage_policy=on.storage_policy
        ),
        asks_wipo=AsksWipo(
            database=on.database, library=on.library, outbox=on.outbox, wipo=on.wipo, availability=availability
        ),
        availability=availability,
        collecting=Collecting(parts),
        endings=RequestEndings(database=on.database, coming=coming, collected=collected, request_days=osf.request_days),
        requests=Requests(on.database),
        coming=coming,
    )
