"""What is wrong with the settings, told so that an administrator can mend it: number, place, fault and remedy."""

from dataclasses import dataclass
from typing import Final

from pydantic_core import PydanticCustomError

from office_node.errors import OfficeNodeError

FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "N002": ("The settings file is not TOML.", "strings stand in quotes, one key a line"),
    "N010": ("A key that no section has.", "take the one that is proposed, or leave it out; docs/configuration.md"),
    "N011": ("A section that is not known.", "take the one that is proposed, or leave it out; docs/configuration.md"),
    "N012": ("A key that is needed is missing.", "add it; docs/configuration.md tells what it is"),
    "N013": ("A value of another type than the key takes.", "write it as docs/configuration.md has it"),
    "N014": ("A value out of its bounds.", "keep to the bounds that are named"),
    "N015": ("No address as it is wanted here.", "write it as the hint shows"),
    "N016": ("An address in clear that leads off this machine.", "use https"),
    "N017": ("A password stands in the settings.", "move it into a file, and name the file"),
    "N018": ("What stands for a listener is none.", "write host:port, such as 127.0.0.1:8180"),
    "N019": ("No database that the node can use.", "write sqlite:///PATH or postgresql://user@host/name"),
    "N020": ("Downloads would leave the API too few threads.", "lower max_downloads or raise threads"),
    "N021": ("A client stands more than once.", "keep one entry per client"),
    "N022": ("A lease ends before a call may.", "make lease_seconds longer than [wipo] total_seconds"),
    "N023": ("A folder cannot be written.", "give it to the user the node runs as"),
    "N024": ("What stands for a network is none.", "write address/bits, such as 192.0.2.0/24"),
    "N025": ("What stands for a rate is none.", "write a number and a span, such as 600/minute"),
    "N026": ("What stands for a host is none.", "write a host's name, or *.domain"),
    "N027": ("What stands for a path of a URL is none.", "write it from the root, such as /_library"),
    "N028": ("A certificate without its key, or a key without its certificate.", "name both, or neither"),
    "N029": ("Tokens of a server are accepted that is not described.", "add the section that is named"),
    "N030": ("WIPO's issuer is our own address.", "an issuer is whoever signs: name WIPO's"),
    "N031": ("Nobody off this machine may call.", "add the networks from which WIPO calls"),
    "N032": ("The public address and what listens do not fit together.", "see what the line proposes"),
    "N033": ("A rehearsal in the settings of production.", "take the section out"),
    "N711": ("The listener cannot be bound.", "stop what listens there, or name another host:port"),
}
"""What each number of a finding stands for, and what to do as a rule: the finding itself knows better."""


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
