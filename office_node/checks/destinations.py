"""Where the node is told to call."""

from collections.abc import Iterator

from office_node.network import destinations
from office_node.network.destinations import DestinationRefused
from office_node.settings import Finding, Settings


def check(settings: Settings, file: str) -> Iterator[Finding]:
    """An address that is not written plainly."""
    # Private literals are no fault: whoever writes one into the settings means it.
    named = destinations.named_by(settings)
    if settings.egress.proxy:
        named["[egress] proxy"] = settings.egress.proxy
    for place, url in named.items():
        try:
            destinations.read(url)
        except DestinationRefused as exc:
            yield Finding(exc.code, file, place, exc.message, exc.next_step)
