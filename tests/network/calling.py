"""Sessions for tests: impatient ones that may call what a test names."""

from typing import Any

from office_node.network.destinations import Destinations
from office_node.network.egress import Egress


def egress_to(*urls: str, destinations: Destinations | None = None, **options: Any) -> Egress:
    """A session that may call these addresses, or where `destinations` lead."""
    patience = {"connect_seconds": 2, "read_seconds": 0.5, "total_seconds": 1}
    return Egress(destinations or Destinations(urls), user_agent="office-node/test", **(patience | options))
