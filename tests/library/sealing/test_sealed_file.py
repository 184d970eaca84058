"""A sealed file gives back what was sealed, from anywhere, and nothing else ever."""

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from office_node.library.sealing import layout
from office_node.library.sealing.layout import CHUNK_BYTES, SealBroken
from office_node.library.sealing.sealed_reader import SealedReader
from tests.library.sealing.sealed import KEY, NAME, content_of, opened, sealed, whole

_SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 77]
_THREE = content_of(3 * CHUNK_BYTES + 77)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sealed file of four chunks."""
    return sealed(tmp_path_factory.mktemp("sealed"), _THREE).read_bytes()


@pytest.mark.parametrize("size", _SIZES)
def test_what_was_sealed_comes_back(size: int, tmp_path: Path) -> None:
    content = content_of(size)
    path = sealed(tmp_path, content)
    assert whole(path) == content
    assert path.stat().st_size == layout.sealed_size(size)
    assert layout.plain_size(path.stat().st_size) == size


def test_nothing_of_the_content_is_in_the_file(three: bytes) -> None:
    assert not any(_THREE[start : start + 16] in three for start in range(0, len(_THREE) - 16, 4001))


@given(start=st.integers(0, len(_THREE) + 10), length=st.integers(0, len(_THREE)))
def test_any_stretch_is_read_as_it_was(three: bytes, start: int, length: int) -> None:
    with SealedReader(io.BytesIO(three), KEY, NAME) as reader:
        reader.seek(start)
        stretch = bytearray(length)
        assert reader.readinto(stretch) == len(_THREE[start : start + length])
        assert stretch[: len(_THREE[start : start + length])] == _THREE[start : start + length]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_refused(three: bytes, place: float, bit: int) -> None:
    changed = bytearray(three)
    changed[int(place * len(three))] ^= 1 << bit
    assert_refused(bytes(changed))


@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_cut_anywhere_is_refused(three: bytes, kept: float) -> None:
    assert_refused(three[: int(kept * len(three))])


@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
def test_a_cut_between_two_chunks_is_refused(three: bytes, chunks: int) -> None:
    assert_refused(three[: layout.chunk_at(chunks)])


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (0, 2)])
def test_chunks_that_changed_places_are_refused(three: bytes, first: int, second: int) -> None:
    assert_refused(arranged(three, [second if n == first else first if n == second else n for n in range(4)]))


@pytest.mark.parametrize("order", [[1, 2, 3], [0, 2, 3], [0, 1, 1, 2, 3], [0, 1, 2, 2], [0, 1, 2, 3, 3]])
def test_chunks_left_out_or_there_twice_are_refused(three: bytes, order: list[int]) -> None:
    assert_refused(arranged(three, order))


@pytest.mark.parametrize("more", [b"\x00", b"\x00" * 16, b"\x00" * layout.SEALED_CHUNK_BYTES])
def test_more_bytes_at_the_end_are_refused(three: bytes, more: bytes) -> None:
    assert_refused(three + more)


def test_a_chunk_of_another_file_under_the_same_key_is_refused(three: bytes, tmp_path: Path) -> None:
    other = sealed(tmp_path, _THREE, name="f" * 32).read_bytes()
    mixed = three[: layout.chunk_at(1)] + other[layout.chunk_at(1) : layout.chunk_at(2)] + three[layout.chunk_at(2) :]
    assert_refused(mixed)


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"of another document", key=content_of(32))
    with pytest.raises(SealBroken):
        whole(path)


def test_under_another_name_it_is_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"some content")
    with pytest.raises(SealBroken):
        whole(path, name="f" * 32)


def test_what_comes_before_a_changed_chunk_is_still_read(three: bytes) -> None:
    changed = bytearray(three)
    changed[layout.chunk_at(2) + 5] ^= 1
    with SealedReader(io.BytesIO(bytes(changed)), KEY, NAME) as reader:
        assert reader.read(2 * CHUNK_BYTES) == _THREE[: 2 * CHUNK_BYTES]
        with pytest.raises(SealBroken):
            reader.read(1)
        reader.seek(0)
        assert reader.read(100) == _THREE[:100]


def test_a_file_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path, _THREE)
    with opened(path) as reader:
        with path.open("r+b") as file:
            file.truncate(layout.chunk_at(2))
        reader.seek(3 * CHUNK_BYTES)
        with pytest.raises(SealBroken):
            reader.read(1)


def arranged(three: bytes, order: list[int]) -> bytes:
    """The chunks in another order."""
    chunks = [three[layout.chunk_at(n) : layout.chunk_at(n + 1)] for n in range(4)]
    return three[: len(layout.HEAD)] + b"".join(chunks[n] for n in order)


def assert_refused(changed: bytes) -> None:
    with pytest.raises(SealBroken), SealedReader(io.BytesIO(changed), KEY, NAME) as reader:
        reader.readall()
