"""One statement of a transaction fails, whichever: all of it is undone, and the next try does it all.

Triggers of the database's own raise at the n-th write of a table; nothing in the program knows of them.
"""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError

from office_node.errors import OfficeNodeError
from office_node.wiring.node import Node
from tests.faults.failing import fail_at, mend, rows_of
from tests.library.documents import add
from tests.office import pdf

pytestmark = pytest.mark.fault


def _add(node: Node) -> Callable[[], object]:
    content = pdf(3000)
    return lambda: add(node, content)


@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("table", ["documents", "document_versions", "timeline", "keepings"])
def test_row_29_a_document_comes_in_whole_or_not_at_all(node: Node, table: str, event: str) -> None:
    take_in = _add(node)
    fail_at(node, table, event)
    before = rows_of(node)
    try:
        take_in()
    except (OfficeNodeError, DBAPIError):
        after = rows_of(node)
        # The note of a file that was being kept may stay: it is what clears that file away.
        assert {name: count for name, count in after.items() if name != "keepings"} == {
            name: count for name, count in before.items() if name != "keepings"
        }
    mend(node, table)
    take_in()
    assert rows_of(node)["document_versions"] == 1
    assert [*node.verification.findings()] == []
    assert list(node.timeline.verification.findings()) == []
