"""What stores report about new objects: addresses are read out of the reports' forms. Pure.

Known are S3's event notifications (Amazon S3, MinIO, Ceph), the same inside an SNS message, and S3's events of
EventBridge.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson

from marketplace.errors import Invalid

MOST = 1000
"""Objects of one report."""


def addresses(body: bytes) -> list[str]:
    """The s3:// addresses of the objects that a report says were created; none for a report about something else.

    Raises Invalid for what is no report of a known form.
    """
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"the report is no JSON: {error}") from None
    return _addresses(read)


def _addresses(read: Any) -> list[str]:
    if not isinstance(read, Mapping):
        raise Invalid("the report is no JSON object")
    if read.get("Type") == "Notification" and isinstance(read.get("Message"), str):
        return addresses(read["Message"].encode())
    if read.get("Event") == "s3:TestEvent":
        return []
    if isinstance(read.get("Records"), list):
        if len(read["Records"]) > MOST:
            raise Invalid(f"the report has {len(read['Records'])} records, at most {MOST} expected", field="Records")
        found = [_of_record(record, place) for place, record in enumerate(read["Records"])]
        return [address for address in found if address]
    if isinstance(read.get("detail"), Mapping):
        return _of_detail(str(read.get("detail-type")), read["detail"])
    raise Invalid("the report has neither 'Records', as S3 sends them, nor a 'detail', as EventBridge does")


def _of_record(record: Any, place: int) -> str:
    try:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        name = str(record.get("eventName", ""))
    except (TypeError, KeyError):
        raise Invalid("'s3' with a 'bucket' and an 'object' expected", field=f"Records[{place}]") from None
    # Keys in these reports are encoded as in a form; names come with and without "s3:".
    created = name.removeprefix("s3:").startswith("ObjectCreated")
    return f"s3://{bucket}/{unquote_plus(str(key))}" if created else ""


def _of_detail(kind: str, detail: Mapping[str, Any]) -> list[str]:
    if kind != "Object Created":
        return []
    try:
        return [f"s3://{detail['bucket']['name']}/{detail['object']['key']}"]
    except (TypeError, KeyError):
        raise Invalid("'bucket' and 'object' expected", field="detail") from None
