"""Whom the node trusts when it calls out."""

from collections.abc import Iterator

from office_node.network import trust
from office_node.network.trust import TrustUnusable
from office_node.settings import Finding, Settings


def check(settings: Settings, file: str) -> Iterator[Finding]:
    """A file of CA certificates that cannot be used."""
    try:
        trust.tls_context(settings.wipo.ca_file)
    except TrustUnusable as exc:
        yield Finding(exc.code, file, "[wipo] ca_file", exc.message, exc.next_step)
