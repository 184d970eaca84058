"""A watched folder whose files settle at once."""

from collections.abc import Iterator

import pytest

from tests.conftest import MakeOffice
from tests.intake.dropping import AT_ONCE, Bench, bench_of


@pytest.fixture
def bench(new_office: MakeOffice) -> Iterator[Bench]:
    office = new_office(overrides=AT_ONCE)
    office.upgrade()
    with bench_of(office) as made:
        yield made
