"""The settings in force: read when a process starts, and again whenever SIGHUP tells it to, keys and all.

A file or a key that cannot be used is told, finding by finding, and what was in force stays so.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from office_node import checks, logs, settings
from office_node.errors import OfficeNodeError
from office_node.settings import Finding, Settings, SettingsFaulty
from office_node.storage import schema

if TYPE_CHECKING:  # the supervisor reads settings alone, and shall not carry what a node is made of
    from office_node.wiring.node import Node

log = structlog.get_logger()


class ReloadRefused(OfficeNodeError):
    """What was told to be read again cannot be used."""

    code = "N712"
    hint = "mend what the lines above name, see `office-node config check`, then send SIGHUP again"


class InForce:
    """A settings file, and the node that was last built from it.

    `node` is made where the file is read, in the process that forks the web workers: every one of them, a late one
    too, works with what was in force then, whatever stands in the files meanwhile.
    """

    def __init__(self, file: Path, process: str) -> None:
        """Raises what keeps a node from starting: `SettingsFaulty`, `SchemaDoesNotFit`, `DatabaseUnavailable`."""
        self._file = file
        self._process = process
        self.node = self._build(None)

    @property
    def settings(self) -> Settings:
        return self.node.settings

    def read_again(self) -> bool:
        """Whether what the file says now came into force. Never raises: what runs goes on with what it has."""
        try:
            self.node = self._build(self.settings)
        except SettingsFaulty as exc:
            for finding in exc.findings:
                log.error("settings not taken", **_told(finding))
        except OfficeNodeError as exc:
            log.error("settings not taken", code=exc.code, reason=exc.message, hint=exc.next_step)
        except Exception:
            log.exception("settings not taken by a bug of ours", code=OfficeNodeError.code)
        else:
            return True
        log.error("reload refused", code=ReloadRefused.code, hint=ReloadRefused.hint)
        return False

    def _build(self, before: Settings | None) -> "Node":
        from office_node.wiring.node import build_node

        found = read(self._file, self._process)
        node = build_node(found)
        if before is None or found.database != before.database:
            schema.check(node.database)
            node.database.close()  # what is open here would be shared by every process that is forked
        return node


def read(file: Path, process: str) -> Settings:
    """The settings, if a node can start with them; from here on the log speaks as they say. Raises `SettingsFaulty`."""
    found = settings.load(file)
    findings = checks.check(found, file.name)
    faults = [finding for finding in findings if not (finding.is_warning or finding.node_starts)]
    if faults:
        raise SettingsFaulty(faults)
    logs.configure(found.logging.level, process=process)
    for finding in findings:
        tell = log.warning if finding.is_warning else log.error
        tell("settings to be looked at", **_told(finding))
    return found


def of_web(file: Path) -> InForce:
    """One for everybody who asks in a process: gunicorn's configuration and the wsgi file meet nowhere else."""
    return _of_web(file.resolve())


@cache
def _of_web(file: Path) -> InForce:
    return InForce(file, "web")


def _told(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.number,
        "file": finding.file,
        "place": finding.place,
        "reason": finding.what,
        "hint": finding.hint,
    }
