"""The rows of this room that an account owns, or that a worker may see: what front ends may show them and change.

A row of somebody else is as unknown as one that does not exist. Knows nothing of roles.
"""

from typing import Any

from django.db.models import QuerySet

from labeling.models import Assignment, DataObject, Dataset, Export, LabelingJob, WorkQueue
from labeling.services.queue import visibility
from marketplace.errors import NotFound
from marketplace.models import Account, User, Worker
from marketplace.services import scope

EXAMPLES = ("good_examples", "bad_examples")


def jobs(account: Account) -> QuerySet[LabelingJob]:
    """The account's labeling jobs."""
    return LabelingJob.objects.filter(account=account)


def job(account: Account, job_id: int) -> LabelingJob:
    """A labeling job of the account, with its team and account loaded. Raises NotFound."""
    found = jobs(account).select_related("queue__workteam", "account").filter(pk=job_id).first()
    if found is None:
        raise NotFound(f"the account has no labeling job {job_id}")
    return found


def datasets(account: Account) -> QuerySet[Dataset]:
    """The account's data sets."""
    return Dataset.objects.filter(account=account)


def dataset(account: Account, dataset_id: int) -> Dataset:
    """A data set of the account. Raises NotFound."""
    found = datasets(account).filter(pk=dataset_id).first()
    if found is None:
        raise NotFound(f"the account has no data set {dataset_id}", field="dataset")
    return found


def export(account: Account, export_id: int) -> Export:
    """An export of one of the account's jobs, with its job loaded. Raises NotFound."""
    found = Export.objects.select_related("job").filter(pk=export_id, job__account=account).first()
    if found is None:
        raise NotFound(f"the account has no export {export_id}")
    return found


def objects(account: Account, job_id: int) -> QuerySet[DataObject]:
    """The objects of a labeling job of the account, with their labels. Raises NotFound for another job."""
    return DataObject.objects.filter(job=job(account, job_id)).select_related("label")


def data_object(job: LabelingJob, object_id: int) -> DataObject:
    """An object of the job, with its label loaded. Raises NotFound."""
    found = DataObject.objects.select_related("label").filter(pk=object_id, job=job).first()
    if found is None:
        raise NotFound(f"the labeling job has no object {object_id}")
    return found


def assignment(worker: Worker, assignment_id: int) -> Assignment:
    """An assignment of the worker. Raises NotFound."""
    found = Assignment.objects.filter(pk=assignment_id, worker=worker).first()
    if found is None:
        raise NotFound(f"you have no assignment {assignment_id}")
    return found


def queue(worker: Worker, queue_id: int) -> WorkQueue:
    """A work queue that the worker may see. Raises NotFound."""
    found = WorkQueue.objects.filter(pk=queue_id).first()
    if found is None or visibility.refusal(worker_id=worker.pk, queue=found) is not None:
        raise NotFound(f"there is no work {queue_id} for you")
    return found


def queue_of_job(job_id: int) -> int:
    """The key of a labeling job's queue; whether a worker may see it is asked of the queue. Raises NotFound."""
    found: int | None = LabelingJob.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    if found is None:
        raise NotFound(f"there is no labeling job {job_id}")
    return found


def object_shown_to(user: User, object_id: int) -> DataObject:
    """An object whose picture the user may see: as a member of its account, or as a worker. Raises NotFound."""
    found = DataObject.objects.select_related("job__queue").filter(pk=object_id).first()
    if found is not None and scope.is_member(user, found.job.account_id):
        return found
    worker = scope.worker_or_none(user)
    if found is None or worker is None or not visibility.may_see_object(worker_id=worker.pk, data_object=found):
        raise NotFound("there is no such image")
    return found


def example_shown_to(user: User, queue_id: int, kind: str, number: int) -> dict[str, Any]:
    """An example picture of a queue's instructions, for members of its account and workers it is open to.

    `kind` is good_examples or bad_examples. Raises NotFound.
    """
    found = WorkQueue.objects.filter(pk=queue_id).first()
    worker = scope.worker_or_none(user)
    allowed = found is not None and (
        scope.is_member(user, found.account_id)
        or (worker is not None and visibility.refusal(worker_id=worker.pk, queue=found) is None)
    )
    examples = found.instructions.get(kind, []) if found is not None and allowed and kind in EXAMPLES else []
    if number >= len(examples):
        raise NotFound("there is no such example")
    example: dict[str, Any] = examples[number]
    return example
