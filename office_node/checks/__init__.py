"""Whether what the settings point at is there and can be used: every finding at once, each with its number."""

from office_node.checks import destinations, folders, keys, reach, trust
from office_node.settings import Finding, Settings


def check(settings: Settings, file: str) -> list[Finding]:
    """Everything on this machine that would keep the node from its work. `file` is how findings name the settings."""
    subjects = (keys, trust, destinations, folders, reach)
    return [finding for subject in subjects for finding in subject.check(settings, file)]
