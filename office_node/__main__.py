"""python -m office_node"""

from office_node.cli import main

main(prog_name="office-node")
