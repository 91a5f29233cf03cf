"""Answers by task type: checks submitted answers, reads stored ones. Knows no seats and no money.

What is stored is rebuilt from the typed values that were read, never the JSON that was sent: a field that nobody reads
may hold anything, and would be a burden to everybody who reads the answer later.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from labeling import task_types
from labeling.formats import answers, label_attributes, label_config
from labeling.formats.label_attributes import Declared
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid

MAX_CHARACTERS = 2_000_000
"""Far more than a real answer needs: a thousand boxes are about 100 kB."""

NO_OTHER_NAMES: Mapping[str, str] = {}
"""Of a job whose classes have the names that they had from the start."""

NO_CONFIG: Mapping[str, Any] = {}
"""Of a job whose labels have no attributes."""

_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""The escape of NUL in JSON, which PostgreSQL cannot store; after an odd number of backslashes it is ordinary text."""


class Checked(NamedTuple):
    """The typed values of an answer, and the JSON text for the database that was rebuilt from them."""

    answer: Any
    text: str


def checked(
    content: Any,
    *,
    task_type: str,
    labels: Sequence[str],
    size: tuple[int, int],
    earlier: Mapping[str, str] = NO_OTHER_NAMES,
    config: Mapping[str, Any] = NO_CONFIG,
) -> Checked:
    """The answer that was sent, read and as it is stored.

    Raises Invalid naming the field that is wrong. `size` is the displayed width and height of the image in pixels,
    `earlier` are the names that classes had (WorkQueue.earlier_labels), which a page may still show, `config` is
    WorkQueue.label_category_config.
    """
    try:
        answer = read(content, task_type=task_type, labels=labels, size=size, earlier=earlier, config=config)
    except answers.AnswerError as error:
        raise Invalid(str(error), field=f"answer.{error.field}") from None
    try:
        parsed = task_types.get(task_type).write_answer(answer, size=size)
        text = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, TypeError) as error:
        raise Invalid(f"the answer is not JSON that can be stored: {error}", field="answer") from None
    if _NUL.search(text):
        raise Invalid("the answer holds a NUL character", field="answer")
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"the answer has {len(text)} characters, at most {MAX_CHARACTERS} expected", field="answer")
    return Checked(answer, text)


def read(
    content: Mapping[str, Any],
    *,
    task_type: str,
    labels: Sequence[str],
    size: tuple[int, int],
    earlier: Mapping[str, str] = NO_OTHER_NAMES,
    config: Mapping[str, Any] = NO_CONFIG,
) -> Any:
    """The typed values of an answer. Raises AnswerError for a bad answer, Invalid for an unknown task type."""
    try:
        kind = task_types.get(task_type)
    except task_types.UnknownTaskType as error:
        raise Invalid(f"answers of {task_type!r} cannot be read: {error}", field="task_type") from None
    answer = kind.read_stored(content, labels=labels, earlier=earlier, size=size)
    if not kind.attributed:
        return answer
    return _attributed(kind, answer, label_config.declared(config), changed=bool(earlier))


def _attributed(kind: TaskType[Any, Any], answer: Any, declared: Declared, *, changed: bool) -> Any:
    """The answer with those attributes of its shapes that count. Raises AnswerError for one that is wrong.

    Earlier labels that people adjust may have attributes that this job does not ask for, and keep them. Once a class
    was renamed or merged (`changed`), a page that was opened before may show others than the job has: only what is
    known of its attributes counts then, and none is missing.
    """
    given = kind.attributes(answer)
    if not declared or changed:
        if kind.adjusts or not any(values for _, values in given):
            return answer
        return kind.with_attributes(answer, [declared.known(label, values) for label, values in given])
    for place, (label, values) in enumerate(given):
        asked = {one.name for one in declared.of(label)}
        if kind.adjusts:
            values = tuple((name, value) for name, value in values if name in asked)
        if problem := declared.problem(label, values):
            name, reason = problem
            where = f"{kind.element.name}.{kind.attributed}[{place}].{label_attributes.KEY}.{name}"
            raise answers.AnswerError(where, reason)
    return answer


def as_stored(
    text: str, *, task_type: str, labels: Sequence[str], earlier: Mapping[str, str], size: tuple[int, int]
) -> dict[str, Any]:
    """A stored answer, given as its JSON text, for the output: JSON that can be written again, with today's classes.

    Answers that earlier versions stored may hold fields that cannot; of those only what can be read is left, which may
    be nothing.
    """
    try:
        content = orjson.loads(text)
        orjson.dumps(content)
    except (ValueError, TypeError):
        content = None
    if isinstance(content, dict) and not earlier:
        return content
    kind = task_types.get(task_type)
    try:
        answer = kind.read_stored(orjson.loads(text), labels=labels, earlier=earlier, size=size)
        return kind.write_answer(answer, size=size)
    except OF_ONE_OBJECT:
        return content if isinstance(content, dict) else {}
