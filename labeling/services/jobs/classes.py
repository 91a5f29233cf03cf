"""The classes of a job after labels exist: renamed, or merged into another one.

One transaction changes the queue's names, writes a revision of every label that names the class, and changes golds and
reviews with them, so that whatever is killed, all of it is done or none. Answers are never changed: they keep the names
of their time, and are read with the names of today (TaskType.read_stored). A name therefore belongs to one class of a
job for good. What is computed of answers and labels follows soon after (services/results/class_changes.py).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import hooks, task_types
from labeling.formats import label_config
from labeling.models import ClassChange, ClassChangeKind, Gold, LabelingJob, WorkQueue
from labeling.services.jobs import design
from labeling.services.queue import advance_requests
from labeling.services.queue.locking import advance_lock
from labeling.services.results import class_changes
from marketplace.errors import Invalid, WrongState
from marketplace.services import audit

CHANGEABLE = ("InProgress", "Completed", "Stopped")
"""The statuses of a job whose classes can be renamed and merged."""

TRIES = 20
WAIT_SECONDS = 0.25
"""How often, and after how long, the advance lock is tried for: a step of an advance takes a moment."""

BUSY = "the job's labels are being worked on at this moment: try again in a minute"
NAMED = 20
"""Classes that a refusal names at most."""


def rename(*, job: LabelingJob, label: str, name: str, by: str) -> ClassChange:
    """Give the class `label` another name, wherever it stands; its place among the classes stays.

    Raises Invalid naming the field for an unknown class or a name that is taken or was another class's, WrongState for
    a job that has not begun or failed, whose task type cannot rename, or that is being worked on (try again). When it
    raises, nothing has changed.
    """
    return _change(job, ClassChangeKind.RENAMED, label, name, by)


def merge(*, job: LabelingJob, label: str, into: str, by: str) -> ClassChange:
    """Make the class `label` a part of the class `into`, for good; later classes move up by one place.

    Raises as `rename`; Invalid, too, when the job would be left with fewer classes than its task type needs.
    """
    return _change(job, ClassChangeKind.MERGED, label, into, by)


def history(job: LabelingJob) -> QuerySet[ClassChange]:
    """What was renamed and merged, newest first."""
    return ClassChange.objects.filter(queue=job.queue_id).order_by("-pk")


def of(job: LabelingJob) -> list[dict[str, Any]]:
    """The classes in the order of the class index: {"index", "label", "earlier": the names it had}."""
    had: dict[str, list[str]] = {label: [] for label in job.labels}
    for name, label in job.earlier_labels.items():
        had[label].append(name)
    return [{"index": n, "label": label, "earlier": sorted(names)} for n, (label, names) in enumerate(had.items())]


def refusal(job: LabelingJob) -> str:
    """Why the job's classes cannot be renamed or merged; "" when they can."""
    kind = task_types.get(job.task_type)
    if not kind.renamable:
        return f"{kind.title}: only its template knows where an answer names a class, so classes keep their names"
    if job.status not in CHANGEABLE:
        return f"the labeling job is {job.status}; classes are renamed once it has begun, and not if it failed"
    return ""


def _change(job: LabelingJob, how: str, old: str, new: str, by: str) -> ClassChange:
    with _alone(job), transaction.atomic():
        # Golds before the queue's row, as whoever corrects one.
        list(Gold.objects.select_for_update(no_key=True).filter(queue=job.queue_id).order_by("pk").values_list("pk"))
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        queue = WorkQueue.objects.select_for_update(no_key=True).get(pk=job.queue_id)
        locked.queue = queue
        if reason := refusal(locked):
            raise WrongState(reason, field="status")
        before = list(queue.labels)
        after = _renamed(locked, old, new) if how == ClassChangeKind.RENAMED else _merged(locked, old, new)
        for listener in hooks.classes_change:
            listener(job.pk, before, old, new)
        # A class can be renamed back: then its present name is the earlier one.
        earlier = {name: new if now == old else now for name, now in queue.earlier_labels.items() if name != new}
        queue.labels, queue.earlier_labels = after, earlier | {old: new}
        queue.label_category_config = label_config.renamed(
            queue.label_category_config, old, new if how == ClassChangeKind.RENAMED else None
        )
        queue.save(update_fields=["labels", "earlier_labels", "label_category_config"])
        change = ClassChange(
            queue=queue, kind=how, old_name=old, new_name=new, changed_by=by, changed_at=timezone.now()
        )
        change.labels = class_changes.apply(locked, change)
        change.save()
        said = f"class {old!r} renamed to {new!r}" if how == ClassChangeKind.RENAMED else f"{old!r} merged into {new!r}"
        audit.record(locked, by=by, because=f"{said}; {change.labels} labels name it", to_status=locked.status)
        advance_requests.request_advance(queue.pk)
    job.queue.refresh_from_db(fields=["labels", "earlier_labels", "label_category_config"])
    return change


@contextmanager
def _alone(job: LabelingJob) -> Iterator[None]:
    """While nobody else makes labels of the job's answers. Raises WrongState when somebody does for too long."""
    for left in reversed(range(TRIES)):
        with advance_lock(job.queue_id) as held:
            if held:
                yield
                return
        if left:
            time.sleep(WAIT_SECONDS)
    raise WrongState(BUSY, field="status")


def _renamed(job: LabelingJob, old: str, new: str) -> list[str]:
    """The classes with `new` in the place of `old`."""
    _must_have(job, old, "label")
    if new in job.labels:
        said = "this is its name" if new == old else f"there is a class {new!r} already: merge {old!r} into it instead"
        raise Invalid(said, field="name")
    if (now := job.earlier_labels.get(new, old)) != old:
        said = f"{new!r} was the name of what is {now!r} now, and answers still have it: choose a name that is new"
        raise Invalid(said, field="name")
    after = [new if label == old else label for label in job.labels]
    _must_do(job, after, "name")
    return after


def _merged(job: LabelingJob, old: str, into: str) -> list[str]:
    """The classes without `old`."""
    _must_have(job, old, "label")
    _must_have(job, into, "into")
    if old == into:
        raise Invalid("a class cannot be merged into itself", field="into")
    after = [label for label in job.labels if label != old]
    fewest = task_types.get(job.task_type).fewest_labels
    if len(after) < fewest:
        raise Invalid(f"{len(after)} left, and jobs of this type have at least {fewest} classes", field="label")
    return after


def _must_have(job: LabelingJob, label: str, field: str) -> None:
    if label in job.labels:
        return
    if label in job.earlier_labels:
        raise Invalid(f"the class {label!r} is {job.earlier_labels[label]!r} now", field=field)
    named = ", ".join(repr(one) for one in job.labels[:NAMED]) + (", …" if len(job.labels) > NAMED else "")
    raise Invalid(f"the job has no class {label!r}; it has {named}", field=field)


def _must_do(job: LabelingJob, labels: Sequence[str], field: str) -> None:
    """Raises Invalid with what a job that is created with such classes is refused for."""
    if wrong := design.label_errors(list(labels), task_types.get(job.task_type)):
        raise Invalid(wrong[0][1], field=field)
