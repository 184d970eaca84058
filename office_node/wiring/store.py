"""Where documents are kept: a folder, or a bucket."""

import itertools

from office_node.auth import keys
from office_node.library.folder_store import FolderStore
from office_node.library.s3_store import Bucket, S3Store
from office_node.library.sealing import layout
from office_node.library.store import Store
from office_node.settings import Settings
from office_node.settings.sections import S3

_LOOKED_AT = 200


def build_store(settings: Settings) -> Store:
    """As [s3] or else [library] say. Raises `S3Missing`, and `KeyUnusable` when the bucket's secret cannot be read."""
    return _s3_store(settings.s3, settings.egress.proxy) if settings.s3 else FolderStore(settings.library.store)


def keeps_files(settings: Settings) -> bool:
    """Whether the store holds anything. Raises as `build_store`, and `StoreUnusable`."""
    return any(True for _ in build_store(settings).names())


def keeps_sealed_files(settings: Settings) -> bool:
    """Whether the store holds any sealed document; in a bucket some are looked at. Raises as `keeps_files`."""
    store = build_store(settings)
    for name in itertools.islice(store.names(), _LOOKED_AT if settings.s3 else None):
        with store.open(name) as file:
            if file.read(len(layout.HEAD)) == layout.HEAD:
                return True
    return False


def _s3_store(s3: S3, proxy: str | None) -> S3Store:
    return S3Store(
        Bucket(
            name=s3.bucket,
            prefix=s3.prefix,
            endpoint_url=s3.endpoint_url,
            region=s3.region,
            access_key_id=s3.access_key_id,
            secret_key=keys.load_password(s3.secret_key_file) if s3.secret_key_file else None,
            path_style=s3.path_style,
            proxy=proxy,
            presigns=s3.presign,
        )
    )
