"""Makes the keys that are missing; one that is there is never touched."""

from collections.abc import Callable
from pathlib import Path

from office_node.auth import key_ring, keys
from office_node.auth.certificates import make_siblings
from office_node.auth.key_rotation import present_key
from office_node.settings import Rehearsal, Settings

Wanted = tuple[Path, Callable[[Path], None]]


def make_missing(
    settings: Settings,
    documents: Callable[[], bool] = lambda: False,
    sealed_documents: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Make every key file that the settings name and that is not there; returns those that were made.

    `documents` and `sealed_documents` tell whether the library keeps any. Raises `KeyUnusable` instead of following a
    key that is lost while something is still under it, and what the two raise.
    """
    sealing_key = settings.library.access_code_key_file
    store = f"bucket {settings.s3.bucket}" if settings.s3 else settings.library.store
    if not keys.is_there(sealing_key) and documents():
        # A new key would be taken for the old one, and then neither would open every code.
        hint = "restore it from the backup of the keys"
        raise keys.KeyUnusable(f"{sealing_key}: lost, and it seals the access codes of documents in {store}", hint=hint)
    storage_key = settings.library.storage_key_file
    if not any(keys.is_there(file) for file in key_ring.files_of(storage_key)) and sealed_documents():
        # A new key in its place would be overwritten when the old one is restored, and what it sealed be lost.
        hint = "restore every one of its files from the backup of the keys"
        raise keys.KeyUnusable(f"{storage_key}: lost, and documents in {store} are sealed under it", hint=hint)
    made = _make(_of_the_node(settings))
    made += _for_wipo(settings.wipo.client_key_file, settings.wipo.client_id)
    return made + (_make(_of_the_rehearsal(settings, settings.rehearsal)) if settings.rehearsal else [])


def _make(wanted: list[Wanted]) -> list[Path]:
    missing = [(path, make) for path, make in wanted if not keys.is_there(path)]
    for path, make in missing:
        make(path)
    return [path for path, _ in missing]


def _of_the_node(settings: Settings) -> list[Wanted]:
    wanted: list[Wanted] = [
        (settings.library.access_code_key_file, keys.generate_secret),
        (settings.off.download_link_key_file, keys.generate_secret),
    ]
    rings = [settings.wipo.client_key_file, settings.library.storage_key_file, settings.timeline.signing_key_file]
    if settings.authorization_server:
        rings.append(settings.authorization_server.signing_key_file)
    # Where a dated key is, the first one has served its time.
    return wanted + [(path, keys.generate_private_key) for path in rings if path in key_ring.files_of(path)]


def _for_wipo(path: Path, client_id: str) -> list[Path]:
    """What WIPO is to get of each of our keys: the present one, one that waits, and one we may go back to."""
    private = [file for file in (*key_ring.files_of(path), key_ring.waiting(path)) if keys.is_there(file)]
    return [made for file in private for made in make_siblings(file, client_id)]


def _of_the_rehearsal(settings: Settings, rehearsal: Rehearsal) -> list[Wanted]:
    """Simulated WIPO's key, its public half where our client list wants it, and ours where WIPO's would lie."""
    registered_clients = settings.authorization_server.clients if settings.authorization_server else ()
    clients = [client for client in registered_clients if client.client_id == rehearsal.client_id]
    registered = [path for client in clients for path in client.public_key_files]
    wipo_key, our_keys = rehearsal.wipo_key_file, settings.wipo.client_key_file
    return [
        (wipo_key, keys.generate_private_key),
        *[(path, lambda target: keys.write_public_half(wipo_key, target)) for path in registered[:1]],
        (rehearsal.office_certificate_files[0], lambda target: keys.write_public_half(present_key(our_keys), target)),
    ]
