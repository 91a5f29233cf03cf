"""What a renamed or merged class changes in a job: its labels, golds and reviews, and what is computed of them.

Knows no rule about names: services/jobs/classes.py does, which calls `apply` in its transaction. `settle` follows in
the advance of the job and may be killed anywhere: it is repeated until it has ended.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from labeling import subjects, task_types
from labeling.models import (
    AnswerReview,
    Assignment,
    ClassChange,
    ClassChangeKind,
    DataObject,
    Gold,
    Label,
    LabelingJob,
    ObjectState,
    WorkerModels,
    WorkerSkill,
)
from labeling.services.golds import scoring
from labeling.services.intake.loading import IMPORTED
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.results import consolidating, labels
from labeling.task_types.base import TaskType
from marketplace.services import reputation

Kind = TaskType[Any, Any]

log = logging.getLogger(__name__)

ALGORITHM = "class-change/1"
"""Of a label that came with its object, once its classes have other names: it is not the input's any more."""

CHUNK = 1000


def apply(job: LabelingJob, change: ClassChange) -> int:
    """Give everything that was decided of the job's objects the new name; returns how many labels named the class.

    Needs the transaction that changes the names, and the advance lock. `job` has the new names.
    """
    names = {change.old_name: change.new_name}
    kind = task_types.get(job.task_type)
    golds = list(Gold.objects.filter(queue=job.queue_id).order_by("pk"))
    for gold in golds:
        if (answer := _named(kind, gold.truth, change.old_name)) is not None:
            gold.truth = kind.value(kind.renamed(answer, names))
    Gold.objects.bulk_update(golds, ["truth"], batch_size=CHUNK)
    # Reviews before objects: whoever decides a review holds it when it locks the object.
    reviews = AnswerReview.objects.select_for_update(no_key=True).filter(queue=job.queue_id)
    for some in _chunks(reviews.filter(labels__contains=[change.old_name]).only("labels").order_by("pk")):
        for review in some:
            review.labels = sorted({names.get(label, label) for label in review.labels})
        AnswerReview.objects.bulk_update(some, ["labels"])
    written = _revise(job, change, names)
    # What was learned under the old names is learned again by `settle`.
    WorkerModels.objects.filter(job=job).delete()
    WorkerSkill.objects.filter(queue=job.queue_id).delete()
    return written


def settle(job: LabelingJob) -> int:
    """Make anew what follows from labels and answers whose classes have other names now; returns for how many changes.

    The caller holds the advance lock.
    """
    waiting = list(ClassChange.objects.filter(queue=job.queue_id, settled=False).order_by("pk"))
    if not waiting:
        return 0
    consolidating.refit(job=job)
    if any(change.kind == ClassChangeKind.MERGED for change in waiting):
        # Answers that differed may say the same now.
        consolidating.recompute(job=job)
    for some in _chunks(Assignment.objects.filter(queue=job.queue_id).order_by("pk").values_list("pk", flat=True)):
        for change in waiting:
            reputation.relabel(
                subject_type=subjects.ASSIGNMENT, subject_ids=some, old=change.old_name, new=change.new_name
            )
    for gold in Gold.objects.filter(queue=job.queue_id).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            scoring.score_again(Gold.objects.select_for_update(no_key=True).get(pk=gold))
    return ClassChange.objects.filter(pk__in=[change.pk for change in waiting]).update(settled=True)


def _revise(job: LabelingJob, change: ClassChange, names: Mapping[str, str]) -> int:
    """Append a revision to every label that names the class."""
    kind = task_types.get(job.task_type)
    labeled = DataObject.objects.filter(
        job=job, state__in=(ObjectState.HUMAN, ObjectState.MACHINE), label__isnull=False
    )
    written = 0
    for ids in _chunks(labeled.order_by("pk").values_list("pk", flat=True)):
        labels.lock_objects(ids)
        found: dict[tuple[str, str, str], list[labels.Revision]] = defaultdict(list)
        for label in Label.objects.filter(pk__in=DataObject.objects.filter(pk__in=ids).values("label")).order_by("pk"):
            if (answer := _named(kind, label.value, change.old_name)) is None:
                continue
            value = kind.value(kind.renamed(answer, names))
            algorithm = ALGORITHM if label.algorithm == IMPORTED else label.algorithm
            revision = labels.Revision(label.data_object_id, value, label.confidence, _explanation(label, change))
            found[label.source, algorithm, label.model_name].append(revision)
        for (source, algorithm, model_name), some in found.items():
            labels.write_revisions(some, source=source, algorithm=algorithm, model_name=model_name)
            written += len(some)
    return written


def _named(kind: Kind, value: Mapping[str, Any], label: str) -> Any:
    """The typed values of a stored label that names the class; None for another one."""
    try:
        answer = kind.read_value(value)
        return answer if label in kind.classes(answer) else None
    except OF_ONE_OBJECT:
        log.warning("a stored label cannot be read, and keeps its classes: %.200r", value)
        return None


def _chunks(rows: "QuerySet[Any, Any]") -> Iterator[list[Any]]:
    stream = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _explanation(label: Label, change: ClassChange) -> dict[str, Any]:
    """Which revision this one says under another name: the explanation stays there, with the names of its time."""
    before = label.explanation if "class_changes" in label.explanation else {}
    told = {"kind": str(change.kind), "from": change.old_name, "to": change.new_name, "by": change.changed_by}
    return {
        "of_revision": before.get("of_revision", label.revision),
        "class_changes": [*before.get("class_changes", []), told],
    }


def names_since(explanation: Mapping[str, Any]) -> dict[str, str]:
    """Old name -> new name of the classes that a revision says under another name than the one it is made of."""
    names: dict[str, str] = {}
    changes: Iterable[Mapping[str, str]] = explanation.get("class_changes", ())
    for change in changes:
        names = {old: change["to"] if now == change["from"] else now for old, now in names.items()}
        names[change["from"]] = change["to"]
    return names
