"""What the tests of the rehearsal may ask for."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.wipo import Wipo, running


@pytest.fixture
def wipo() -> Iterator[Wipo]:
    """Simulated WIPO, listening."""
    with running() as central:
        yield central
