"""Golds that no member makes: from the truths of the input manifest, and of objects on which all answers agreed."""

import random
from itertools import islice

import orjson
from django.db import transaction

from labeling import task_types
from labeling.formats import augmented_reading
from labeling.models import (
    Assignment,
    AssignmentStatus,
    Batch,
    DataObject,
    Gold,
    GoldSource,
    Label,
    LabelingJob,
    LabelSource,
    ObjectLine,
    ObjectState,
)
from labeling.services import one_by_one
from labeling.services.golds import keeping, options, scoring
from labeling.services.intake import inspection, label_files
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.results import adjudication, labels
from marketplace.errors import Invalid

CHUNK = 100
"""Lines that are read, and images that are inspected, together."""

LARGEST_SHARE = 5
"""At most one object in so many becomes a gold: the others are what the job is for."""

UNANIMOUS = 0.9
"""How far each answer must agree with the label of an object that becomes a gold."""

SURE = 0.95
"""The confidence that its label must have."""

FEWEST_ANSWERS = 3
"""The answers that it must have."""

LOOKED_AT = 500
"""Objects of a batch that are considered, the surest first."""


def take_from_manifest(job: LabelingJob) -> None:
    """Make golds of objects whose line has the truth; at most as many as the job wants, chosen at random.

    Their labels are the requester's own then, and people are not asked anew. Lines that cannot be used are counted in
    `job.golds`. Safe to repeat. Raises Invalid when no line can be used.
    """
    wanted = options.of(job)
    attribute = wanted["attribute"]
    if not attribute or Gold.objects.filter(queue=job.queue_id).exists():
        return
    lines = ObjectLine.objects.filter(data_object__job=job, text__contains=f'"{attribute}"')
    ids = sorted(lines.values_list("data_object", flat=True))
    # The same choice when it is repeated after a crash.
    random.Random(job.pk).shuffle(ids)
    most = max(1, min(wanted["most"], job.objects_total // LARGEST_SHARE))
    answers: dict[int, object] = {}
    refused: list[str] = []
    for start in range(0, len(ids), CHUNK):
        if len(answers) >= most:
            break
        read = _read(job, attribute, ids[start : start + CHUNK], refused)
        problems = inspection.inspect_objects(list(read))
        refused += problems.values()
        answers |= {pk: read[pk] for pk in list(read) if pk not in problems}
    answers = dict(list(answers.items())[:most])
    if not answers:
        said = f"; the first of {len(refused)} problems: {refused[0]}" if refused else ""
        raise Invalid(f"no line of the input manifest has a truth under {attribute!r}{said}", field="golds.attribute")
    kind = task_types.get(job.task_type)
    with transaction.atomic():
        held = labels.lock_objects(list(answers))
        revisions = [
            labels.Revision(
                row.pk,
                kind.value(kind.certain(answers[row.pk])),
                1.0,
                {"adjudicated_by": job.created_by, "gold": attribute},
            )
            for row in held
        ]
        labels.write_revisions(revisions, source=LabelSource.ADJUDICATED, algorithm=adjudication.ALGORITHM)
        rows = list(DataObject.objects.filter(pk__in=list(answers)).select_related("label").order_by("pk"))
        keeping.make(rows, job=job, source=str(GoldSource.MANIFEST), by=job.created_by)
        job.golds = wanted | {"taken": len(rows), "unusable": len(refused), "problem": (refused or [""])[0][:200]}
        LabelingJob.objects.filter(pk=job.pk).update(golds=job.golds)


def _read(job: LabelingJob, attribute: str, ids: list[int], refused: list[str]) -> dict[int, object]:
    """The typed truths of these objects, in their order; why a line has none is added to `refused`."""
    kind = task_types.get(job.task_type)
    texts = dict(ObjectLine.objects.filter(data_object__in=ids).values_list("data_object", "text"))
    usable = set(
        DataObject.objects.filter(pk__in=ids, state__in=[ObjectState.UNLABELED, ObjectState.HUMAN]).values_list(
            "pk", flat=True
        )
    )
    found: dict[int, object] = {}
    for pk in ids:
        attributes = orjson.loads(texts[pk])
        if pk not in usable or augmented_reading.label_state(attributes, attribute) != "labeled":
            continue
        try:
            attributes = label_files.with_file(attributes, attribute, kind=kind, account=job.account)
            answer = kind.read_manifest(attributes, attribute).answer
            if unknown := sorted(kind.classes(answer) - set(job.labels)):
                raise ValueError(f"{attribute!r} has a class that the job does not have: {', '.join(unknown)}")
            if problem := kind.unwritable(answer, labels=job.labels):
                raise ValueError(f"{attribute!r} cannot be stored: {problem}")
        except OF_ONE_OBJECT as error:
            refused.append(one_by_one.reason_of(error))
        else:
            found[pk] = answer
    return found


def mint(*, job: LabelingJob, batch: Batch) -> int:
    """Make golds of objects of the batch on which every answer agreed with a label that is sure; returns how many.

    As many as the job still wants. Safe to repeat: an object is a gold once.
    """
    wanted = options.of(job)["mint"] - Gold.objects.filter(queue=job.queue_id, source=GoldSource.MINTED).count()
    room = keeping.MOST - Gold.objects.filter(queue=job.queue_id).count()
    wanted = min(wanted, room)
    if wanted < 1:
        return 0
    sure = DataObject.objects.filter(
        job=job,
        tasks__batch=batch,
        tasks__gold=None,
        gold=None,
        state=ObjectState.HUMAN,
        label__source=LabelSource.HUMAN,
        label__confidence__gte=SURE,
    )
    rows = list(sure.select_related("label").order_by("-label__confidence", "pk")[:LOOKED_AT])
    chosen = list(islice((row for row in rows if _unanimous(job, row)), wanted))
    with transaction.atomic():
        held = {row.pk for row in labels.lock_objects([row.pk for row in chosen])}
        still = Label.objects.filter(pk__in=[row.label_id for row in chosen], data_object__in=held)
        current = set(still.values_list("pk", flat=True))
        return len(
            keeping.make(
                [row for row in chosen if row.label_id in current], job=job, source=str(GoldSource.MINTED), by="system"
            )
        )


def _unanimous(job: LabelingJob, row: DataObject) -> bool:
    kind = task_types.get(job.task_type)
    seats = Assignment.objects.filter(task__data_object=row, state=AssignmentStatus.SUBMITTED)
    answers = scoring.newest_answers(list(seats.values_list("pk", flat=True)))
    if len(answers) < FEWEST_ANSWERS or row.label is None:
        return False
    label = kind.read_value(row.label.value)
    size = (row.width or 0, row.height or 0)
    try:
        read = [
            kind.read_stored(content, labels=job.labels, earlier=job.earlier_labels, size=size)
            for content in answers.values()
        ]
    except OF_ONE_OBJECT:
        return False
    return all(kind.score_against_truth(answer, label) >= UNANIMOUS for answer in read)
