"""What names a priority document everywhere in the node."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DocumentKind(StrEnum):
    """The four kinds of DAS, with WIPO's words for them (protocol.md 3, documentKindCategory)."""

    PATENT = "patent"
    DESIGN = "design"
    TRADEMARK = "trademark"
    UTILITY_MODEL = "utility model"


@dataclass(frozen=True, slots=True)
class PriorityDocumentId:
    """Kind, number in WIPO's normal form (`das.number_formats`) and date of the first filing."""

    kind: DocumentKind
    number: str
    date: date

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.date.isoformat()}"
