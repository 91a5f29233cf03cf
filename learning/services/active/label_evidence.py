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
from learning.services.active import evaluation, loop_objects

AT_ONCE = 2000
"""Images whose labels are looked at together: enough to learn from, and few enough for the memory."""
FEWEST = 10
"""With fewer images nothing could be learned about what is usual."""

Evidence = dict[int, tuple[str, Mapping[str, float]]]


def of_job(job_id: int) -> Evidence:
    """The name of the model and the chances of errors of each object that it can judge; none without a loop."""
    loop = LearningLoop.objects.select_related("job__queue").filter(job=job_id).first()
    found: Evidence = {}
    if loop is None:
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
    job, found = loop.job, {}
    judged = LoopObject.objects.filter(loop=loop, data_object__label__isnull=False)
    judged = judged.exclude(data_object__label__source=LabelSource.MACHINE)
    unseen = judged.filter(split=Split.VALIDATION) | judged.exclude(split="").filter(round_number__gt=current.number)
    ids = set(unseen.values_list("data_object", flat=True))
    predictions = (
        one
        for one in evaluation.predictions(job, current.transform_job)
        if one.object_id in ids and one.error is None and one.image_size is not None
    )
    while chunk := list(islice(predictions, AT_ONCE)):
        rows = DataObject.objects.filter(pk__in=[one.object_id for one in chunk]).select_related("label").in_bulk()
        images = [
            LabeledImage(
                loop_objects.truth(job, rows[one.object_id]),
                evaluation.detections(one),
                (one.image_size["width"], one.image_size["height"]),
            )
            for one in chunk
        ]
        if len(images) < FEWEST:
            break
        for one, errors in zip(chunk, label_errors.find(images, len(job.labels)), strict=True):
            found[one.object_id] = (current.transform_job.model.name, errors.kinds)
    return found
