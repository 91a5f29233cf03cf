"""How a job uses golds: the rate, where they come from, from which score an answer passes. Changeable while it runs."""

import secrets
from typing import Any

from django.db import transaction

from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.models import LabelingJob, WorkQueue
from labeling.queries import golds
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid, WrongState
from marketplace.ranges import Range
from marketplace.services import audit

RATE = Range(0, 50)
"""Percent of the tasks that are golds; 0 gives none."""

MOST = Range(1, 500)
"""Golds that are taken from a manifest."""

MINT = Range(0, 500)
"""Golds that are made of unanimous objects."""

PASS_MARK = Range(0.05, 1)
"""The score from which an answer to a gold passes."""

DEFAULTS: dict[str, Any] = {"rate": 0, "attribute": "", "most": 100, "mint": 0, "pass_mark": golds.PASS_MARK}

_RANGES = {"rate": RATE, "most": MOST, "mint": MINT, "pass_mark": PASS_MARK}
_WHOLE = ("most", "mint")


def complete(given: dict[str, Any], kind: TaskType[Any, Any] | None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The options with their defaults, {} for none at all; and what is wrong with them: (field, reason)."""
    given = {key: value for key, value in given.items() if value is not None}
    if not given:
        return {}, []
    found, errors = DEFAULTS | given, []
    for name, allowed in _RANGES.items():
        value = found[name]
        whole = name in _WHOLE
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value not in allowed:
            number = "a whole number" if whole else "a number"
            errors.append((f"golds.{name}", f"{value!r} found, {number} of {allowed} expected"))
    if found["attribute"]:
        try:
            validate_label_attribute_name(found["attribute"], kind.name if kind else "", is_file=False)
        except ValueError as error:
            errors.append(("golds.attribute", str(error)))
    errors += [("golds", f"{name!r} is no option of golds") for name in sorted(found.keys() - DEFAULTS.keys())]
    return found, errors


def of(job: LabelingJob) -> dict[str, Any]:
    """The job's options with the defaults of those that it does not have."""
    options: dict[str, Any] = DEFAULTS | job.golds
    return options


def columns(options: dict[str, Any]) -> dict[str, Any]:
    """The columns of a new work queue for these options."""
    rate = options.get("rate", 0)
    return {"gold_rate": rate / 100, "gold_salt": new_salt() if rate else 0}


def new_salt() -> int:
    """A secret number, never 0, from which it follows which tasks are golds."""
    return secrets.randbelow(2**62) + 1


def change(*, job: LabelingJob, by: str, **changes: Any) -> LabelingJob:
    """Change rate, mint or pass_mark of a job that is not over; what is left out, or None, stays.

    The rate holds from the next claim on, within what the open batch has set aside for golds. Raises Invalid naming
    each field that is wrong, WrongState for a job that is over.
    """
    wanted = {name: value for name, value in changes.items() if value is not None}
    options, errors = complete(of(job) | wanted | {"attribute": ""}, None)
    if errors:
        raise Invalid(
            "the golds cannot be changed", errors=[(name.removeprefix("golds."), said) for name, said in errors]
        )
    with transaction.atomic():
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if locked.status not in ("Initializing", "InProgress"):
            raise WrongState(f"the labeling job is {locked.status}, its golds cannot be changed", field="status")
        locked.golds = of(locked) | {name: options[name] for name in wanted}
        locked.save(update_fields=["golds"])
        queue = WorkQueue.objects.select_for_update(no_key=True).get(pk=locked.queue_id)
        queue.gold_rate = locked.golds["rate"] / 100
        queue.gold_salt = queue.gold_salt or (new_salt() if queue.gold_rate else 0)
        queue.save(update_fields=["gold_rate", "gold_salt"])
        said = ", ".join(f"{name} {value:g}" for name, value in sorted(wanted.items()))
        audit.record(locked, by=by, because=f"golds: {said}", to_status=locked.status)
    job.refresh_from_db()
    return job
