"""Room that is kept free: the disks of folders that are there, and of those that are to be made."""

import shutil
from pathlib import Path

import pytest

from office_node.headroom import DiskNearlyFull, Headroom


def test_a_disk_with_room_is_well_and_one_with_less_than_the_reserve_is_not(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    Headroom([tmp_path, tmp_path / "not" / "made"], free // 2).insist()
    with pytest.raises(DiskNearlyFull, match=r"N205 \d+ MB are free at .*, \d+ MB are kept for what has begun"):
        Headroom([tmp_path], 2 * free).insist()
    with pytest.raises(DiskNearlyFull):
        Headroom([tmp_path / "not" / "made"], 2 * free).insist()


def test_what_is_to_come_counts(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    room = Headroom([tmp_path], free // 4)
    room.insist(free // 2)
    with pytest.raises(DiskNearlyFull):
        room.insist(free)
