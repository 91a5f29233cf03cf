"""Answers by task type: checks submitted answers, reads stored ones. Knows no seats and no money."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labeling import task_types
from labeling.formats import answers
from marketplace.errors import Invalid

MAX_CHARACTERS = 2_000_000
"""Far more than a real answer needs: a thousand boxes are about 100 kB."""


def checked(content: Any, *, task_type: str, labels: Sequence[str], size: tuple[int, int]) -> str:
    """The answer as JSON text for the database. Raises Invalid naming the field that is wrong.

    `size` is the displayed width and height of the image in pixels.
    """
    try:
        read(content, task_type=task_type, labels=labels, size=size)
    except answers.AnswerError as error:
        raise Invalid(str(error), field=f"answer.{error.field}") from None
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, TypeError) as error:
        raise Invalid(f"the answer is not JSON that can be stored: {error}", field="answer") from None
    if "\\u0000" in text:
        raise Invalid("the answer holds a NUL character", field="answer")
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"the answer has {len(text)} characters, at most {MAX_CHARACTERS} expected", field="answer")
    return text


def read(content: Mapping[str, Any], *, task_type: str, labels: Sequence[str], size: tuple[int, int]) -> Any:
    """The typed values of an answer. Raises AnswerError for a bad answer, Invalid for an unknown task type."""
    try:
        kind = task_types.get(task_type)
    except task_types.UnknownTaskType as error:
        raise Invalid(f"answers of {task_type!r} cannot be read: {error}", field="task_type") from None
    return kind.read_answer(content, labels=labels, size=size)
