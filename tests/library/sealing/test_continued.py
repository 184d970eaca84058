"""A sealed file whose writer was killed goes on where it was."""

import secrets
from pathlib import Path

import pytest

from office_node.library.sealing.layout import CHUNK_BYTES, SealBroken, chunk_at
from office_node.library.sealing.sealed_writer import SealedWriter
from tests.library.sealing.sealed import KEY, NAME, content_of, whole


@pytest.mark.parametrize(
    "left", [0, 1, chunk_at(0), chunk_at(0) + 100, chunk_at(1), chunk_at(1) + 100, chunk_at(2) + 17]
)
def test_a_cut_file_goes_on_behind_its_last_whole_chunk(left: int, tmp_path: Path) -> None:
    content, path = content_of(3 * CHUNK_BYTES + 5), tmp_path / "file"
    write(path, content)
    with path.open("r+b") as file:
        file.truncate(left)
    with SealedWriter.continued(path, KEY, NAME) as writer:
        assert writer.written == max(0, left - chunk_at(0)) // (CHUNK_BYTES + 16) * CHUNK_BYTES
        writer.write(content[writer.written :])
        writer.finish()
    assert whole(path) == content


def test_written_counts_every_byte_taken(tmp_path: Path) -> None:
    with SealedWriter(tmp_path / "file", KEY, NAME) as writer:
        for size in (1, CHUNK_BYTES, 2 * CHUNK_BYTES, 7):
            before = writer.written
            writer.write(secrets.token_bytes(size))
            assert writer.written == before + size


def test_an_unfinished_file_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, content_of(2 * CHUNK_BYTES + 1), finish=False)
    with pytest.raises(SealBroken):
        whole(path)


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        SealedWriter(path, KEY, NAME)
    assert path.read_bytes() == b"somebody's"


def write(path: Path, content: bytes, *, finish: bool = True) -> None:
    with SealedWriter(path, KEY, NAME) as writer:
        writer.write(content)
        if finish:
            writer.finish()
