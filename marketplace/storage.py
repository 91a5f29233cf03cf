"""Objects by URI: s3:// and file:// behind one Store. With aws_messages.py the only importer of boto3.

Which S3 server is used comes from the settings alone, never from a URI; file:// stays inside STORE_URL and
STORE_FILE_ROOTS. Which account may read what is decided in services/boundaries.py.
"""

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from marketplace import storage_files, storage_versions
from marketplace.errors import Forbidden, Invalid, NotFound, StoreFull, StoreUnavailable
from marketplace.storage_files import FileStore, StoredObject, StoredVersion, Versions, private_folder, safe_key

__all__ = ["Store", "StoreFull", "StoreUnavailable", "StoredObject"]

MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
DENIED = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})
# Of S3, of MinIO, of Ceph.
FULL = frozenset({"InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"})
PART_BYTES = 8 * 1024 * 1024
BUFFER_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,254}")


class Location(NamedTuple):
    """The parts of an s3:// URI; a key may begin with a slash of its own, as in s3://bucket//key."""

    bucket: str
    key: str


class Store(Protocol):
    """What both kinds of store can do; every method takes full URIs and raises DomainErrors that name the URI."""

    def open(self, uri: str, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """A stream of the object's bytes, from `offset`, at most `length` of them."""

    def write(self, uri: str, data: bytes | BinaryIO, *, content_type: str = "") -> None:
        """Store bytes or a stream under the URI; readers see the old object or the new one, never half of one."""

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        """Every object whose URI starts with the prefix, in the order of keys, page by page."""

    def size(self, uri: str) -> int:
        """Bytes of the object."""

    def version(self, uri: str) -> StoredVersion:
        """The object as it is now. Raises NotFound."""

    def versions(self, prefix_uri: str, *, after: str, most: int) -> Versions:
        """At most so many objects under the prefix as they are now, those after the address `after` ("": the first)."""

    def delete(self, uri: str) -> None:
        """Remove the object; nothing happens if there is none."""

    def presign(self, uri: str, seconds: int) -> str | None:
        """A link that works without credentials for so many seconds; None if the web application serves the bytes."""


class S3Store:
    """The S3 server of the settings."""

    def open(self, uri: str, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """See Store.open."""
        where = locate(uri)
        extra = {}
        if length == 0:
            raise Invalid(f"{uri}: a range of no bytes cannot be read")
        if offset or length is not None:
            extra["Range"] = f"bytes={offset}-" + ("" if length is None else str(offset + length - 1))
        with _explained(uri):
            body = _client().get_object(Bucket=where.bucket, Key=where.key, **extra)["Body"]
        # Buffered, so that it has lines and all else that a file has.
        return cast(BinaryIO, io.BufferedReader(_Body(body, uri), BUFFER_BYTES))

    def write(self, uri: str, data: bytes | BinaryIO, *, content_type: str = "") -> None:
        """See Store.write. Streams go up in parts of 8 MiB."""
        where = locate(uri)
        extra = {"ContentType": content_type} if content_type else {}
        with _explained(uri):
            if isinstance(data, bytes):
                _client().put_object(Bucket=where.bucket, Key=where.key, Body=data, **extra)
            else:
                transfer = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
                _client().upload_fileobj(data, where.bucket, where.key, ExtraArgs=extra, Config=transfer)

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        """See Store.list."""
        where = locate(prefix_uri, key_needed=False)
        with _explained(prefix_uri):
            pages = _client().get_paginator("list_objects_v2").paginate(Bucket=where.bucket, Prefix=where.key)
            for page in pages:
                for item in page.get("Contents", ()):
                    # Keys that end in a slash mark folders; S3 consoles create them.
                    if not item["Key"].endswith("/"):
                        yield StoredObject(f"s3://{where.bucket}/{item['Key']}", item["Size"])

    def size(self, uri: str) -> int:
        """See Store.size."""
        where = locate(uri)
        with _explained(uri):
            return _client().head_object(Bucket=where.bucket, Key=where.key)["ContentLength"]

    def version(self, uri: str) -> StoredVersion:
        """See Store.version: the version's id, or the ETag in a bucket without versions."""
        where = locate(uri)
        with _explained(uri):
            found = _client().head_object(Bucket=where.bucket, Key=where.key)
        return StoredVersion(uri, found["ContentLength"], storage_versions.version_of(found))

    def versions(self, prefix_uri: str, *, after: str, most: int) -> Versions:
        """See Store.versions. A page of the server's listing at a time, in which earlier versions count too."""
        where, begin = locate(prefix_uri, key_needed=False), locate(after).key if after else ""
        with _explained(prefix_uri):
            return storage_versions.page(_client(), bucket=where.bucket, prefix=where.key, after=begin, most=most)

    def delete(self, uri: str) -> None:
        """See Store.delete."""
        where = locate(uri)
        with _explained(uri):
            _client().delete_object(Bucket=where.bucket, Key=where.key)

    def presign(self, uri: str, seconds: int) -> str | None:
        """See Store.presign. None when S3_PRESIGN is off: then browsers cannot reach the server themselves."""
        if not settings.S3_PRESIGN:
            locate(uri)
            return None
        return self.presign_inside(uri, seconds, endpoint=settings.S3_PUBLIC_ENDPOINT_URL)

    def presign_inside(self, uri: str, seconds: int, *, endpoint: str | None = None, action: str = "get_object") -> str:
        """A link that works without credentials, by default at the address by which this process reaches the server."""
        where = locate(uri)
        with _explained(uri):
            return _client(endpoint).generate_presigned_url(
                action, Params={"Bucket": where.bucket, "Key": where.key}, ExpiresIn=seconds
            )


def locate(uri: str, *, key_needed: bool = True) -> Location:
    """Bucket and key of an s3:// URI. Raises Invalid for a bad bucket, a missing key, or '..' in the key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not BUCKET.fullmatch(bucket):
        raise Invalid(f"{uri}: s3://bucket/key expected")
    if key_needed and not key:
        raise Invalid(f"{uri}: the key after the bucket is missing")
    if key:
        # S3 has keys that begin with a slash: scripts make them that join with one slash too many.
        safe_key(uri, key.lstrip("/") or key)
    return Location(bucket, key)


def prepare(uri: str) -> bool:
    """Create the bucket or the folder of `uri` if it does not exist; returns whether it was created.

    Other users of the machine may not enter a folder that is created here. Raises Forbidden when the bucket does not
    exist and the keys may not create it, StoreUnavailable.
    """
    if not uri.startswith("s3://"):
        folder = FileStore.key_path(uri)
        if folder.is_dir():
            return False
        private_folder(folder)
        return True
    bucket = locate(uri, key_needed=False).bucket
    try:
        with _explained(uri):
            _client().head_bucket(Bucket=bucket)
    except NotFound:
        # AWS requires the region for every region except us-east-1, and refuses it for that one.
        region = settings.S3_REGION
        extra = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with _explained(uri):
            _client().create_bucket(Bucket=bucket, **extra)
        return True
    return False


def close_to_others(uri: str) -> int:
    """Keep other users of this machine from what lies under a file:// URI; returns how much was open to them."""
    return 0 if uri.startswith("s3://") else storage_files.close_to_others(FileStore.key_path(uri))


def open_to_others(uri: str) -> str:
    """One file or folder under a file:// URI that other users of this machine may read or enter, "" if there is none.

    "" also for a store of another kind and for a folder that does not exist.
    """
    if uri.startswith("s3://") or not (folder := FileStore.key_path(uri)).is_dir():
        return ""
    return next((str(path) for path in storage_files.open_to_others(folder)), "")


def store_for(uri: str) -> Store:
    """The store that holds `uri`. Raises Invalid for a scheme that is neither s3 nor file."""
    if uri.startswith("s3://"):
        return S3Store()
    if uri.startswith("file://"):
        return FileStore(roots=(settings.STORE_URL, *(root.as_uri() for root in settings.STORE_FILE_ROOTS)))
    raise Invalid(f"{uri[:200]}: a URI that starts with s3:// or file:// expected")


def outside(uri: str) -> Store:
    """The store of a folder that the operator names themselves, such as one of backups: the S3 server of the settings,
    or that folder and nothing else of this machine's. Raises Invalid for another scheme."""
    if uri.startswith("s3://"):
        locate(uri, key_needed=False)
        return S3Store()
    if uri.startswith("file://"):
        return FileStore(roots=(uri,))
    raise Invalid(f"{uri[:200]}: a URI that starts with s3:// or file:// expected")


def open(uri: str, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
    """A stream of the object's bytes; use it with `with`. Raises NotFound, Forbidden, Invalid, StoreUnavailable."""
    return store_for(uri).open(uri, offset=offset, length=length)


def read(uri: str, *, limit: int | None = None) -> bytes:
    """All bytes of a small object. Raises Invalid above `limit` bytes, without having read more than that."""
    with open(uri) as stream:
        if limit is None:
            return stream.read()
        # Piece by piece: a read of `limit` bytes would take that much memory, however small the object is.
        pieces, left = [], limit + 1
        while left > 0 and (piece := stream.read(min(left, PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
    if left <= 0:
        raise Invalid(f"{uri}: is larger than {limit:,} bytes")
    return b"".join(pieces)


def write(uri: str, data: bytes | BinaryIO, *, content_type: str = "") -> None:
    """Store bytes or a stream whole: readers never see half an object."""
    store_for(uri).write(uri, data, content_type=content_type)


@contextmanager
def writer(uri: str, *, content_type: str = "") -> Iterator[BinaryIO]:
    """A file to write to; the object appears under `uri` when the block ends well, and not at all when it fails."""
    store = store_for(uri)
    with tempfile.TemporaryFile() as spool:
        yield cast(BinaryIO, spool)
        spool.seek(0)
        store.write(uri, cast(BinaryIO, spool), content_type=content_type)


def list(prefix_uri: str) -> Iterator[StoredObject]:
    """(uri, size) of every object under a prefix, page by page."""
    return store_for(prefix_uri).list(prefix_uri)


def size(uri: str) -> int:
    """Bytes of the object. Raises NotFound."""
    return store_for(uri).size(uri)


def exists(uri: str) -> bool:
    """Whether there is such an object; Forbidden and StoreUnavailable are still raised."""
    try:
        size(uri)
    except NotFound:
        return False
    return True


def version(uri: str) -> StoredVersion:
    """The object as it is now, with its version. Raises NotFound."""
    return store_for(uri).version(uri)


def versions(prefix_uri: str, *, after: str = "", most: int = 1000) -> Versions:
    """A part of the listing of a prefix, with versions: at most so many objects, those after the address `after`."""
    return store_for(prefix_uri).versions(prefix_uri, after=after, most=most)


def delete(uri: str) -> None:
    """Remove the object; nothing happens if there is none."""
    store_for(uri).delete(uri)


def presign(uri: str, seconds: int = 900) -> str | None:
    """A link for a browser, or None where the web application has to serve the bytes."""
    return store_for(uri).presign(uri, seconds)


def presign_for_programs(uri: str, seconds: int, *, action: str = "get_object") -> str | None:
    """A link by which a program reads (or, by "put_object", writes) an s3:// object without keys; None for a file.

    Unlike `presign` for the address by which the installation itself reaches the server, and whatever S3_PRESIGN says.
    """
    store = store_for(uri)
    return store.presign_inside(uri, seconds, action=action) if isinstance(store, S3Store) else None


def local_path(uri: str) -> Path | None:
    """The path of a file:// object, checked against the allowed folders; None for other stores."""
    store = store_for(uri)
    return store.path(uri) if isinstance(store, FileStore) else None


def join(base: str, *parts: str) -> str:
    """`base` and further key segments as one URI. Raises Invalid for an empty or absolute one, or '..'."""
    key = "/".join(part.rstrip("/") if n < len(parts) - 1 else part for n, part in enumerate(parts))
    safe_key(f"{base} + {key}", key)
    return f"{base.rstrip('/')}/{quote(key) if base.startswith('file://') else key}"


class _Body(io.RawIOBase):
    """An S3 response as a raw stream that names its URI when the connection breaks."""

    def __init__(self, body: Any, uri: str):
        self._body, self._uri = body, uri

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _explained(self._uri):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        with _explained(self._uri):
            return self._body.read()

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn boto3's errors into DomainErrors, with the URI and the server's message."""
    try:
        yield
    except ClientError as error:
        code, words = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code in MISSING:
            raise NotFound(f"{uri}: there is no such object ({code})") from None
        if code in DENIED:
            raise Forbidden(f"{uri}: access is denied ({code})") from None
        if code == "InvalidRange":
            raise Invalid(f"{uri}: the range lies outside the object") from None
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        kind = StoreFull if code in FULL or status == 507 else StoreUnavailable
        raise kind(f"{uri}: {code} {words}") from None
    except BotoCoreError as error:
        raise StoreUnavailable(f"{uri}: {error}") from None


def _client(endpoint: str | None = None) -> Any:
    # Connections must not be shared across a fork: the web server and the queue fork their workers.
    return _client_of(
        os.getpid(),
        endpoint or settings.S3_ENDPOINT_URL,
        settings.S3_ACCESS_KEY_ID,
        settings.S3_SECRET_ACCESS_KEY,
        settings.S3_REGION,
        settings.S3_ADDRESSING_STYLE,
    )


@lru_cache(maxsize=8)
def _client_of(_pid: int, endpoint: str | None, key_id: str | None, secret: str | None, region: str, style: str) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        region_name=region,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": style},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=32,
            # Servers other than AWS's do not all know the newer checksum headers.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
