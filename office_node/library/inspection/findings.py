"""What may be wrong with a package: a number for each kind of fault, named one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from office_node.errors import OfficeNodeError

MOST_NAMED = 100
"""A package made to be told about at length does not fill the log."""
MOST_CHARACTERS = 500

_NAME_CHARACTERS = 80


class Kind(Enum):
    """Every kind of fault: its number, what it is, and what to do."""

    BROKE_OFF = (
        "N321",
        "the inspection broke off",
        "if it is an honest file, see that disk and memory have room, then try again",
    )
    NO_PDF_SIGNATURE = ("N322", "not a PDF", "replace it by a real PDF, or give it the name of what it is")
    PDF_ENCRYPTED = ("N323", "an encrypted PDF", "save it without a password and without restrictions")
    PDF_DAMAGED = ("N324", "a PDF whose structure cannot be read", "make the PDF anew from its source")
    PDF_WITHOUT_PAGES = ("N325", "a PDF without pages", "make the PDF anew from its source")
    ZIP_DAMAGED = ("N326", "a ZIP whose directory cannot be trusted", "pack the files anew with another program")
    ENCRYPTED = ("N327", "encrypted", "pack the files without a password")
    UNSAFE_NAME = ("N328", "a name that leads elsewhere", "pack the files from within their folder, under plain names")
    NAME_TWICE = ("N329", "a name that comes twice", "rename one of them; upper and lower case are the same here")
    OVERLAP = ("N330", "entries that share bytes", "pack the files anew; no honest program packs them so")
    NO_PLAIN_FILE = ("N331", "no plain file", "pack the file itself instead of a link to it")
    METHOD = ("N332", "a way of packing that is not accepted", "pack the files with Deflate, or only store them")
    TOO_MANY = ("N333", "too many entries", "split the package; more entries than this are not accepted")
    TOO_LARGE = (
        "N334",
        "too large when unpacked",
        "raise [library] max_document_bytes if packages so large are wanted",
    )
    RATIO = ("N335", "packed too tightly to be honest", "store the file in the ZIP without packing it")
    ENTRY_DAMAGED = ("N336", "a damaged entry", "get the package again from where it was made")
    NO_PDF_INSIDE = ("N337", "no PDF inside", "put the document itself into the package, under a name with .pdf")
    XML_MALFORMED = ("N338", "XML that is not well formed", "correct the XML in the program that wrote it")
    XML_ENTITIES = ("N339", "XML that declares entities", "write the text out where the entity is used")

    @property
    def number(self) -> str:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def hint(self) -> str:
        return self.value[2]


@dataclass(frozen=True, slots=True)
class PackageFinding:
    """One thing that is wrong with a package. Names that `what` quotes are escaped and shortened."""

    number: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.number} {self.what}; hint: {self.hint}"


class UnsoundPackage(OfficeNodeError):
    """A PDF or ZIP that is not sent as it is. `total` counts the findings past the hundredth too."""

    code = "N320"
    owner = "office"
    hint = "see to what is named; docs/packages.md tells of each number"

    def __init__(self, findings: tuple[PackageFinding, ...], total: int | None = None) -> None:
        self.findings = findings
        self.total = max(total or 0, len(findings))
        count = "one finding" if self.total == 1 else f"{self.total} findings"
        shown = f", the first {len(findings)} of them" if self.total > len(findings) else ""
        super().__init__(f"the package is not sound: {count}{shown}")

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.findings)])


class Findings:
    """Gathers what is found; past the hundredth it only counts."""

    def __init__(self) -> None:
        self.named: list[tuple[str, str]] = []
        self.total = 0

    def add(self, kind: Kind, detail: str = "", entry: str | None = None) -> None:
        self.total += 1
        if len(self.named) < MOST_NAMED:
            place = "" if entry is None else f"entry `{escaped(entry)}`: "
            more = f" ({detail})" if detail else ""
            self.named.append((kind.number, f"{place}{kind.title}{more}"))


def named(told: Iterable[tuple[str, str]]) -> tuple[PackageFinding, ...]:
    """Findings as the limited process told them: an untrusted text for each number, the hints our own.

    Raises `KeyError` for a number that does not exist.
    """
    hints = {kind.number: kind.hint for kind in Kind}
    return tuple(PackageFinding(number, printable(what), hints[number]) for number, what in told)


def printable(text: str) -> str:
    """One line that can do nothing to a terminal or a log."""
    return "".join(char if char.isprintable() else "?" for char in text[:MOST_CHARACTERS])


def escaped(text: str) -> str:
    """A hostile text, fit to be quoted: control characters written out, the middle left out if it is long."""
    half = _NAME_CHARACTERS // 2
    short = text if len(text) <= _NAME_CHARACTERS else f"{text[:half]}...{text[-half:]}"
    written = "".join(char if char.isprintable() and char != "`" else _written_out(char) for char in short)
    return written if len(written) <= 2 * _NAME_CHARACTERS else f"{written[: 2 * _NAME_CHARACTERS]}..."


def _written_out(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode() if ord(char) > 127 else f"\\x{ord(char):02x}"
