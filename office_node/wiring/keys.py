"""The office's storage key, as the library asks for it."""

from office_node.auth import keys
from office_node.auth.key_ring import KeyRing
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.settings import Settings


def build_storage_keys(settings: Settings) -> StorageKeys:
    """Every storage key in the folder; none is ever retired, for a document may be under any. Raises `KeyUnusable`."""
    ring = KeyRing(settings.library.storage_key_file, load=keys.load_either_half)
    return StorageKeys(ring.signing, ring.verifying)
