"""The office's keys as those who use them ask for them: the storage key, and that of the timeline."""

from collections.abc import Callable
from dataclasses import dataclass

from joserfc.jwk import ECKey

from office_node.auth import keys
from office_node.auth.key_ring import KeyRing
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.settings import Settings


def build_storage_keys(settings: Settings) -> StorageKeys:
    """Every storage key in the folder; none is ever retired, for a document may be under any. Raises `KeyUnusable`."""
    ring = KeyRing(settings.library.storage_key_file, load=keys.load_either_half)
    return StorageKeys(ring.signing, ring.verifying)


@dataclass(frozen=True, slots=True)
class TimelineKeys:
    """What signs checkpoints and backups, and what proves them."""

    signing: Callable[[], ECKey]
    of: Callable[[str], ECKey | None]
    """A key of this office by its thumbprint."""


def build_timeline_keys(settings: Settings) -> TimelineKeys:
    """As [timeline] names them; a public half still proves. Raises `KeyUnusable`."""
    ring = KeyRing(settings.timeline.signing_key_file, load=keys.load_either_half)

    def of(thumbprint: str) -> ECKey | None:
        return next((key for key in ring.verifying().values() if key.thumbprint() == thumbprint), None)

    return TimelineKeys(ring.signing, of)
