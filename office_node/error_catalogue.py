"""Every failure that the node tells of: its code, what happened, whose turn it is, and what to do next.

Failures are classes that stand where they are raised, findings are entries of tables beside what finds them; here they
come together. docs/error-catalogue.md is printed from it.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

import office_node
from office_node.auth.key_ends import WARNINGS
from office_node.checks.keys import KEY_FINDINGS
from office_node.errors import OfficeNodeError, Owner
from office_node.library.inspection.findings import Kind
from office_node.library.verification import ADVICE as LIBRARY_FINDINGS
from office_node.settings.findings import FINDINGS as SETTINGS_FINDINGS
from office_node.timeline.verification import ADVICE as TIMELINE_FINDINGS

_NOT_IMPORTED = ("__main__", "migrations")
_OWNERS: dict[Owner, str] = {
    "office": "whoever works with the document: the clerk, or the office's own systems",
    "operator": "whoever runs the node",
    "WIPO": "WIPO",
    "network": "nobody yet: the line, or whoever keeps it",
    "caller": "whoever calls the node",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One failure."""

    code: str
    cause: str
    owner: Owner
    next_step: str


def entries() -> list[Entry]:
    """All of them, by code."""
    found = [*_failures(), *_findings()]
    return sorted(found, key=lambda entry: entry.code)


def reference() -> str:
    """docs/error-catalogue.md, from its first table on."""
    lines = ["| whose turn | who that is |", "| --- | --- |"]
    lines += [f"| {owner} | {who} |" for owner, who in _OWNERS.items()]
    lines += ["", "| code | what happened | whose turn | what to do |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.code} | {_cell(one.cause)} | {one.owner} | {_cell(one.next_step)} |" for one in entries()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _failures() -> Iterator[Entry]:
    for module in pkgutil.walk_packages(office_node.__path__, "office_node."):
        if not any(part in module.name.split(".") for part in _NOT_IMPORTED):
            importlib.import_module(module.name)
    failures: set[type[OfficeNodeError]] = {OfficeNodeError, *_below(OfficeNodeError)}
    for failure in failures:
        yield Entry(failure.code, " ".join(inspect.cleandoc(str(failure.__doc__)).split()), failure.owner, failure.hint)


def _below(failure: type[OfficeNodeError]) -> Iterator[type[OfficeNodeError]]:
    for direct in failure.__subclasses__():
        yield direct
        yield from _below(direct)


def _findings() -> Iterator[Entry]:
    for number, (cause, next_step) in (SETTINGS_FINDINGS | KEY_FINDINGS | WARNINGS).items():
        yield Entry(number, cause, "operator", next_step)
    for kind in Kind:
        yield Entry(kind.number, f"A package: {kind.title}.", "office", kind.hint)
    for fault, (number, next_step) in LIBRARY_FINDINGS.items():
        yield Entry(number, f"`library verify`: {fault.value}.", "operator", next_step)
    for what, (number, next_step) in TIMELINE_FINDINGS.items():
        yield Entry(number, f"`timeline verify`: {what.value}.", "operator", next_step)
