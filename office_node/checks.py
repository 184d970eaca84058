"""Whether what the settings point at is there and can be used: every finding at once, each with its number."""

import ipaddress
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from office_node.auth import keys
from office_node.auth.keys import KeyUnusable
from office_node.network import destinations, trust
from office_node.network.destinations import DestinationRefused
from office_node.network.trust import TrustUnusable
from office_node.settings import Finding, Settings
from office_node.settings.fields import LOOPBACK_HOSTS


def check(settings: Settings, file: str) -> list[Finding]:
    """Everything on this machine that would keep the node from its work. `file` is how findings name the settings."""
    return [
        *_keys(settings, file),
        *_trust(settings, file),
        *_destinations(settings, file),
        *_folders(settings, file),
        *_reach(settings, file),
    ]


def _keys(settings: Settings, file: str) -> Iterator[Finding]:
    wanted: list[tuple[str, str, Path, Callable[[Path], Any]]] = [
        ("[library]", "access_code_key_file", settings.library.access_code_key_file, keys.load_secret),
        ("[wipo]", "client_key_file", settings.wipo.client_key_file, keys.load_private_key),
        ("[off]", "download_link_key_file", settings.off.download_link_key_file, keys.load_secret),
    ]
    server = settings.authorization_server
    if server:
        place = "[authorization_server]"
        wanted.append((place, "signing_key_file", server.signing_key_file, keys.load_private_key))
    for client in server.clients if server else ():
        place = f"[authorization_server.clients {client.client_id}]"
        wanted += [(place, "public_key_files", path, keys.load_public_key) for path in client.public_key_files]
    if settings.database.password_file:
        wanted.append(("[database]", "password_file", settings.database.password_file, keys.load_password))
    if settings.rehearsal:
        wanted.append(("[rehearsal]", "wipo_key_file", settings.rehearsal.wipo_key_file, keys.load_private_key))
        for certificate in settings.rehearsal.office_certificate_files:
            wanted.append(("[rehearsal]", "office_certificate_files", certificate, keys.load_public_key))
    for place, key, path, load in wanted:
        try:
            load(path)
        except KeyUnusable as exc:
            yield Finding(exc.code, file, f"{place} {key}", exc.message, exc.next_step)


def _trust(settings: Settings, file: str) -> Iterator[Finding]:
    try:
        trust.tls_context(settings.wipo.ca_file)
    except TrustUnusable as exc:
        yield Finding(exc.code, file, "[wipo] ca_file", exc.message, exc.next_step)


def _destinations(settings: Settings, file: str) -> Iterator[Finding]:
    # Private literals are no fault: whoever writes one into the settings means it.
    named = destinations.named_by(settings)
    if settings.egress.proxy:
        named["[egress] proxy"] = settings.egress.proxy
    for place, url in named.items():
        try:
            destinations.read(url)
        except DestinationRefused as exc:
            yield Finding(exc.code, file, place, exc.message, exc.next_step)


def _folders(settings: Settings, file: str) -> Iterator[Finding]:
    folders = [("[library] store", settings.library.store)]
    if settings.database.url.startswith("sqlite"):
        folders.append(("[database] url", Path(settings.database.url.removeprefix("sqlite:///")).parent))
    for place, folder in folders:
        blocked = _blocked_at(folder)
        if blocked:
            yield Finding("N023", file, place, f"{blocked} cannot be written", "give it to the user the node runs as")


def _reach(settings: Settings, file: str) -> Iterator[Finding]:
    """Whether those outside who are meant to call can, and only they."""
    web, ingress = settings.web, settings.ingress
    if urlsplit(web.public_url).hostname in LOOPBACK_HOSTS:
        return
    if all(ipaddress.ip_network(network).is_loopback for network in ingress.allow):
        what = f"holds nothing but this machine, and {web.public_url} is outside: nobody could call"
        yield Finding("N031", file, "[ingress] allow", what, "add the networks from which WIPO calls")
    host = web.listen.rpartition(":")[0].strip("[]")
    if (host == "localhost" or _is_loopback(host)) and not ingress.trusted_proxies:
        # A proxy stands in front, then: its address is on every line, and with it everybody would be let in.
        what = f"is 0, and what reaches {web.listen} under {web.public_url} comes through a proxy on this machine"
        yield Finding("N032", file, "[ingress] trusted_proxies", what, "give the number of proxies, such as 1")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _blocked_at(folder: Path) -> Path | None:
    """The path that keeps the node from writing into `folder` or from making it; None if nothing does."""
    for path in (folder, *folder.parents):
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # to be made, or a path above it is in the way
        except OSError:  # such as a name that is too long
            return path
        return None if is_folder and os.access(path, os.W_OK | os.X_OK) else path
    return folder
