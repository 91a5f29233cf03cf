"""The S3 servers that tests of storage use."""

from tests.object_stores import make_bucket, s3_servers

__all__ = ["make_bucket", "s3_servers"]
