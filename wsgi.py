"""For gunicorn without `office-node web`: gunicorn -c config/gunicorn.conf.py wsgi:app

The settings are those of OFFICE_NODE_CONFIG, else config/office.toml beside this file.
"""

import os
from pathlib import Path

from office_node import logs, settings
from office_node.app import create_app
from office_node.storage import schema
from office_node.wiring import build_node

_settings = settings.load(Path(os.environ.get("OFFICE_NODE_CONFIG", Path(__file__).parent / "config" / "office.toml")))
logs.configure(_settings.logging.level, process="web")
_node = build_node(_settings)
schema.check(_node.database)
_node.database.close()  # with --preload, what is open here would be shared by every worker
app = create_app(_node)
