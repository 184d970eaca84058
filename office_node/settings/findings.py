"""What is wrong with the settings, told so that an administrator can mend it: number, place, fault and remedy."""

from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from office_node.errors import OfficeNodeError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the settings or with what they point at."""

    number: str
    file: str
    place: str
    what: str
    hint: str
    is_warning: bool = False
    """Worth an administrator's time, and no reason to refuse to start."""
    node_starts: bool = False
    """A fault, and still no reason to refuse to start: others would lose their service by it."""

    def __str__(self) -> str:
        return f"{self.number} {self.file} {self.place}: {self.what}; hint: {self.hint}"


class SettingsFaulty(OfficeNodeError):
    """The file cannot be used; `findings` holds everything that is wrong with it."""

    code = "N001"
    hint = "mend what is named, then run `office-node config check`"

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} fault(s) in the settings")
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


def fault(number: str, what: str, hint: str) -> PydanticCustomError:
    """A fault for a validator to raise; reading the file turns it into a `Finding`."""
    return PydanticCustomError("office_node", "{what}", {"number": number, "what": what, "hint": hint})
