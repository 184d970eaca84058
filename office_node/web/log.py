"""gunicorn's own messages as JSON lines like all others."""

import logging
from typing import Any

from gunicorn import glogging

from office_node import logs


class JsonLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's own messages as JSON lines like all others."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.propagate = False
        if not logging.getLogger().handlers:
            logs.configure(process="web")

    def reopen_files(self) -> None:
        """Nothing to reopen: lines go to standard error."""
