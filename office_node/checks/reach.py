"""Whether those outside who are meant to call can, and only they."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from office_node.settings import Finding, Settings
from office_node.settings.fields import LOOPBACK_HOSTS


def check(settings: Settings, file: str) -> Iterator[Finding]:
    """A list that lets nobody outside in; a proxy in front that would make everybody look like this machine."""
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
    elif not ingress.trusted_proxies and not web.certificate_file:
        what = f"is missing, and no proxy is declared: nobody would serve TLS for {web.public_url}"
        hint = "name certificate_file and certificate_key_file, or give [ingress] trusted_proxies"
        yield Finding("N032", file, "[web] certificate_file", what, hint)
    if settings.rehearsal:
        what = f"the simulated WIPO has no place in a node that is reached as {web.public_url}"
        yield Finding(
            "N033", file, "[rehearsal]", what, "take the section out; rehearse with a copy of the shipped file"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
