"""What a loop's models say of the labels that people gave: how likely each is wrong.

An object counts with the predictions of the newest round before people labeled it: no model of that round or an
earlier one has learned from its label. Objects of the validation split were never learned from. So the predictions that
the loop has made anyway are enough, and nothing is trained for it.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from labeling.models import DataObject, LabelSource
from learning.models import LearningLoop, LoopObject, Round, Split
from learning.selection import label_errors
from learning.selection.label_errors import LabeledImage
from learning.services.active import evaluation, learners, loop_objects
from learning.services.active.learners.boxes import Boxes, detections

AT_ONCE = 2000
"""Images whose labels are looked at together: enough to learn from, and few enough for the memory."""
FEWEST = 10
"""With fewer images nothing could be learned about what is usual."""

Evidence = dict[int, tuple[str, Mapping[str, float]]]


def of_job(job_id: int) -> Evidence:
    """The name of the model and the chances of errors of each object that it can judge; none without a loop."""
    loop = LearningLoop.objects.select_related("job__queue").filter(job=job_id).first()
    found: Evidence = {}
    # What an error in a label looks like is known of boxes (selection/label_errors.py).
    if loop is None or not isinstance(learners.of(loop.job), Boxes):
        return found
    for current in _rounds(loop):
        found |= _of_round(loop, current)
    return found


def _rounds(loop: LearningLoop) -> Iterator[Round]:
    """Those with predictions, in order, so that a newer one replaces what an older one says."""
    rows = loop.rounds.filter(transform_job__status="Completed").order_by("number")
    yield from rows.select_related("transform_job__model")


def _of_round(loop: LearningLoop, current: Round) -> Evidence:
    """What the predictions of one round say of labels that its model has not learned from."""
    job, name = loop.job, current.transform_job.model.name
    found: Evidence = {}
    judged = LoopObject.objects.filter(loop=loop, data_object__label__isnull=False)
    judged = judged.exclude(data_object__label__source=LabelSource.MACHINE)
    unseen = judged.filter(split=Split.VALIDATION) | judged.exclude(split="").filter(round_number__gt=current.number)
    ids = set(unseen.values_list("data_object", flat=True))
    read = (one for one in evaluation.predictions(job, current.transform_job) if one.object_id in ids)
    while chunk := list(islice(read, AT_ONCE)):
        rows = DataObject.objects.filter(pk__in=[one.object_id for one in chunk]).select_related("label").in_bulk()
        images = {
            row.pk: LabeledImage(loop_objects.truth(job, row), detections(one), _size(one.image_size))
            for one in chunk
            if one.error is None and one.image_size is not None and (row := rows.get(one.object_id)) is not None
        }
        if len(images) < FEWEST:
            break
        errors = label_errors.find(list(images.values()), len(job.labels))
        found |= {pk: (name, one.kinds) for pk, one in zip(images, errors, strict=True)}
    return found


def _size(size: Mapping[str, int]) -> tuple[float, float]:
    return size["width"], size["height"]
