"""The stories of the ground floor speak to real S3 servers."""

from tests.object_stores import make_bucket, s3_servers

__all__ = ["make_bucket", "s3_servers"]
