"""Checkpoints are made when they are due, each once, and laid into their folder."""

from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.auth import keys
from office_node.timeline.checkpoints import MOST_ENTRIES, CheckpointFolderUnusable
from office_node.timeline.noting import note
from office_node.timeline.steps import Step
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.office import Office
from tests.timeline.noted import checkpoint, fill


def laid(office: Office) -> list[str]:
    return sorted(path.name for path in office.settings().timeline.checkpoint_folder.glob("*"))


def test_an_entry_waits_no_longer_than_the_settings_say(office: Office, node: Node) -> None:
    fill(node, 3)
    assert node.timeline.checkpoints.make_due() == 0
    with time_machine.travel(clock.now() + timedelta(minutes=60), tick=False):
        assert node.timeline.checkpoints.make_due() == 1
        assert node.timeline.checkpoints.make_due() == 0
    assert laid(office) == ["000000000003.jws"]
    assert list(node.timeline.verification.findings()) == []


@on_sqlite
def test_many_entries_are_covered_at_once(office: Office, node: Node) -> None:
    with node.database.transaction() as session:
        for n in range(2 * MOST_ENTRIES + 1):
            note(session, Step.SERVED, None, None, n=n)
    assert node.timeline.checkpoints.make_due() == 2
    assert laid(office) == ["000000001000.jws", "000000002000.jws"]
    assert list(node.timeline.verification.findings()) == []


@on_sqlite
def test_a_checkpoint_that_could_not_be_laid_is_laid_later(office: Office, node: Node) -> None:
    folder = office.settings().timeline.checkpoint_folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    fill(node, 2)
    with pytest.raises(CheckpointFolderUnusable, match="N381"):
        checkpoint(node)
    folder.unlink()
    assert node.timeline.checkpoints.make_due() == 0
    assert laid(office) == ["000000000002.jws"]


@on_sqlite
def test_a_new_key_signs_and_the_old_ones_public_half_still_proves(office: Office, node: Node) -> None:
    fill(node, 2)
    checkpoint(node)
    with time_machine.travel(clock.now() - timedelta(minutes=1), tick=True):
        made = command_line.run(office.settings_file, "keys", "rotate", "timeline", "--in", "6")
    assert "signs checkpoints from" in made.stdout
    key = office.settings().timeline.signing_key_file
    assert command_line.run(office.settings_file, "keys", "export", "timeline").exit_code == 0
    key.write_bytes(keys.load_private_key(key).as_pem(private=False))
    fill(node, 2)
    with time_machine.travel(clock.now() + timedelta(hours=7), tick=False):
        assert node.timeline.checkpoints.make_due() == 1, "signed with the new key: the old one cannot sign any more"
    verified = command_line.run(office.settings_file, "timeline", "verify")
    assert verified.exit_code == 0, verified.output
