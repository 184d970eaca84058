"""Files in an S3-compatible bucket, below a prefix. boto3 is an optional extra, and imported when it is needed."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from office_node import clock
from office_node.errors import OfficeNodeError
from office_node.library.damage import FileMissing, StoreUnusable
from office_node.library.sized_file import SizedFile
from office_node.library.store import NAME

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HINT = "see that the bucket is there, that [s3] fits it, and that its key may read, write, copy and delete there"
_READ_BYTES = 2 << 20
_NOT_THERE = ("404", "NoSuchKey", "NotFound")


class S3Missing(OfficeNodeError):
    """The settings name a bucket, and what speaks to it is not installed."""

    code = "N348"
    hint = "install it: .venv/bin/pip install --require-hashes -r requirements/s3.txt"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where it is, and who we are there."""

    name: str
    prefix: str
    endpoint_url: str | None
    region: str | None
    access_key_id: str | None
    secret_key: str | None = field(repr=False)
    """None with `access_key_id` None: what the machine itself is allowed."""
    path_style: bool
    proxy: str | None
    """The office's http proxy for calls out, if there is one."""
    presigns: bool
    """Whether others are sent to the bucket itself."""


class S3Store:
    """A `Store` in a bucket; what is set aside lies below `aside/`. Making one opens no connection."""

    def __init__(self, bucket: Bucket) -> None:
        """Raises `S3Missing`."""
        self._bucket = bucket
        self._client = _client(bucket)
        self._transfer = importlib.import_module("boto3.s3.transfer").TransferConfig()

    def keep(self, file: Path, name: str) -> None:
        with _usable(name):
            # By parts and in constant memory; each part's digest, and the whole's, is checked by the store.
            self._client.upload_file(
                str(file), self._bucket.name, self._key(name), {"ChecksumAlgorithm": "SHA256"}, Config=self._transfer
            )
        file.unlink()

    def open(self, name: str) -> BinaryIO:
        with _usable(name):
            head = self._client.head_object(Bucket=self._bucket.name, Key=self._key(name))
        return cast("BinaryIO", _Object(self._read, self._key(name), int(head["ContentLength"]), str(head["ETag"])))

    def names(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket.name, Prefix=f"{self._bucket.prefix}files/"
        )
        with _usable(""):
            for page in pages:
                for found in page.get("Contents", ()):
                    yield str(found["Key"]).rpartition("/")[2]

    def discard(self, name: str) -> None:
        with _usable(name):
            self._client.delete_object(Bucket=self._bucket.name, Key=self._key(name))

    def set_aside(self, name: str) -> None:
        source = {"Bucket": self._bucket.name, "Key": self._key(name)}
        aside = f"{self._bucket.prefix}aside/{name}.{clock.now():%Y%m%dT%H%M%S%f}"
        try:
            with _usable(name):
                self._client.copy(source, self._bucket.name, aside, Config=self._transfer)
                self._client.delete_object(**source)
        except FileMissing:
            pass

    def presigned(self, name: str, seconds: int, media_type: str) -> str | None:
        if not self._bucket.presigns:
            return None
        named = {"Bucket": self._bucket.name, "Key": self._key(name), "ResponseContentType": media_type}
        with _usable(name):
            return str(self._client.generate_presigned_url("get_object", Params=named, ExpiresIn=seconds))

    def place(self, name: str) -> str | None:
        return None

    def _read(self, key: str, etag: str, first: int, count: int) -> bytes:
        wanted = f"bytes={first}-{first + count - 1}"
        with _usable(key):
            answer = self._client.get_object(Bucket=self._bucket.name, Key=key, Range=wanted, IfMatch=etag)
            return bytes(answer["Body"].read())

    def _key(self, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("not a name of this store")
        return f"{self._bucket.prefix}files/{name}"


class _Object(SizedFile):
    """An object of the bucket as a file to read and to seek in, piece by piece; each is of what was opened."""

    def __init__(self, read: Callable[[str, str, int, int], bytes], key: str, size: int, etag: str) -> None:
        super().__init__(size)
        self._read = read
        self._key = key
        self._etag = etag
        self._piece = memoryview(b"")
        self._piece_at = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        if not len(target) or self._position >= self.size:
            return 0
        start = self._position - self._piece_at
        if not 0 <= start < len(self._piece):
            # More than was asked for: a sealed file is read by chunks, and each call to the store takes a while.
            count = min(_READ_BYTES, self.size - self._position)
            self._piece = memoryview(self._read(self._key, self._etag, self._position, count))
            self._piece_at, start = self._position, 0
        piece = self._piece[start : start + len(target)]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _client(bucket: Bucket) -> Any:
    try:
        boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    except ImportError as exc:
        raise S3Missing("[s3] names a bucket, and boto3 is not installed") from exc
    return boto3.client(
        "s3",
        endpoint_url=bucket.endpoint_url,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key_id,
        aws_secret_access_key=bucket.secret_key,
        config=config.Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=60,
            proxies={"http": bucket.proxy, "https": bucket.proxy} if bucket.proxy else {},  # the environment's never
            retries={"mode": "standard", "total_max_attempts": 4},
            s3={"addressing_style": "path" if bucket.path_style else "auto"},
        ),
    )


@contextmanager
def _usable(name: str) -> Iterator[None]:
    """What fails within is told as the bucket's failure, or as a file that is not there."""
    failures = importlib.import_module("botocore.exceptions")
    try:
        yield
    except failures.ClientError as exc:
        said = exc.response.get("Error", {}).get("Code", "")
        if said in _NOT_THERE and name:
            raise FileMissing(f"there is no file {name.rpartition('/')[2]}") from exc
        raise StoreUnusable(f"the bucket refused: {said or 'without a reason'}", hint=_HINT) from exc
    except (failures.BotoCoreError, importlib.import_module("boto3.exceptions").Boto3Error) as exc:
        raise StoreUnusable(f"the bucket cannot be used: {type(exc).__name__}", hint=_HINT) from exc
