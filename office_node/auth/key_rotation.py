"""How keys roll over: the next is there before it counts, and the old one until nothing of it is in use any more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth import keys
from office_node.auth.certificates import make_siblings, public_siblings
from office_node.auth.key_ring import RingKey, active_in, dated, files_of, read_ring, state_of, waiting
from office_node.auth.keys import KeyUnusable
from office_node.errors import OfficeNodeError


class NextKeyWaits(OfficeNodeError):
    """A next key is there already: a third would only confuse which one the other side has to know."""

    code = "N110"
    hint = "wait until it is in use, or remove its files"


class NoNextKey(OfficeNodeError):
    """No next key is there."""

    code = "N111"
    hint = "make it with `office-node keys rotate token-signing` or `office-node keys rotate wipo-client`"


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did."""

    new: Path
    begins: datetime
    old: RingKey | None
    """What signs until then, with the moment at which it is retired."""
    removed: list[Path]


def rotate_token_signing(path: Path, overlap_seconds: float, in_seconds: float) -> Rotation:
    """Lay the next key beside the present one, to sign in so many seconds; remove what is retired.

    Raises `NextKeyWaits`, and `KeyUnusable` when there is no key to follow.
    """
    ring = _usable(path, overlap_seconds)
    now = clock.now()
    _refuse_second(ring, now)
    new, begins = _lay_next(path, now + timedelta(seconds=in_seconds))
    removed = _remove(entry.file for entry in ring if state_of(entry, ring, now) == "retired")
    present = active_in(ring, now).file
    old = next(entry for entry in read_ring(path, overlap_seconds)[0] if entry.file == present)
    return Rotation(new, begins, old, removed)


def replace_token_signing(path: Path) -> Rotation:
    """A new key signs now and every other one is removed, and with it what it signed: for a key that others saw."""
    others = files_of(path)
    new, begins = _lay_next(path, clock.now())
    return Rotation(new, begins, None, _remove(file for file in others if keys.is_there(file)))


def rotate_for_good(path: Path, in_seconds: float) -> Rotation:
    """Lay the next key beside the present one, to count in so many seconds; every older one stays, for what it did.

    Raises `NextKeyWaits`, and `KeyUnusable` when there is no key to follow.
    """
    ring = _usable(path, None, keys.load_either_half)
    now = clock.now()
    _refuse_second(ring, now)
    new, begins = _lay_next(path, now + timedelta(seconds=in_seconds))
    return Rotation(new, begins, active_in(ring, now), [])


def prepare_wipo_client(path: Path, client_id: str) -> tuple[list[Path], list[Path]]:
    """Make the next key for WIPO with its public key and certificate; returns what was made and what was removed.

    What goes is every private key older than the present one. Raises `NextKeyWaits`, and `KeyUnusable`.
    """
    ring = _usable(path, None)
    now, next_file = clock.now(), waiting(path)
    _refuse_second(ring, now)
    if keys.is_there(next_file):
        raise NextKeyWaits(f"{next_file} waits already")
    keys.generate_private_key(next_file)
    made = [next_file, *make_siblings(next_file, client_id)]
    # Their public keys and certificates stay for the record: WIPO may still have them registered.
    return made, _remove(entry.file for entry in ring if state_of(entry, ring, now) == "old")


def activate_wipo_client(path: Path, client_id: str, in_seconds: float) -> Rotation:
    """Give the next key its moment; from then on it signs our assertions. Raises `NoNextKey`, and `KeyUnusable`."""
    next_file = waiting(path)
    if not keys.is_there(next_file):
        raise NoNextKey(f"{next_file} is not there", hint="make it with `office-node keys rotate wipo-client`")
    ring = _usable(path, None)
    _refuse_second(ring, clock.now())
    keys.load_private_key(next_file)
    make_siblings(next_file, client_id)
    begins = (clock.now() + timedelta(seconds=in_seconds)).replace(microsecond=0)
    new = dated(path, begins)
    # The private key last: it is the one that counts.
    for file, target in zip(public_siblings(next_file), public_siblings(new), strict=True):
        file.rename(target)
    next_file.rename(new)
    return Rotation(new, begins, active_in(ring, clock.now()), [])


def next_key(path: Path) -> Path:
    """The file of the key that is to come. Raises `NoNextKey`."""
    ring, _ = read_ring(path, None)
    now = clock.now()
    coming = [entry.file for entry in ring if state_of(entry, ring, now) == "next"]
    if keys.is_there(waiting(path)):
        coming.append(waiting(path))
    if not coming:
        raise NoNextKey(f"beside {path} waits no next key")
    return coming[0]


def present_key(path: Path) -> Path:
    """The file of the key that signs now. Raises `KeyUnusable`."""
    return active_in(_usable(path, None), clock.now()).file


def _usable(
    path: Path, overlap_seconds: float | None, load: Callable[[Path], ECKey] = keys.load_private_key
) -> tuple[RingKey, ...]:
    ring, faults = read_ring(path, overlap_seconds, load)
    if not ring:
        raise faults[0][1]
    return ring


def _refuse_second(ring: tuple[RingKey, ...], now: datetime) -> None:
    coming = [entry for entry in ring if state_of(entry, ring, now) == "next"]
    if coming:
        raise NextKeyWaits(f"{coming[0].file} waits already, for {coming[0].since:%Y-%m-%d %H:%M:%S} UTC")


def _lay_next(path: Path, moment: datetime) -> tuple[Path, datetime]:
    begins = moment.replace(microsecond=0)
    new = dated(path, begins)
    keys.generate_private_key(new)
    return new, begins


def _remove(files: Iterable[Path]) -> list[Path]:
    removed = list(files)
    for file in removed:
        try:
            file.unlink()
        except OSError as exc:
            raise KeyUnusable(f"{file}: cannot be removed: {exc.strerror}", hint="remove it by hand") from exc
    return removed
