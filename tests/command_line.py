"""The command line within this process: as `Office.run`, without the cost of a new one."""

import logging
from pathlib import Path

import structlog
from click.testing import CliRunner, Result

from office_node.cli import main


def run(settings_file: Path, *arguments: str) -> Result:
    """One verb to its end. A failure that is no error of ours is raised here, as it would end in a trace."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configured = structlog.get_config() if structlog.is_configured() else None
    try:
        return CliRunner().invoke(main, ["--config", str(settings_file), *arguments], catch_exceptions=False)
    finally:
        # The verb has pointed the log of this process at a stream that ends with it.
        root.handlers[:] = handlers
        root.setLevel(level)
        if configured is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**configured)
