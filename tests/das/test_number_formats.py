"""Document numbers by office: each variant that protocol.md 8.4 accepts, its normal form, and what is refused."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from office_node.das.number_formats import BadDocumentNumber, document_id, normalise
from office_node.document_id import DocumentKind, PriorityDocumentId

PATENT, DESIGN = DocumentKind.PATENT, DocumentKind.DESIGN
TRADEMARK, UTILITY = DocumentKind.TRADEMARK, DocumentKind.UTILITY_MODEL

# (kind, normal form, variants of it)
ACCEPTED = [
    (PATENT, "PCT/IB2021/057271", ["PCTIB2021057271", "PCT/IB2021057271", "PCTIB2021/057271", "pct/ib2021/057271"]),
    (PATENT, "PCT/US2020/000001", []),
    (PATENT, "AR P20200100025", ["ARP20200100025", "ar p20200100025"]),
    (UTILITY, "AR M20200100025", ["ARM20200100025"]),
    (DESIGN, "AR D2020010002", ["ARD2020010002"]),
    (PATENT, "AT A 1/2019", ["AT A1/2019", "ATA1/2019", "AT A 12019", "ATA12019", "AT  A  1/2019"]),
    (PATENT, "AT A 50123/2019", ["ATA501232019"]),
    (DESIGN, "AT MU 1/2019", ["ATMU1/2019", "ATMU12019"]),
    (DESIGN, "AT MU 1234/2019", []),
    (TRADEMARK, "AT AM 1/2019", ["ATAM1/2019", "AT AM 12019"]),
    (UTILITY, "AT GM 50001/2019", ["ATGM50001/2019", "AT GM 500012019"]),
    (PATENT, "AU 2010001234", ["AU2010001234"]),
    (DESIGN, "AU 201012345", ["AU201012345"]),
    (TRADEMARK, "AU 1234567", ["AU1234567"]),
    (PATENT, "BR 1020150062087", ["BR1020150062087"]),
    (DESIGN, "BR BR 987654321123 4", ["BRBR987654321123 4", "BR BR9876543211234", "BR BR 9876543211234"]),
    (TRADEMARK, "BR 123456789", ["BR123456789"]),
    (PATENT, "CA 1234567", ["CA1234567"]),
    (DESIGN, "CA 123456", ["CA123456"]),
    (PATENT, "CL 1234-2018", ["CL1234-2018"]),
    (PATENT, "CL 12345-2018", []),
    (PATENT, "CL 202301234", ["CL202301234"]),
    (DESIGN, "CL 1-2018", ["CL1-2018"]),
    (UTILITY, "CL 1234-2023", []),
    (DESIGN, "CL 202301234", []),
    (UTILITY, "CL 202301234", []),
    (PATENT, "CN 201000123456", ["CN201000123456"]),
    (PATENT, "CN 201000123456.7", ["CN201000123456.7", "CN 2010001234567", "CN2010001234567"]),
    (PATENT, "CN 201000123456.X", ["CN 201000123456X", "cn 201000123456.x"]),
    (UTILITY, "CN 201020123456.7", ["CN 2010201234567"]),
    (DESIGN, "CN 201030123456.7", ["CN 2010301234567"]),
    (PATENT, "CO NC2019/9876543", ["CONC2019/9876543", "co nc2019/9876543"]),
    (DESIGN, "CO NC2019/9876543", []),
    (UTILITY, "CO NC2019/9876543", []),
    (PATENT, "CZ 2025-1", ["CZ2025-1", "CZ20251", "CZ 20251"]),
    (PATENT, "CZ 2025-1234", ["CZ20251234"]),
    (UTILITY, "CZ 2025-42519 U", ["CZ 2025-42519U", "CZ2025-42519U", "CZ202542519 U", "cz202542519u"]),
    (DESIGN, "CZ 2025-42519 D", ["CZ2025-42519D", "CZ202542519 D"]),
    (PATENT, "EA 199600014", ["EA199600014"]),
    (DESIGN, "EA 202041234", ["EA202041234"]),
    (PATENT, "EP 16000312", ["EP16000312"]),
    (PATENT, "EP 16000312.7", ["EP16000312.7"]),
    (PATENT, "FR FR1909731", ["FR 1909731", "FR1909731", "FRFR1909731", "FR FR 1909731", "fr fr1909731"]),
    (UTILITY, "FR FR1909731", ["FR 1909731"]),
    (TRADEMARK, "FR FR190973112", ["FR 190973112"]),
    (DESIGN, "FR FR20190973", ["FR 20190973"]),
    (DESIGN, "FR FR20190973-001", ["FR 20190973-001"]),
    (PATENT, "IL 244009", ["IL244009"]),
    (DESIGN, "IL 24400", ["IL24400"]),
    (PATENT, "JP 2010-001234", ["JP2010-001234", "JP 2010001234", "JP2010001234"]),
    (PATENT, "JP 1999-001234", []),
    (UTILITY, "JP 2010-001234 U", ["JP2010-001234U", "JP2010001234", "JP 2010-001234"]),
    (DESIGN, "JP 2010-001234 D", ["JP2010-001234D", "JP 2010-001234"]),
    (PATENT, "US 98/012,357", ["US98/012,357", "us 98/012,357", "\tUS  98/012,357\n", "US\u00a098/012,357"]),
    (DESIGN, "US 29/010,907", ["US29/010,907"]),
    # [house] an office without formats of its own
    (PATENT, "XX 2020/A-1", ["xx 2020/a-1", " XX   2020/A-1 "]),
    (TRADEMARK, "GB 1", []),
    (DESIGN, "KR 30-2020-0001234 (TEMP)", ["kr  30-2020-0001234  (temp)"]),
    (UTILITY, "DE " + "1" * 41, []),
]
# Too few and too many digits, a separator where none belongs or none where one must be, another kind's number.
REFUSED_BY_OFFICE = [
    (PATENT, "PCT | PCT/IB2021/05727 | PCT/IB2021/0572711 | PCT/I12021/057271 | PCT-IB2021-057271"),
    (PATENT, "AR 20200100025 | AR P2020010002 | AR P202001000256 | AR M20200100025 | AT 1/2019 | AT A 123456/2019"),
    (UTILITY, "AR P20200100025 | AT A 1/2019 | CN 20102012345 | CO NC2019/98765 | CZ 2025-42519 | CZ 2025-42519 D"),
    (DESIGN, "AR D20200100025 | AT MU 12345/2019 | AU 2010001234 | BR 987654321123 4 | BR BR 98765432112 4"),
    (PATENT, "AT GM 1/2019 | AT A 1-2019 | AT A 1/19 | AU 201012345 | BR 102015006208 | BR BR 987654321123 4"),
    (TRADEMARK, "AT GM 1/2019 | AU 12345678 | BR 1234567890 | FR 1909731"),
    (PATENT, "CA 123456 | CA 1,234,567 | CL 123456-2018 | CL 1234/2018 | CL 20230123 | CN 20100012345"),
    (DESIGN, "CA 1234567 | CL 12345-2018 | CN 2010301234 | CZ 2025-42519 U | EA 202051234 | FR 20190973-01"),
    (PATENT, "CN 201000123456.77 | CN 201000123456-7 | CN 201000123456.Y | CO 2019/9876543 | CO NC20199876543"),
    (PATENT, "CO NC2019/987654 | CZ 2025-12345 | CZ 2025-42519 U | EA 19960001 | EP 1600031 | EP 16000312.77"),
    (PATENT, "EP 160003127 | FR FR190973 | FR FRFR1909731 | IL 24400 | JP 1810-001234 | JP 2010-001234 U"),
    (DESIGN, "IL 244009 | JP 2010-001234 U | US 29010907"),
    (PATENT, "US 98012357 | US 98/012357 | US 98012,357 | US 8/012,357 | US 98/012,3577 | US98 / 012,357 | US"),
]
REFUSED_FOR_KIND = [
    (DESIGN, "PCT/IB2021/057271 | EP 16000312"),
    (UTILITY, "AU 2010001234 | EP 16000312 | US 98/012,357"),
    (TRADEMARK, "US 98/012,357 | CN 201000123456 | JP 2010-001234"),
]
NO_NUMBERS_AT_ALL = [
    *["", " ", "X", "XX", "XX ", "XX1", "X1 1", "1X 1", "98/012,357", "DEU 1", "XX " + "1" * 42],
    *[
        "XX 1\x00",
        "XX \x7f",
        "XX \u00e9",
        "XX 1\u200b",
        "US 98/012,35\u0667",
        "EP \uff11\uff16000312",
        "U\u017f 98/012,357",
    ],
]
REFUSED = [
    *[(kind, written) for kind, row in REFUSED_BY_OFFICE + REFUSED_FOR_KIND for written in row.split(" | ")],
    *[(PATENT, written) for written in NO_NUMBERS_AT_ALL],
]


@pytest.mark.parametrize(("kind", "normal", "variants"), ACCEPTED, ids=str)
def test_every_variant_has_the_one_normal_form(kind: DocumentKind, normal: str, variants: list[str]) -> None:
    assert [normalise(kind, written) for written in (normal, *variants)] == [normal] * (1 + len(variants))


@pytest.mark.parametrize(("kind", "written"), REFUSED, ids=ascii)
def test_what_cannot_be_a_number_of_that_office_and_kind_is_refused(kind: DocumentKind, written: str) -> None:
    with pytest.raises(BadDocumentNumber, match=r"^N310 .+; hint: .+"):
        normalise(kind, written)


def test_every_office_of_the_protocols_table_is_tried_in_both_ways() -> None:
    offices = ["AR", "AT", "AU", "BR", "CA", "CL", "CN", "CO", "CZ", "EA", "EP", "FR", "IL", "JP", "PC", "US"]
    assert set(offices) <= {normal[:2] for _, normal, _ in ACCEPTED}
    assert set(offices) <= {written[:2] for _, written in REFUSED}


def test_the_hint_of_a_refusal_is_a_number_that_is_accepted() -> None:
    shown = set()
    for kind, written in REFUSED:
        with pytest.raises(BadDocumentNumber) as caught:
            normalise(kind, written)
        hint = caught.value.next_step
        if hint.startswith("write it as "):
            for example in hint.removeprefix("write it as ").split(" or "):
                assert normalise(kind, example) == example
                shown.add(example)
    assert len(shown) > 20


def test_a_refusal_says_which_office_and_kind_it_judged_by() -> None:
    with pytest.raises(BadDocumentNumber, match="N310 not a design number of CZ; hint: write it as CZ 2025-42519 D"):
        normalise(DESIGN, "CZ 2025-42519 U")
    with pytest.raises(BadDocumentNumber, match="N310 US has no documents of kind trademark; hint: check --kind"):
        normalise(TRADEMARK, "US 98/012,357")


def test_numbers_of_different_documents_stay_different() -> None:
    normals = {(kind, normal) for kind, normal, _ in ACCEPTED}
    assert len(normals) == len(ACCEPTED)


def test_a_document_is_named_by_its_normal_form() -> None:
    named = document_id(PATENT, "us98/012,357", date(2023, 11, 2))
    assert named == PriorityDocumentId(PATENT, "US 98/012,357", date(2023, 11, 2))
    assert str(named) == "patent US 98/012,357 of 2023-11-02"


# The table's patterns once more, to write numbers by: any that one of them fits.
WRITABLE = [
    (PATENT, r"PCT/?(IB|US|EP)\d{4}/?\d{6}"),
    (PATENT, r"AR ?P\d{11}"),
    (DESIGN, r"AR ?D\d{10}"),
    (PATENT, r"AT ?A ?\d{1,5}/?\d{4}"),
    (DESIGN, r"AT ?MU ?\d{1,4}/?\d{4}"),
    (TRADEMARK, r"AU ?\d{7}"),
    (DESIGN, r"BR ?BR ?\d{12} \d"),
    (PATENT, r"CL ?(\d{1,5}-\d{4}|\d{9})"),
    (UTILITY, r"CN ?\d{12}(\.?\d)?"),
    (PATENT, r"CO ?NC\d{4}/\d{7}"),
    (PATENT, r"CZ ?\d{4}-?\d{1,4}"),
    (UTILITY, r"CZ ?\d{4}-?\d{5} ?U"),
    (DESIGN, r"EA ?\d{4}4\d{4}"),
    (PATENT, r"EP ?\d{8}(\.\d)?"),
    (DESIGN, r"FR ?(FR)?\d{8}(-\d{3})?"),
    (PATENT, r"JP ?(19|20)\d{2}-?\d{6}"),
    (DESIGN, r"JP ?(19|20)\d{2}-?\d{6}( D)?"),
    (PATENT, r"US ?\d{2}/\d{3},\d{3}"),
    (PATENT, r"(DE|XX|KR) [0-9A-Z./()-]([0-9A-Z ./()-]{0,30}[0-9])?"),
]


@st.composite
def numbers(draw: st.DrawFn) -> tuple[DocumentKind, str]:
    kind, pattern = draw(st.sampled_from(WRITABLE))
    return kind, draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))


@settings(deadline=None)
@given(number=numbers(), blanks=st.text(" \t\n\u00a0", min_size=1, max_size=4), around=st.text(" \t", max_size=3))
def test_neither_letter_case_nor_the_width_of_blanks_matters(
    number: tuple[DocumentKind, str], blanks: str, around: str
) -> None:
    kind, written = number
    normal = normalise(kind, written)
    assert normal == normal.upper().strip()
    assert "  " not in normal
    for variant in (written.lower(), written.swapcase(), around + written.replace(" ", blanks) + around, normal):
        assert normalise(kind, variant) == normal


@settings(deadline=None)
@given(kind=st.sampled_from(DocumentKind), written=st.text(max_size=60))
def test_any_text_is_refused_or_has_a_normal_form_that_is_its_own(kind: DocumentKind, written: str) -> None:
    try:
        normal = normalise(kind, written)
    except BadDocumentNumber:
        return
    assert normalise(kind, normal) == normal
    assert normal.isascii()
    assert normal.isprintable()
