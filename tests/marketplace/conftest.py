"""The S3 servers that tests of storage use, and the server of SNS, SQS and EventBridge."""

from tests.aws_server import aws
from tests.object_stores import make_bucket, s3_servers

__all__ = ["aws", "make_bucket", "s3_servers"]
