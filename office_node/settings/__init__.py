"""The one TOML file of the administrator, read once into frozen, typed settings.

Every fault of the file is found in one reading and told with its own number, where it stands and what to do:
`N012 office.toml [wipo] token_url: missing; hint: ...`. Secrets are named by path only, and relative paths are
relative to the file. Whether the paths and keys hold what they should is `checks`' question, not this room's.
"""

from office_node.settings.findings import Finding, SettingsFaulty
from office_node.settings.reading import load, masked
from office_node.settings.sections import API_SCOPE, Rehearsal, Settings

__all__ = ["API_SCOPE", "Finding", "Rehearsal", "Settings", "SettingsFaulty", "load", "masked"]
