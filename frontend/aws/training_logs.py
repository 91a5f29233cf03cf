"""The logs of trainings as CloudWatch Logs has them: the group /aws/sagemaker/TrainingJobs, a stream for each training.

`fit(logs=True)` of SageMaker's SDK reads them. The lines of a log have no times of their own: each is told with the
time at which the training began.
"""

from typing import Any

from frontend.aws.registry import Call, operation
from learning import queries
from learning.models import TrainingJob
from learning.services import run_records
from marketplace import strict
from marketplace.errors import Invalid, NotFound
from marketplace.ranges import Range

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "/algo-1-"
EVENTS = 10_000
"""Events of an answer whose number is not given, as AWS has it."""

STREAMS = 50
"""Streams of an answer whose number is not given, as AWS has it."""

_PLACES = Range(0, 10**12)
_BY_NAME = "Streams are told by name, which begins with that of the training."
_OTHER = "Logs are those of the account, by the name of their group."


@operation(
    "logs",
    "DescribeLogStreams",
    fields={"group": "logGroupName", "prefix": "logStreamNamePrefix"},
    ignored={"orderBy": _BY_NAME},
    refused={"logGroupIdentifier": _OTHER},
)
def describe_log_streams(
    call: Call,
    *,
    logGroupName: str | None = None,
    logStreamNamePrefix: str | None = None,
    descending: bool | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The streams of trainings that have begun, by the name of the training."""
    _check_group(logGroupName)
    rows = queries.trainings(call.account).exclude(started_at=None)
    prefix = logStreamNamePrefix or ""
    if STREAM[:1] in prefix:
        rows = rows.filter(name=prefix.partition("/")[0])
    elif prefix:
        rows = rows.filter(name__startswith=prefix)
    if nextToken is not None:
        # A training's name is unique, so it says where the next page begins.
        rows = rows.filter(**{"name__lt" if descending else "name__gt": nextToken})
    size = limit or STREAMS
    page = list(rows.order_by("-name" if descending else "name")[: size + 1])
    streams = [_stream(run) for run in page[:size]]
    found = [one for one in streams if one["logStreamName"].startswith(prefix)]
    return {"logStreams": found, "nextToken": page[size - 1].name if len(page) > size else None}


@operation(
    "logs",
    "GetLogEvents",
    fields={"group": "logGroupName", "token": "nextToken"},
    ignored={"unmask": "Nothing is masked."},
    refused={"logGroupIdentifier": _OTHER},
)
def get_log_events(
    call: Call,
    *,
    logStreamName: str,
    logGroupName: str | None = None,
    startTime: int | None = None,
    endTime: int | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
    startFromHead: bool | None = None,
) -> dict[str, Any]:
    """The lines of a training's log: the last ones, or those from the head on."""
    _check_group(logGroupName)
    run = queries.trainings(call.account).filter(name=logStreamName.partition("/")[0]).first()
    if run is None or run.started_at is None or _name(run) != logStreamName:
        raise NotFound("The specified log stream does not exist.")
    moment = _milliseconds(run)
    within = (startTime is None or startTime <= moment) and (endTime is None or moment < endTime)
    lines = run_records.log_lines(run) if within else []
    size = limit or EVENTS
    begin, end = _part(len(lines), size, nextToken, bool(startFromHead))
    events = [{"timestamp": moment, "message": line, "ingestionTime": moment} for line in lines[begin:end]]
    return {"events": events, "nextForwardToken": f"f/{end}", "nextBackwardToken": f"b/{begin}"}


def _check_group(name: str | None) -> None:
    if name != GROUP:
        raise NotFound(f"The specified log group does not exist; {GROUP} does.")


def _part(count: int, size: int, token: str | None, from_head: bool) -> tuple[int, int]:
    """The first line of an answer, and the one behind its last. Raises Invalid for a token that was never given."""
    if token is None:
        return (0, min(size, count)) if from_head else (max(0, count - size), count)
    direction, _, place = token.partition("/")
    number = strict.whole_number(place, allowed=_PLACES)
    if direction not in ("f", "b") or number is None:
        raise Invalid("The specified nextToken is invalid.", field="token")
    at = min(number, count)
    return (at, min(count, at + size)) if direction == "f" else (max(0, at - size), at)


def _milliseconds(run: TrainingJob) -> int:
    assert run.started_at is not None
    return int(run.started_at.timestamp() * 1000)


def _name(run: TrainingJob) -> str:
    return f"{run.name}{STREAM}{_milliseconds(run) // 1000}"


def _stream(run: TrainingJob) -> dict[str, Any]:
    moment = _milliseconds(run)
    return {
        "logStreamName": _name(run),
        "creationTime": moment,
        "firstEventTimestamp": moment,
        "lastEventTimestamp": moment,
        "lastIngestionTime": moment,
    }
