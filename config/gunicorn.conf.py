"""gunicorn's settings, taken from the node's own: gunicorn -c config/gunicorn.conf.py wsgi:app"""

import os
from pathlib import Path

from office_node import settings
from office_node.web.server import gunicorn_options

_file = Path(os.environ.get("OFFICE_NODE_CONFIG", Path(__file__).parent / "office.toml"))
globals().update(gunicorn_options(settings.load(_file)))
