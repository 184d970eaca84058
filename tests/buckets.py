"""A real HTTP server that speaks S3, and buckets on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

_SECRET = "not-a-secret-of-anybodys"


@dataclass(frozen=True)
class Buckets:
    """The server."""

    url: str

    def new(self, folder: Path) -> dict[str, Any]:
        """A new bucket: what [s3] says of it. Its secret lies in `folder`."""
        name = f"office-{uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        secret = folder / "s3.secret"
        secret.write_text(_SECRET + "\n")
        secret.chmod(0o600)
        return {
            "bucket": name,
            "prefix": "das/",
            "endpoint_url": self.url,
            "region": "us-east-1",
            "access_key_id": "office",
            "secret_key_file": str(secret),
            "path_style": True,
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="office",
            aws_secret_access_key=_SECRET,
        )

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Everything that lies in it."""
        client = self.client()
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


@contextmanager
def serving() -> Iterator[Buckets]:
    """The server, for the length of the block."""
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Buckets(f"http://{host}:{port}")
    finally:
        server.stop()
