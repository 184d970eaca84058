"""The storage policy: over all kinds, numbers and classes, as shipped and as an office writes it."""

import io
from datetime import date, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office_node import settings
from office_node.das.number_formats import document_id
from office_node.document_id import DocumentKind
from office_node.library.classification import Classification
from office_node.library.policy import MOST_IN_TRANSIT, MayNotBeKept, Place, Rule, StoragePolicy
from office_node.wiring.node import Node
from office_node.wiring.osf import build_storage_policy
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import CODE, arguments, incoming, kept_files
from tests.office import SHIPPED_SETTINGS, Office, pdf

KINDS = st.sampled_from(list(DocumentKind))
CLASSES = st.sampled_from(list(Classification))
OFFICES = st.sampled_from(["IB", "US", "EP", "JP", "XX", "I", "IBX"])
PCT = st.builds("PCT/{}2021/{:06}".format, OFFICES, st.integers(0, 999_999))
NATIONAL = st.builds("{} {}".format, OFFICES, st.text("0123456789/,IBPCT ", min_size=1, max_size=20))
NUMBERS = st.one_of(PCT, NATIONAL)
PATTERNS = st.one_of(st.just("*"), st.sampled_from(["PCT/IB*", "US *", "PCT/??2021/*", "*", "EP 1*", "[A]*"]))
RULES = st.lists(
    st.builds(
        Rule,
        st.sampled_from(list(Place)),
        st.floats(0.01, 30).map(lambda days: timedelta(days=days)),
        st.lists(KINDS, max_size=2),
        PATTERNS,
        st.lists(CLASSES, max_size=1),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def shipped() -> StoragePolicy:
    return build_storage_policy(settings.load(SHIPPED_SETTINGS))


@given(kind=KINDS, number=NUMBERS, classification=CLASSES)
def test_as_shipped_wipos_table_counts(
    shipped: StoragePolicy, kind: DocumentKind, number: str, classification: Classification
) -> None:
    decision = shipped.decide(kind, number, classification)
    if kind is DocumentKind.PATENT and number.startswith("PCT/IB"):
        assert (decision.place, decision.max_age) == (Place.TRANSIT, timedelta(days=3))
    else:
        assert decision.place is Place.LIBRARY


@given(rules=RULES, kind=KINDS, number=NUMBERS, classification=CLASSES)
def test_the_first_rule_that_fits_decides_and_nothing_lies_longer_than_seven_days(
    rules: list[Rule], kind: DocumentKind, number: str, classification: Classification
) -> None:
    decision = StoragePolicy(rules).decide(kind, number, classification)
    fitting = [
        place
        for place, rule in enumerate(rules, start=1)
        if kind in (rule.kinds or DocumentKind)
        and classification in (rule.classes or Classification)
        and fnmatchcase(number, rule.numbers)
    ]
    assert decision.rule == (fitting[0] if fitting else None)
    assert decision.place is (rules[fitting[0] - 1].place if fitting else Place.TRANSIT)
    assert decision.max_age <= MOST_IN_TRANSIT


@given(rules=RULES, kind=KINDS, number=NUMBERS, classification=CLASSES)
def test_only_what_may_be_kept_passes_into_the_library(
    rules: list[Rule], kind: DocumentKind, number: str, classification: Classification
) -> None:
    policy = StoragePolicy(rules)
    may_be = policy.decide(kind, number, classification).place is Place.LIBRARY
    if may_be:
        policy.insist_on_library(kind, number, classification)
    else:
        with pytest.raises(MayNotBeKept, match="N346"):
            policy.insist_on_library(kind, number, classification)


OF_IB = document_id(DocumentKind.PATENT, "PCT/IB2021/057271", date(2023, 11, 2))


@on_sqlite
def test_what_may_not_be_kept_is_refused_before_a_byte_is_read(office: Office, node: Node) -> None:
    source = io.BytesIO(pdf(1000))
    with pytest.raises(MayNotBeKept, match="may be kept in transit only"):
        node.accession.add(source, OF_IB, CODE)
    assert (source.tell(), kept_files(office), incoming(office)) == (0, {}, [])
    file = office.folder / "document.pdf"
    file.write_bytes(pdf(1000))
    refused = command_line.run(office.settings_file, *arguments(file, number=OF_IB.number))
    assert (refused.exit_code, refused.stderr[:4]) == (1, "N346")


@on_sqlite
@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("PCT/IB2021/057271", "may be kept in transit only, 3 days at most (rule 1)\n"),
        ("PCT/US2021/057271", "may be kept in the library (rule 2)\n"),
        ("EP 16000312", "may be kept in the library (rule 2)\n"),
    ],
)
def test_a_verb_tells_which_rule_decides(office: Office, number: str, told: str) -> None:
    ran = command_line.run(office.settings_file, "library", "policy", "--kind", "patent", "--number", number)
    assert (ran.exit_code, ran.stdout) == (0, f"the patent {number}, confidential, {told}")
