"""What a learning loop does when classes of its job are renamed or merged: it keeps counting the right ones.

Programs know classes by their place. A model keeps the names it was trained with, and its predictions are read by them
(evaluation.current). Knows nothing of labels and answers: the labeling room changes those.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models.functions import Now

from labeling.models import LabelingJob
from learning.models import LearningLoop, LoopObject, Model
from learning.services.active import learners
from marketplace.errors import WrongState

CHUNK = 1000

AT_WORK = "the learning loop is at work on the job's labels at this moment: try again in a minute"
LABELING = "a model is labeling objects of the job at this moment: merge classes when its round has ended"


def channel(job: LabelingJob, model: Model) -> dict[str, Any]:
    """The channel by which a training of the job starts from this model, whose classes may have other names now."""
    renamed = {name: now for name, now in job.earlier_labels.items() if name in model.labels}
    return {"name": model.name, "renamed": renamed} if renamed else {"name": model.name}


def follow(job_id: int, before: Sequence[str], old: str, new: str) -> None:
    """Take part when the class `old` of a job becomes `new`, in the transaction that makes it so.

    `before`: the classes by their places so far; `new` is one of them where the two are merged. Nobody can advance the
    loop before the transaction ends. Raises WrongState while somebody does, and for a merge, which changes the places
    of classes, while a model labels.
    """
    loop = LearningLoop.objects.select_for_update(no_key=True).filter(job=job_id).first()
    if loop is None:
        return
    if LearningLoop.objects.filter(pk=loop.pk, advancing_until__gte=Now()).exclude(advancing_by="").exists():
        raise WrongState(AT_WORK, field="status")
    if new not in before:
        return
    if loop.rounds.filter(status="AutoLabeling").exists():
        raise WrongState(LABELING, field="status")
    _add_up(loop, gone=before.index(old), kept=before.index(new))


def _add_up(loop: LearningLoop, *, gone: int, kept: int) -> None:
    """Count what was found out about labels of one class with that about the other."""
    rows = LoopObject.objects.filter(loop=loop).exclude(outcome=None).order_by("pk")
    changed = list(rows.only("outcome"))
    learner = learners.of(loop.job)
    for row in changed:
        row.outcome = learner.merged(row.outcome, gone=gone, kept=kept)
    LoopObject.objects.bulk_update(changed, ["outcome"], batch_size=CHUNK)
