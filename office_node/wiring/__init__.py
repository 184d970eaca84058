"""The only place where parts meet: settings go in, a node comes out."""

from office_node.wiring.node import Node, build_node
from office_node.wiring.rows import build_database, build_outbox

__all__ = ["Node", "build_database", "build_node", "build_outbox"]
