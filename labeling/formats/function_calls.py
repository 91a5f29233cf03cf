"""Requests to pre- and post-annotation functions and their answers, as Ground Truth exchanges them with Lambda.

Knows neither how a function is reached nor what is done with an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from labeling.formats.answers import AnswerError
from labeling.formats.form_answers import read_form

VERSION = "2018-10-16"
NEEDS_PEOPLE = ("isHumanAnnotationRequired", "humanAnnotationRequired")
"""The member that says whether people are asked; the second name is that of older functions."""
SOURCES = ("source-ref", "source")
_QUOTED = 200
"""Characters of a wrong value that an error quotes."""


class FunctionAnswerError(ValueError):
    """An answer that is not what the contract says; the text names the member."""


@dataclass(frozen=True)
class Prepared:
    """What a pre-annotation function answers: `task.input` of the template, and whether people are asked."""

    task_input: dict[str, Any]
    needs_people: bool


def pre_request(*, job_arn: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a pre-annotation function; `line` is the whole manifest line."""
    return {"version": VERSION, "labelingJobArn": job_arn, "dataObject": dict(line)}


def read_pre_response(answer: Any) -> Prepared:
    """Raises FunctionAnswerError naming the member that is wrong.

    Without `taskInput` people need none, so it may be missing when they are not asked.
    """
    if not isinstance(answer, Mapping):
        raise FunctionAnswerError(f"an object with 'taskInput' expected, found {_found(answer)}")
    needs_people = _needs_people(answer)
    given = answer.get("taskInput")
    if not isinstance(given, Mapping) and (needs_people or given is not None):
        raise FunctionAnswerError(f"'taskInput': an object expected, found {_found(given)}")
    return Prepared(_stored(given, "taskInput") if given else {}, needs_people)


def _needs_people(answer: Mapping[str, Any]) -> bool:
    """True or false, also as text and in any case, as functions in use write it; true where it is left out."""
    for name in NEEDS_PEOPLE:
        value = answer.get(name)
        if value is None:
            continue
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise FunctionAnswerError(f"'{name}': true or false expected, found {_found(value)}")
    return True


def post_request(
    *,
    job_arn: str,
    label_attribute_name: str,
    label_categories: Sequence[str],
    role_arn: str,
    output_config: str,
    payload: Mapping[str, str],
) -> dict[str, Any]:
    """The event of a post-annotation function; `payload` says where the answers are: {"s3Uri": ...}."""
    return {
        "version": VERSION,
        "labelingJobArn": job_arn,
        "labelCategories": list(label_categories),
        "labelAttributeName": label_attribute_name,
        "roleArn": role_arn,
        "outputConfig": output_config,
        "payload": dict(payload),
    }


def payload_entry(
    object_id: int, *, source_ref: str, text: str | None, answers: Sequence[tuple[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """An object of the payload file with the answers to it, (worker, answer) each. `text` is an inline `source`."""
    return {
        "datasetObjectId": str(object_id),
        "dataObject": {"s3Uri": source_ref} if text is None else {"content": text},
        "annotations": [
            {"workerId": worker, "annotationData": {"content": json_text(content)}} for worker, content in answers
        ],
    }


def read_post_response(
    answer: Any, *, object_ids: Sequence[int], attribute: str
) -> dict[int, dict[str, Any] | FunctionAnswerError]:
    """By each of the objects what its manifest line gets, or what is wrong with that.

    Raises FunctionAnswerError for an answer that is wrong as a whole.
    """
    if not isinstance(answer, list):
        raise FunctionAnswerError(f"a list with one entry an object expected, found {_found(answer)}")
    entries: dict[int, list[Any]] = {number: [] for number in object_ids}
    known = {str(number): number for number in object_ids}
    for place, entry in enumerate(answer):
        number = str(entry.get("datasetObjectId")) if isinstance(entry, Mapping) else ""
        if number not in known:
            raise FunctionAnswerError(f"[{place}].datasetObjectId: {_found(number)}, which was not sent")
        entries[known[number]].append(entry)
    return {number: _one_content(found, attribute) for number, found in entries.items()}


def _one_content(entries: Sequence[Any], attribute: str) -> dict[str, Any] | FunctionAnswerError:
    if len(entries) != 1:
        return FunctionAnswerError(f"{len(entries)} entries for this object found, one expected")
    made = entries[0].get("consolidatedAnnotation")
    content = made.get("content") if isinstance(made, Mapping) else None
    if not isinstance(content, Mapping):
        return FunctionAnswerError(f"'consolidatedAnnotation.content': an object expected, found {_found(content)}")
    if content.get(attribute) is None:
        keys = ", ".join(sorted(str(key) for key in content))[:_QUOTED]
        return FunctionAnswerError(f"'consolidatedAnnotation.content' has no {attribute!r}; it has {keys or 'nothing'}")
    metadata = content.get(f"{attribute}-metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        return FunctionAnswerError(f"'{attribute}-metadata': an object expected, found {_found(metadata)}")
    if wrong := [key for key in content if key in SOURCES or str(key).startswith("$")]:
        return FunctionAnswerError(f"'consolidatedAnnotation.content' may not change {wrong[0]!r}")
    try:
        return _stored(content, "consolidatedAnnotation.content")
    except FunctionAnswerError as error:
        return error


def _stored(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """JSON that can be stored, rebuilt member by member."""
    try:
        return read_form(value)
    except AnswerError as error:
        raise FunctionAnswerError(f"'{where}': {error}") from None


def json_text(value: Any) -> str:
    """A value as JSON."""
    return orjson.dumps(value).decode()


def _found(value: Any) -> str:
    text = json_text(value) if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
    return text[:_QUOTED]
