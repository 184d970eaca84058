"""Keys and certificates: whether each can be used, fits its other half, counts in time, and stays in its own role."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth import key_ends, keys
from office_node.auth.key_inventory import (
    REHEARSAL,
    STORAGE,
    TIMELINE,
    TLS,
    TOKEN_SIGNING,
    WIPO_CLIENT,
    HeldKey,
    inventory,
)
from office_node.auth.keys import KeyUnusable
from office_node.settings import Finding, Settings
from office_node.settings.fields import LOOPBACK_HOSTS

_LARGEST_KEY_FILE = 65_536
# Of two with one key the later is told of: the easier to replace.
_ROLES = (TLS, STORAGE, TIMELINE, WIPO_CLIENT, TOKEN_SIGNING, REHEARSAL)


KEY_FINDINGS: Final = {
    "N106": ("A certificate does not count yet.", "wait until it does, and see that this machine's clock is right"),
    "N108": ("The private key of a client lies on this machine.", "take it out of public_key_files: it is its own"),
    "N109": ("One key serves in two roles.", "name a file of its own there, and `office-node keys generate` makes it"),
}


def check(settings: Settings, file: str) -> Iterator[Finding]:
    """Every key that the settings name, and what is between them."""
    held = inventory(settings)
    for key in held:
        if key.fault:
            what, hint = key.fault.message, key.fault.next_step
            yield Finding(key.fault.code, file, key.place, what, hint, node_starts=not key.is_needed)
        yield from _out_of_time(key, file)
    if settings.database.password_file:
        try:
            keys.load_password(settings.database.password_file)
        except KeyUnusable as exc:
            yield Finding(exc.code, file, "[database] password_file", exc.message, exc.next_step)
    yield from _at_home(settings, held, file)
    yield from _in_two_roles(settings, held, file)


def _out_of_time(held: HeldKey, file: str) -> Iterator[Finding]:
    if not held.watched:
        return
    now = clock.now()
    begins, ends = held.watched.not_valid_before_utc, held.watched.not_valid_after_utc
    if now >= ends:
        # A client's key does not count any more. Our own serve on: not to start would make an outage worse.
        what = f"{held.file}: the certificate ended at {_told(ends)}"
        yield Finding(
            key_ends.ENDED, file, held.place, what, held.renewal, is_warning=not held.is_of_client, node_starts=True
        )
    elif now < begins:
        what = f"{held.file}: the certificate counts from {_told(begins)}"
        hint = "wait until then, and see that this machine's clock is right"
        yield Finding("N106", file, held.place, what, hint, is_warning=True)
    elif ends - now <= timedelta(days=key_ends.FIRST_WARNING_DAYS):
        what = f"{held.file}: the certificate ends at {_told(ends)}"
        yield Finding(key_ends.ENDS_SOON, file, held.place, what, held.renewal, is_warning=True)


def _at_home(settings: Settings, held: list[HeldKey], file: str) -> Iterator[Finding]:
    """A client whose private key lies here: fine while we play WIPO ourselves, else whoever reads it is the client."""
    if urlsplit(settings.web.public_url).hostname in LOOPBACK_HOSTS:
        return
    at_home = _private_halves({key.file.parent for key in held})
    for key in held:
        private_half = at_home.get(key.thumbprint or "")
        if key.is_of_client and private_half:
            what = f"{key.file}: its private key lies on this machine, in {private_half}"
            hint = (
                "take the rehearsal's or our own key out of public_key_files: in production only the client has its own"
            )
            yield Finding("N108", file, key.place, what, hint)


def _in_two_roles(settings: Settings, held: list[HeldKey], file: str) -> Iterator[Finding]:
    hint = "name a file of its own there, and `office-node keys generate` makes it"
    by_role = [[key for key in held if key.use == role and key.thumbprint] for role in _ROLES]
    seen: dict[str | None, HeldKey] = {}
    for of_role in by_role:
        for key in of_role:
            if key.thumbprint in seen:
                what = f"{key.file}: the same key as {seen[key.thumbprint].file}, of {seen[key.thumbprint].place}"
                yield Finding("N109", file, key.place, what, hint)
        seen |= {key.thumbprint: key for key in of_role}
    sealing, linking = settings.library.access_code_key_file, settings.off.download_link_key_file
    try:
        if keys.load_secret(sealing) == keys.load_secret(linking):
            what = f"{linking}: the same key as {sealing}, of [library] access_code_key_file"
            yield Finding("N109", file, "[off] download_link_key_file", what, hint)
    except KeyUnusable:
        pass  # told above


def _private_halves(folders: set[Path]) -> dict[str, Path]:
    """The P-256 private keys that lie in these folders, by thumbprint; whether anything names them or not."""
    found = {}
    for file in sorted(file for folder in folders for file in folder.glob("*.*")):
        try:
            if file.suffix in (".pem", ".key") and file.stat().st_size <= _LARGEST_KEY_FILE:
                pem = file.read_bytes()
                serialization.load_pem_private_key(pem, password=None)
                found[ECKey.import_key(pem).thumbprint()] = file
        except (OSError, ValueError, TypeError, JoseError):
            continue
    return found


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
