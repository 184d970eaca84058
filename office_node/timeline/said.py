"""What an entry says beside its step, as it is written into its row."""

import json

from office_node.timeline.chain import Said, canonical


def write_said(said: Said) -> str:
    """As text."""
    return canonical(said).decode()


def read_said(text: str) -> Said:
    """What was written. Raises `ValueError` for a text that `write_said` has not written."""
    said = json.loads(text)
    if not isinstance(said, dict) or write_said(said) != text:
        raise ValueError("what it says is not as it was written")
    return said
