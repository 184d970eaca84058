"""All entries, in the order of the rows of auth-checks.md."""

from collections.abc import Collection

from office_node.rehearsal.bad_credentials import (
    assertion_claims,
    assertion_syntax,
    replays,
    token_requests,
    tokens,
    wipo_tokens,
)
from office_node.rehearsal.bad_credentials.entry import Entry

# Lists of rows cannot be made here: 59 wants the key of another registered client, 61 to 65 and 89 to 96 (but 91 and
# 95) are about what the office publishes and fetches, 104 about its restart. The tests of the node have them.
_ENTRIES = sorted(
    [
        *token_requests.ENTRIES,
        *assertion_claims.ENTRIES,
        *assertion_syntax.ENTRIES,
        *replays.ENTRIES,
        *tokens.in_both_setups(),
        *wipo_tokens.ENTRIES,
    ],
    key=lambda entry: (entry.kind, entry.setup, entry.number),
)


def entries(setups: Collection[str]) -> list[Entry]:
    """The entries of these setups: assertions, tokens of the office's own server, tokens of WIPO's."""
    return [entry for entry in _ENTRIES if entry.setup in setups]


def find(kind: str, setup: str, name: str) -> Entry | None:
    """The entry of this kind and name in this setup."""
    return next((one for one in _ENTRIES if (one.kind, one.setup, one.name) == (kind, setup, name)), None)
