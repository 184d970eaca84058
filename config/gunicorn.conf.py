"""gunicorn's settings, taken from the node's own: gunicorn -c config/gunicorn.conf.py wsgi:app"""

import os
from pathlib import Path

from office_node import in_force
from office_node.web.arbiter import take_over
from office_node.web.server import gunicorn_options

_in_force = in_force.of_web(Path(os.environ.get("OFFICE_NODE_CONFIG", Path(__file__).parent / "office.toml")))
globals().update(gunicorn_options(_in_force.settings), on_starting=take_over(_in_force))
