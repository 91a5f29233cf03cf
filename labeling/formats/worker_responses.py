"""Worker response files and the keys of a job's output files, exactly as Ground Truth writes them.

It must not know who may read the files, nor in which store they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

OUTPUT_MANIFEST = "manifests/output/output.manifest"


@dataclass(frozen=True, slots=True)
class Identity:
    """A private worker's identity at the identity provider; public workers have none."""

    issuer: str
    sub: str
    provider_type: str = "Cognito"


@dataclass(frozen=True, slots=True)
class SubmittedAnswer:
    """One worker's answer to one task; `content` maps element names to their values, times are aware datetimes.

    `seconds` is active time, pauses left out. Old files carry neither acceptance time nor seconds.
    """

    worker_id: str
    content: Mapping[str, Any]
    submitted: datetime
    accepted: datetime | None = None
    seconds: float | None = None
    identity: Identity | None = None


def write_worker_response(answers: Iterable[SubmittedAnswer]) -> bytes:
    """The file of all answers to one object."""
    return orjson.dumps({"answers": [answer_record(answer) for answer in answers]})


def answer_record(answer: SubmittedAnswer) -> dict[str, Any]:
    """One entry of 'answers' (also of A2I's 'humanAnswers')."""
    record: dict[str, Any] = {}
    if answer.accepted is not None:
        record["acceptanceTime"] = instant(answer.accepted)
    record["submissionTime"] = instant(answer.submitted)
    if answer.seconds is not None:
        record["timeSpentInSeconds"] = round(answer.seconds, 3)
    record["answerContent"] = dict(answer.content)
    record["workerId"] = answer.worker_id
    if answer.identity is not None:
        identity = {
            "identityProviderType": answer.identity.provider_type,
            "issuer": answer.identity.issuer,
            "sub": answer.identity.sub,
        }
        record["workerMetadata"] = {"identityData": identity}
    return record


def read_worker_response(raw: bytes | str) -> list[SubmittedAnswer]:
    """The answers of a file, old ones included; raises ValueError naming the member that is wrong."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"worker response is not valid JSON (column {error.colno})") from None
    if not isinstance(document, dict) or not isinstance(document.get("answers"), list):
        raise ValueError("worker response: 'answers' is missing")
    return list(_read_answers(document["answers"]))


def _read_answers(records: list[Any]) -> Iterator[SubmittedAnswer]:
    for place, record in enumerate(records):
        where = f"answers[{place}]"
        if not isinstance(record, dict):
            raise ValueError(f"{where} must be an object")
        for name, kind in (("workerId", str), ("answerContent", dict), ("submissionTime", str)):
            if not isinstance(record.get(name), kind):
                raise ValueError(f"{where}.{name} is missing")
        data = (record.get("workerMetadata") or {}).get("identityData")
        identity = Identity(data["issuer"], data["sub"], data["identityProviderType"]) if data else None
        accepted = record.get("acceptanceTime")
        yield SubmittedAnswer(
            worker_id=record["workerId"],
            content=record["answerContent"],
            submitted=_read_instant(record["submissionTime"], f"{where}.submissionTime"),
            accepted=_read_instant(accepted, f"{where}.acceptanceTime") if accepted else None,
            seconds=record.get("timeSpentInSeconds"),
            identity=identity,
        )


def instant(moment: datetime) -> str:
    """'2020-12-28T18:59:15.191Z': UTC with milliseconds. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_instant(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise ValueError(f"{where} is not a time: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- keys under <output path>/<job name>/ ------------------------------------------------------------------------


def file_stamp(moment: datetime) -> str:
    """'2020-12-28_18:59:15', the name of response and consolidation files (UTC)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d_%H:%M:%S")


def worker_response_key(*, iteration: int, object_id: int, moment: datetime) -> str:
    """The key of the answers to one object; `object_id` is the zero-based line index of the input manifest."""
    return f"annotations/worker-response/iteration-{iteration}/{object_id}/{file_stamp(moment)}.json"


def consolidation_request_key(*, iteration: int, moment: datetime) -> str:
    """The key of the answers that are handed to consolidation."""
    folder = "annotations/consolidated-annotation/consolidation-request"
    return f"{folder}/iteration-{iteration}/{file_stamp(moment)}.json"


def consolidation_response_key(*, iteration: int, moment: datetime) -> str:
    """The key of the consolidated labels of one iteration."""
    folder = "annotations/consolidated-annotation/consolidation-response"
    return f"{folder}/iteration-{iteration}/{file_stamp(moment)}.json"


def mask_key(*, object_id: int, moment: datetime) -> str:
    """The key of a segmentation mask: '<objectId>_<timestamp with microseconds>.png'."""
    stamp = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"annotations/consolidated-annotation/output/{object_id}_{stamp}.png"
