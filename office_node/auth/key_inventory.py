"""Every key the node uses, as it lies on the disk: for `keys list`, for `config check` and for the warnings in time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth import certificates, key_ring, keys
from office_node.auth.certificates import ALWAYS, FOREVER, PairDoesNotMatch
from office_node.auth.key_ring import State
from office_node.auth.keys import KeyUnusable
from office_node.settings import Rehearsal, Settings
from office_node.settings.sections import AuthorizationServer, Client, Wipo

TOKEN_SIGNING, WIPO_CLIENT, TLS = "token signing", "WIPO client", "TLS"
STORAGE, TIMELINE = "storage", "timeline"
REHEARSAL, REHEARSAL_OFFICE = "rehearsal WIPO", "rehearsal office"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """One key: what it is for, where it lies, and from when until when it is used."""

    use: str
    place: str
    """The setting that names it."""
    file: Path
    state: State | Literal["unusable"]
    thumbprint: str | None = None
    """RFC 7638, SHA-256; of a secret nothing is shown."""
    since: datetime | None = None
    until: datetime | None = None
    certificate: x509.Certificate | None = None
    """The one that says until when."""
    renewal: str = ""
    """What to do before the certificate ends."""
    fault: KeyUnusable | None = None
    is_needed: bool = True
    """Whether the node cannot start when it is unusable."""
    is_of_client: bool = False
    """Whether it is the public key of a registered client."""

    @property
    def watched(self) -> x509.Certificate | None:
        """The certificate whose end an administrator must be told of; an old key's and the rehearsal's may end."""
        return None if self.state == "old" or self.use == REHEARSAL_OFFICE else self.certificate


def inventory(settings: Settings) -> list[HeldKey]:
    """Every key that the settings name, those of a roll-over included. What is wrong with one is in its `fault`."""
    server = settings.authorization_server if "own" in settings.trust.accept else None
    library, off = settings.library, settings.off
    held = [*_wipo_client(settings.wipo), *_tls(settings)]
    held += _own_server(server) if server else []
    held += _for_good(STORAGE, "[library] storage_key_file", library.storage_key_file)
    held += _for_good(TIMELINE, "[timeline] signing_key_file", settings.timeline.signing_key_file)
    held.append(_secret("access codes", "[library] access_code_key_file", library.access_code_key_file))
    held.append(_secret("download links", "[off] download_link_key_file", off.download_link_key_file))
    return held + (_rehearsal(settings.rehearsal) if settings.rehearsal else [])


def _wipo_client(wipo: Wipo) -> Iterator[HeldKey]:
    bare = HeldKey(
        WIPO_CLIENT,
        "[wipo] client_key_file",
        wipo.client_key_file,
        "active",
        renewal="`office-node keys rotate wipo-client`, and send the new certificate to WIPO",
    )
    for held in _ring(bare, wipo.client_key_file, None):
        yield _with_siblings(held)
    next_file = key_ring.waiting(wipo.client_key_file)
    if keys.is_there(next_file):
        yield _with_siblings(_private(replace(bare, file=next_file, state="next", is_needed=False)))


def _own_server(server: AuthorizationServer) -> list[HeldKey]:
    bare = HeldKey(TOKEN_SIGNING, "[authorization_server] signing_key_file", server.signing_key_file, "active")
    clients = [_client_key(client, file) for client in server.clients for file in client.public_key_files]
    return [*_ring(bare, server.signing_key_file, server.token_seconds), *clients]


def _for_good(use: str, place: str, path: Path) -> Iterator[HeldKey]:
    # Needed, each of them: a document may be under any, a checkpoint signed by any.
    for held in _ring(HeldKey(use, place, path, "active"), path, None, keys.load_either_half):
        yield replace(held, is_needed=True)


def _rehearsal(section: Rehearsal) -> list[HeldKey]:
    wipo = HeldKey(REHEARSAL, "[rehearsal] wipo_key_file", section.wipo_key_file, "active")
    office = HeldKey(REHEARSAL_OFFICE, "[rehearsal] office_certificate_files", section.wipo_key_file, "active")
    return [_private(wipo), *(_public(replace(office, file=file)) for file in section.office_certificate_files)]


def _ring(
    bare: HeldKey,
    path: Path,
    overlap_seconds: float | None,
    load: Callable[[Path], ECKey] = keys.load_private_key,
) -> Iterator[HeldKey]:
    ring, faults = key_ring.read_ring(path, overlap_seconds, load)
    now = clock.now()
    for entry in ring:
        yield replace(
            bare,
            file=entry.file,
            state=key_ring.state_of(entry, ring, now),
            thumbprint=entry.key.thumbprint(),
            since=None if entry.since == ALWAYS else entry.since,
            until=None if entry.until == FOREVER else entry.until,
        )
    for file, fault in faults:
        yield replace(bare, file=file, state="unusable", fault=fault, is_needed=not ring)


def _with_siblings(held: HeldKey) -> HeldKey:
    """With the times of the certificate beside a private key; a sibling of another key is its fault."""
    certificate_file = certificates.public_siblings(held.file)[1]
    if held.fault:
        return held
    try:
        certificates.check_siblings(held.file, keys.load_private_key(held.file))
        return (
            _dated(held, certificates.load_certificate(certificate_file)) if keys.is_there(certificate_file) else held
        )
    except KeyUnusable as exc:
        return replace(held, fault=exc)


def _client_key(client: Client, file: Path) -> HeldKey:
    held = _public(
        HeldKey(
            f"client {client.client_id}",
            f"[authorization_server.clients {client.client_id}] public_key_files",
            file,
            "active",
            renewal="ask its owner for the next certificate and name it beside this one in public_key_files",
            is_of_client=True,
        )
    )
    if held.since and clock.now() < held.since:
        return replace(held, state="next")
    return replace(held, state="retired") if held.until and clock.now() >= held.until else held


def _tls(settings: Settings) -> Iterator[HeldKey]:
    file, key_file = settings.web.certificate_file, settings.web.certificate_key_file
    if not file or not key_file:
        return
    renewal = "put the renewed certificate and its key in their places"
    held = HeldKey(TLS, "[web] certificate_file", file, "active", renewal=renewal)
    try:
        certificate = certificates.load_certificate(file)
        held = _dated(replace(held, thumbprint=_thumbprint(certificate)), certificate)
        if keys.load_tls_key(key_file).public_key() != certificate.public_key():
            hint = "name the certificate and the key that were made for each other"
            raise PairDoesNotMatch(f"{key_file}: not the key of {file}", hint=hint)
    except KeyUnusable as exc:
        held = replace(held, fault=exc)
    yield held


def _private(bare: HeldKey) -> HeldKey:
    return _loaded(bare, lambda file: replace(bare, thumbprint=keys.load_private_key(file).thumbprint()))


def _public(bare: HeldKey) -> HeldKey:
    def load(file: Path) -> HeldKey:
        held = replace(bare, thumbprint=keys.load_public_key(file).thumbprint())
        is_certificate = b"BEGIN CERTIFICATE" in file.read_bytes()
        return _dated(held, certificates.load_certificate(file)) if is_certificate else held

    return _loaded(bare, load)


def _secret(use: str, place: str, file: Path) -> HeldKey:
    bare = HeldKey(use, place, file, "active")

    def load(file: Path) -> HeldKey:
        keys.load_secret(file)
        return bare

    return _loaded(bare, load)


def _loaded(bare: HeldKey, load: Callable[[Path], HeldKey]) -> HeldKey:
    try:
        return load(bare.file)
    except KeyUnusable as exc:
        return replace(bare, state="unusable", fault=exc)


def _dated(held: HeldKey, certificate: x509.Certificate) -> HeldKey:
    since = held.since or certificate.not_valid_before_utc
    return replace(held, since=since, until=certificate.not_valid_after_utc, certificate=certificate)


def _thumbprint(certificate: x509.Certificate) -> str | None:
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for kind in ("EC", "RSA", "OKP"):
        try:
            return jwk.import_key(pem, kind).thumbprint()
        except (JoseError, ValueError):
            continue
    return None
