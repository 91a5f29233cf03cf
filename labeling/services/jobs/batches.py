"""Opening a batch of a labeling job: its objects become PendingHuman and get a task each.

At most one batch of a job is open, except of a streaming one; a constraint of the database holds it to that. Knows
neither why these objects were chosen nor what their answers contain.
"""

from collections.abc import Sequence

from django.db import transaction

from labeling.models import Batch, DataObject, LabelingJob, ObjectState
from labeling.services.golds import mixing
from labeling.services.jobs import pausing
from labeling.services.prelabels import showing
from labeling.services.queue import batches
from labeling.services.queue.batches import NewTask
from marketplace.errors import Invalid, WrongState


def open_batch(
    *,
    job: LabelingJob,
    object_ids: Sequence[int],
    purpose: str = "labels",
    relabels: bool = False,
    exclusive: bool = True,
    by: str,
) -> Batch:
    """Open these Unlabeled objects to people, in this order of priority, and reserve the money for every seat.

    With `relabels` they are MachineLabeled ones instead, and stay so until people have labeled them; people do not see
    the model's label, nor does any pre-label count.

    Objects with a pre-label that people are to see (services/prelabels) become tasks that check it, at its price.
    Only in a streaming job may batches that are not `exclusive` be open beside each other.
    The job's golds are mixed in, as many as its rate calls for. With dynamic redundancy a task starts with a few seats
    and the money is reserved for the most it may get. Raises InsufficientFunds when the wallet cannot pay, WrongState
    when a batch is open, the job is not InProgress or an object is in another state, Invalid for no objects, a
    repeated one, or one not inspected. When it raises, nothing has changed.
    """
    ids = list(object_ids)
    if not ids or len(set(ids)) != len(ids):
        raise Invalid("a batch needs at least one object, each once", field="objects")
    with transaction.atomic():
        # The row lock keeps the job from being stopped between the check and the opening.
        job = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if not job.open:
            raise WrongState(f"the labeling job is {job.status}; batches open while it is InProgress", field="status")
        tasks = _tasks(job, ids, ObjectState.MACHINE if relabels else ObjectState.UNLABELED)
        if relabels:
            showing.set_apart(ids)
        else:
            DataObject.objects.filter(pk__in=ids).update(state=ObjectState.PENDING)
        golds = mixing.for_batch(job, len(ids))
        batch = batches.open_batch(
            queue=job.queue,
            tasks=tasks,
            golds=golds,
            purpose=purpose,
            relabels=relabels,
            exclusive=exclusive,
            by=by,
        )
        pausing.go_on(job)
    return batch


def _tasks(job: LabelingJob, ids: Sequence[int], wanted: str) -> list[NewTask]:
    """The tasks of the objects, in the order of `ids`; locks them, and refuses one in another state than `wanted`."""
    rows = DataObject.objects.select_for_update(no_key=True).filter(job=job, pk__in=ids).order_by("pk")
    columns = {pk: rest for pk, *rest in rows.values_list("pk", "state", "width", "height")}
    checks = showing.to_check(ids) if job.prelabels and wanted == ObjectState.UNLABELED else set()
    tasks = []
    for pk in ids:
        if pk not in columns:
            raise Invalid(f"object {pk} is not one of job {job.name}", field="objects")
        state, width, height = columns[pk]
        if state != wanted:
            raise WrongState(f"object {pk} is {state}, only {wanted} ones can be opened", field="objects")
        if width is None:
            raise Invalid(f"the image of object {pk} was not inspected", field="objects")
        tasks.append(NewTask({"object": pk, "width": width, "height": height}, pk, checks=pk in checks))
    return tasks
