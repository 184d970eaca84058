"""A timeline with entries and checkpoints, for the tests that spoil it."""

from datetime import timedelta

from office_node.timeline.checkpoints import Checkpoints
from office_node.timeline.noting import note
from office_node.timeline.steps import Step
from office_node.wiring.node import Node

NUMBER = "US 98/012,357"


def fill(node: Node, count: int, numbers: int = 7) -> None:
    """So many entries about some documents."""
    for n in range(count):
        with node.database.transaction() as session:
            number = f"US 98/012,{n % numbers:03}"
            note(session, Step.SERVED, "patent", number, subject=f"request-{n % 11}", n=n, well=n % 2 == 0, why="é\n")


def checkpoint(node: Node) -> int:
    """Sign what is there, whether it is due or not."""
    settings = node.settings
    eager = Checkpoints(
        database=node.database,
        key=node.timeline.checkpoints._key,
        folder=settings.timeline.checkpoint_folder,
        office=settings.office.code,
        every=timedelta(0),
    )
    return eager.make_due()
