"""For gunicorn without `office-node web`: gunicorn -c config/gunicorn.conf.py wsgi:app

The settings are those of OFFICE_NODE_CONFIG, else config/office.toml beside this file.
"""

import os
from pathlib import Path

from office_node import in_force
from office_node.app import create_app

_file = Path(os.environ.get("OFFICE_NODE_CONFIG", Path(__file__).parent / "config" / "office.toml"))
_node = in_force.of_web(_file).node
app = create_app(_node)
