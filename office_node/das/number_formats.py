"""Document numbers: the variants that WIPO accepts, office by office, and the one normal form of each.

Source: protocol.md 8.4. The normal form is what is stored, compared and sent. Blanks and letter case never matter.
"""

import re
from dataclasses import dataclass
from datetime import date

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.errors import OfficeNodeError

PATENT, DESIGN = DocumentKind.PATENT, DocumentKind.DESIGN
TRADEMARK, UTILITY = DocumentKind.TRADEMARK, DocumentKind.UTILITY_MODEL


class BadDocumentNumber(OfficeNodeError):
    """The number cannot be one of that office and kind."""

    code = "N310"
    owner = "office"


@dataclass(frozen=True, slots=True)
class _Format:
    kinds: tuple[DocumentKind, ...]
    accepted: re.Pattern[str]
    """Matches the upper-case number with single blanks, after the office code."""
    normal: str
    """Template of the normal form over the groups of `accepted`."""
    example: str


def _format(office: str, kinds: tuple[DocumentKind, ...], accepted: str, normal: str, example: str) -> _Format:
    return _Format(kinds, re.compile(f"{office} ?{accepted}"), f"{office} {normal}", example)


_PCT = _Format((PATENT,), re.compile(r"PCT/?([A-Z]{2}\d{4})/?(\d{6})"), r"PCT/{0}/{1}", "PCT/IB2021/057271")

_OFFICES: dict[str, tuple[_Format, ...]] = {
    "AR": (
        _format("AR", (PATENT,), r"(P\d{11})", "{0}", "AR P20200100025"),
        _format("AR", (UTILITY,), r"(M\d{11})", "{0}", "AR M20200100025"),
        _format("AR", (DESIGN,), r"(D\d{10})", "{0}", "AR D2020010002"),
    ),
    "AT": (
        _format("AT", (PATENT,), r"A ?(\d{1,5})/?(\d{4})", "A {0}/{1}", "AT A 1/2019"),
        _format("AT", (DESIGN,), r"MU ?(\d{1,4})/?(\d{4})", "MU {0}/{1}", "AT MU 1/2019"),
        _format("AT", (TRADEMARK,), r"AM ?(\d{1,5})/?(\d{4})", "AM {0}/{1}", "AT AM 1/2019"),
        _format("AT", (UTILITY,), r"GM ?(\d{1,5})/?(\d{4})", "GM {0}/{1}", "AT GM 1/2019"),
    ),
    "AU": (
        _format("AU", (PATENT,), r"(\d{10})", "{0}", "AU 2010001234"),
        _format("AU", (DESIGN,), r"(\d{9})", "{0}", "AU 201012345"),
        _format("AU", (TRADEMARK,), r"(\d{7})", "{0}", "AU 1234567"),
    ),
    "BR": (
        _format("BR", (PATENT,), r"(\d{13})", "{0}", "BR 1020150062087"),
        _format("BR", (DESIGN,), r"BR ?(\d{12}) ?(\d)", "BR {0} {1}", "BR BR 987654321123 4"),
        _format("BR", (TRADEMARK,), r"(\d{9})", "{0}", "BR 123456789"),
    ),
    "CA": (
        _format("CA", (PATENT,), r"(\d{7})", "{0}", "CA 1234567"),
        _format("CA", (DESIGN,), r"(\d{6})", "{0}", "CA 123456"),
    ),
    "CL": (
        _format("CL", (PATENT,), r"(\d{1,5}-\d{4})", "{0}", "CL 1234-2018"),
        _format("CL", (DESIGN, UTILITY), r"(\d{1,4}-\d{4})", "{0}", "CL 1234-2018"),
        _format("CL", (PATENT, DESIGN, UTILITY), r"(\d{9})", "{0}", "CL 202301234"),
    ),
    "CN": (
        _format("CN", (PATENT, UTILITY, DESIGN), r"(\d{12})\.?([\dX])", "{0}.{1}", "CN 201000123456.7"),
        _format("CN", (PATENT, UTILITY, DESIGN), r"(\d{12})", "{0}", "CN 201000123456"),
    ),
    "CO": (_format("CO", (PATENT, DESIGN, UTILITY), r"(NC\d{4}/\d{7})", "{0}", "CO NC2019/9876543"),),
    "CZ": (
        _format("CZ", (PATENT,), r"(\d{4})-?(\d{1,4})", "{0}-{1}", "CZ 2025-1"),
        _format("CZ", (UTILITY,), r"(\d{4})-?(\d{5}) ?U", "{0}-{1} U", "CZ 2025-42519 U"),
        _format("CZ", (DESIGN,), r"(\d{4})-?(\d{5}) ?D", "{0}-{1} D", "CZ 2025-42519 D"),
    ),
    "EA": (
        _format("EA", (PATENT,), r"(\d{9})", "{0}", "EA 199600014"),
        _format("EA", (DESIGN,), r"(\d{4}4\d{4})", "{0}", "EA 202041234"),
    ),
    "EP": (_format("EP", (PATENT,), r"(\d{8}(?:\.\d)?)", "{0}", "EP 16000312.7"),),
    "FR": (
        _format("FR", (PATENT, UTILITY), r"(?:FR ?)?(\d{7})", "FR{0}", "FR FR1909731"),
        _format("FR", (TRADEMARK,), r"(?:FR ?)?(\d{9})", "FR{0}", "FR FR190973112"),
        _format("FR", (DESIGN,), r"(?:FR ?)?(\d{8}(?:-\d{3})?)", "FR{0}", "FR FR20190973-001"),
    ),
    "IL": (
        _format("IL", (PATENT,), r"(\d{6})", "{0}", "IL 244009"),
        _format("IL", (DESIGN,), r"(\d{5})", "{0}", "IL 24400"),
    ),
    "JP": (
        _format("JP", (PATENT,), r"((?:19|20)\d{2})-?(\d{6})", "{0}-{1}", "JP 2010-001234"),
        _format("JP", (UTILITY,), r"((?:19|20)\d{2})-?(\d{6})(?: ?U)?", "{0}-{1} U", "JP 2010-001234 U"),
        _format("JP", (DESIGN,), r"((?:19|20)\d{2})-?(\d{6})(?: ?D)?", "{0}-{1} D", "JP 2010-001234 D"),
    ),
    "US": (
        # Slash and comma are mandatory: without them two different applications could look alike.
        _format("US", (PATENT, DESIGN), r"(\d{2}/\d{3},\d{3})", "{0}", "US 98/012,357"),
    ),
}
_ANY_OFFICE = re.compile(r"[A-Z]{2} \S.{0,40}")


def normalise(kind: DocumentKind, number: str) -> str:
    """The normal form of `number`. Raises `BadDocumentNumber`, with the form that the office uses as its hint."""
    # Asked before upper(), which makes ASCII of some other letters; a digit elsewhere in Unicode is `\d` too.
    plain = " ".join(number.split())
    if not plain.isascii():
        raise _unreadable()
    plain = plain.upper()
    if plain.startswith("PCT"):
        return _normalise_as((_PCT,), kind, plain)
    if plain[:2] in _OFFICES:
        return _normalise_as(_OFFICES[plain[:2]], kind, plain)
    if not (_ANY_OFFICE.fullmatch(plain) and plain.isprintable()):
        raise _unreadable()
    return plain


def document_id(kind: DocumentKind, number: str, filing_date: date) -> PriorityDocumentId:
    """The document that these three name. Raises `BadDocumentNumber`."""
    return PriorityDocumentId(kind, normalise(kind, number), filing_date)


def _unreadable() -> BadDocumentNumber:
    hint = "write office code, one blank and the application number, such as US 98/012,357"
    return BadDocumentNumber("not a document number", hint=hint)


def _normalise_as(formats: tuple[_Format, ...], kind: DocumentKind, plain: str) -> str:
    fitting = [candidate for candidate in formats if kind in candidate.kinds]
    for candidate in fitting:
        if match := candidate.accepted.fullmatch(plain):
            return candidate.normal.format(*match.groups())
    office = "PCT" if plain.startswith("PCT") else plain[:2]
    if not fitting:
        raise BadDocumentNumber(f"{office} has no documents of kind {kind}", hint="check --kind and the office code")
    examples = " or ".join(candidate.example for candidate in fitting)
    raise BadDocumentNumber(f"not a {kind} number of {office}", hint=f"write it as {examples}")
