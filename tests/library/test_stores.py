"""A folder and a bucket are the same to the library."""

import io
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from office_node import clock
from office_node.library.damage import FileMissing, StoreUnusable
from office_node.library.folder_store import FolderStore
from office_node.library.s3_store import Bucket, S3Missing, S3Store
from office_node.library.store import Store
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.buckets import Buckets
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.library.documents import CODE, add
from tests.library.test_fixity import MONTH, fixity
from tests.office import Office, pdf

NAME, OTHER = "0" * 32, "1" * 32


def in_bucket(settings: dict[str, Any], **changes: Any) -> S3Store:
    known = {**settings, **changes}
    return S3Store(
        Bucket(
            name=known["bucket"],
            prefix=known["prefix"],
            endpoint_url=known["endpoint_url"],
            region=known["region"],
            access_key_id=known["access_key_id"],
            secret_key="any",
            path_style=True,
            proxy=None,
            presigns=False,
        )
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, buckets: Buckets) -> Store:
    if request.param == "folder":
        (tmp_path / "store").mkdir()
        return FolderStore(tmp_path / "store")
    return in_bucket(buckets.new(tmp_path))


@pytest.fixture
def laid(tmp_path: Path) -> Callable[[bytes], Path]:
    def lay(content: bytes) -> Path:
        file = tmp_path / secrets.token_hex(8)
        file.write_bytes(content)
        return file

    return lay


def test_what_is_kept_is_read_from_anywhere_and_gone_from_where_it_was(
    store: Store, laid: Callable[[bytes], Path]
) -> None:
    content = secrets.token_bytes(5_000_000)
    file = laid(content)
    store.keep(file, NAME)
    assert not file.exists()
    with store.open(NAME) as kept:
        assert b"".join(iter(lambda: kept.read(300_000), b"")) == content
    with store.open(NAME) as kept:
        for start, count in ((4_999_990, 10), (0, 26), (1_000_000, 300_000), (4_999_999, 5)):
            kept.seek(start)
            buffer = bytearray(count)
            read = 0
            while got := kept.readinto(memoryview(buffer)[read:]):  # type: ignore[attr-defined]
                read += got
            assert buffer[:read] == content[start : start + count]
        assert kept.seek(0, io.SEEK_END) == len(content)
        assert kept.read(1) == b""
        with pytest.raises(OSError, match=r"beginning|Invalid"):
            kept.seek(-1)


def test_names_are_those_that_are_kept(store: Store, laid: Callable[[bytes], Path]) -> None:
    assert list(store.names()) == []
    for name in (NAME, OTHER):
        store.keep(laid(b"x"), name)
    assert sorted(store.names()) == [NAME, OTHER]
    store.discard(NAME)
    store.discard(NAME)
    assert list(store.names()) == [OTHER]


def test_what_is_not_there_is_missing_and_nothing_else(store: Store) -> None:
    with pytest.raises(FileMissing, match="N306"):
        store.open(NAME)
    store.set_aside(NAME)


def test_what_is_set_aside_has_no_name_any_more(store: Store, laid: Callable[[bytes], Path]) -> None:
    store.keep(laid(b"damaged"), NAME)
    store.set_aside(NAME)
    assert list(store.names()) == []
    with pytest.raises(FileMissing):
        store.open(NAME)


@pytest.mark.parametrize("name", ["", "..", "a" * 31, "A" * 32, "aside/" + "a" * 26])
def test_only_the_stores_own_names_are_names(store: Store, name: str) -> None:
    for verb in (store.open, store.discard, store.set_aside):
        with pytest.raises(ValueError, match="not a name of this store"):
            verb(name)


def test_a_bucket_that_is_not_there_is_told(buckets: Buckets, tmp_path: Path, laid: Callable[[bytes], Path]) -> None:
    gone = in_bucket(buckets.new(tmp_path), bucket="no-such-bucket")
    file = laid(b"x")
    with pytest.raises(StoreUnusable, match="N304 the bucket") as caught:
        gone.keep(file, NAME)
    assert "[s3]" in str(caught.value)
    assert file.exists()
    with pytest.raises(StoreUnusable):
        list(gone.names())
    away = in_bucket(buckets.new(tmp_path), endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StoreUnusable, match="cannot be used"):
        away.open(NAME)


def test_without_boto3_the_settings_are_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("office_node.library.s3_store.importlib.import_module", absent)
    with pytest.raises(S3Missing, match=r"N348 .* requirements/s3.txt"):
        in_bucket({"bucket": "b", "prefix": "", "endpoint_url": None, "region": None, "access_key_id": None})


@pytest.fixture
def in_the_cloud(new_office: MakeOffice, buckets: Buckets, tmp_path: Path) -> Iterator[tuple[Office, Node, str]]:
    settings = buckets.new(tmp_path)
    office = new_office(overrides={"s3": settings})
    office.upgrade()
    node = build_node(office.settings())
    yield office, node, settings["bucket"]
    node.database.close()


@on_sqlite
def test_a_library_in_a_bucket_keeps_finds_verifies_and_quarantines(
    in_the_cloud: tuple[Office, Node, str], buckets: Buckets
) -> None:
    office, node, bucket = in_the_cloud
    content = pdf(700_000)
    _, entry = add(node, content)
    [(key, lies_there)] = buckets.objects(bucket).items()
    assert key == f"das/files/{entry.current.version_id}"
    assert content[1000:1100] not in lies_there
    with node.library.open(entry.current) as file:
        assert file.read() == content
    assert command_line.run(office.settings_file, "library", "verify").stdout.startswith("every file is what")
    assert [*office.settings().library.store.glob("??/*")] == []

    spoilt = bytearray(lies_there)
    spoilt[len(spoilt) // 2] ^= 1
    buckets.client().put_object(Bucket=bucket, Key=key, Body=bytes(spoilt))
    with time_machine.travel(clock.now() + MONTH, tick=True):
        assert fixity(node).run() == 1
    assert [name.split("/")[1] for name in buckets.objects(bucket)] == ["aside"]
    verified = command_line.run(office.settings_file, "library", "verify")
    assert (verified.exit_code, verified.stdout[:4]) == (1, "N345")
    assert CODE not in verified.stdout


@on_sqlite
def test_a_lost_key_of_a_library_in_a_bucket_is_not_replaced(in_the_cloud: tuple[Office, Node, str]) -> None:
    office, node, bucket = in_the_cloud
    add(node, pdf(3000))
    for key in ("access_codes.key", "storage.pem"):
        kept = (office.folder / "keys" / key).read_bytes()
        (office.folder / "keys" / key).unlink()
        generated = command_line.run(office.settings_file, "keys", "generate")
        assert generated.exit_code == 1
        assert f"bucket {bucket}" in generated.stderr
        assert not (office.folder / "keys" / key).exists()
        (office.folder / "keys" / key).write_bytes(kept)
        (office.folder / "keys" / key).chmod(0o600)
    assert command_line.run(office.settings_file, "keys", "generate").exit_code == 0
