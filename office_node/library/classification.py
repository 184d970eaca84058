"""How confidential a document is."""

from enum import StrEnum


class Classification(StrEnum):
    """The classes that the storage policy and the encryption at rest tell apart."""

    CONFIDENTIAL = "confidential"
    HIGHLY_CONFIDENTIAL = "highly_confidential"

    @property
    def label(self) -> str:
        """As it is said to people."""
        return self.value.replace("_", " ")
