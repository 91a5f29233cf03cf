"""What stores report about new objects: addresses are read out of the reports' forms. Pure.

Known are S3's event notifications (Amazon S3, MinIO, Ceph), the same inside an SNS message, and S3's events of
EventBridge.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import orjson

from marketplace.errors import Invalid

MOST = 1000
"""Objects of one report."""


class Created(NamedTuple):
    """An object that was created: its s3:// address, and the store's number of the event, "" where it tells none."""

    uri: str
    sequencer: str


def addresses(body: bytes) -> list[str]:
    """The s3:// addresses of the objects that a report says were created; none for a report about something else.

    Raises Invalid for what is no report of a known form.
    """
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"the report is no JSON: {error}") from None
    return [one.uri for one in created(read)]


def is_report(read: Any) -> bool:
    """Whether JSON that was read has the form of a report of S3."""
    if not isinstance(read, Mapping):
        return False
    return read.get("Event") == "s3:TestEvent" or isinstance(read.get("Records"), list) or "detail-type" in read


def created(read: Any) -> list[Created]:
    """The objects that a report, read from JSON, says were created. Raises Invalid as `addresses`."""
    if not isinstance(read, Mapping):
        raise Invalid("the report is no JSON object")
    if read.get("Type") == "Notification" and isinstance(read.get("Message"), str):
        try:
            return created(orjson.loads(read["Message"]))
        except orjson.JSONDecodeError as error:
            raise Invalid(f"the report is no JSON: {error}") from None
    if read.get("Event") == "s3:TestEvent":
        return []
    if isinstance(read.get("Records"), list):
        if len(read["Records"]) > MOST:
            raise Invalid(f"the report has {len(read['Records'])} records, at most {MOST} expected", field="Records")
        found = [_of_record(record, place) for place, record in enumerate(read["Records"])]
        return [one for one in found if one is not None]
    if isinstance(read.get("detail"), Mapping):
        return _of_detail(str(read.get("detail-type")), read["detail"])
    raise Invalid("the report has neither 'Records', as S3 sends them, nor a 'detail', as EventBridge does")


def _of_record(record: Any, place: int) -> Created | None:
    try:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        name, sequencer = str(record.get("eventName", "")), str(record["s3"]["object"].get("sequencer", ""))
    except (TypeError, KeyError, AttributeError):
        raise Invalid("'s3' with a 'bucket' and an 'object' expected", field=f"Records[{place}]") from None
    # Keys in these reports are encoded as in a form; names come with and without "s3:".
    is_new = name.removeprefix("s3:").startswith("ObjectCreated")
    return Created(f"s3://{bucket}/{unquote_plus(str(key))}", sequencer) if is_new else None


def _of_detail(kind: str, detail: Mapping[str, Any]) -> list[Created]:
    if kind != "Object Created":
        return []
    try:
        uri = f"s3://{detail['bucket']['name']}/{detail['object']['key']}"
        return [Created(uri, str(detail["object"].get("sequencer", "")))]
    except (TypeError, KeyError, AttributeError):
        raise Invalid("'bucket' and 'object' expected", field="detail") from None
