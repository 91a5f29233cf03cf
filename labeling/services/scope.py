"""The rows of this room that an account owns or that a worker may see: front ends show and change only these.

Any other row raises NotFound, as if it did not exist. Knows nothing of roles.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import (
    AnswerReview,
    Appeal,
    Assignment,
    AssignmentStatus,
    DataObject,
    Dataset,
    Export,
    Gold,
    LabelImport,
    LabelingJob,
    WorkQueue,
)
from labeling.queries import golds as gold_reads
from labeling.services.jobs import limits
from labeling.services.queue import visibility
from labeling.services.results import reviewers
from marketplace.errors import Forbidden, NotFound
from marketplace.models import Account, User, Worker, Workteam
from marketplace.services import scope, team_access


def jobs(account: Account) -> QuerySet[LabelingJob]:
    """The account's labeling jobs."""
    return LabelingJob.objects.filter(account=account)


def job(account: Account, job_id: int) -> LabelingJob:
    """A labeling job of the account, with its team and account loaded. Raises NotFound."""
    row = jobs(account).select_related("queue__workteam__panel", "account").filter(pk=job_id).first()
    if row is None:
        raise NotFound(f"the account has no labeling job {job_id}")
    return row


def job_named(account: Account, name: str) -> LabelingJob:
    """A labeling job of the account by its name, whose case says nothing; as `job` loads it. Raises NotFound."""
    row = jobs(account).select_related("queue__workteam__panel", "account").filter(name__iexact=name).first()
    if row is None:
        raise NotFound(f"the account has no labeling job {name!r}")
    return row


def jobs_on(account: Account, team: Workteam) -> QuerySet[LabelingJob]:
    """The jobs that a team works on: all of them for the account whose team it is, else the account's own."""
    rows = LabelingJob.objects.filter(queue__workteam=team).select_related("account")
    return rows if team.account_id == account.pk else rows.filter(account=account)


def datasets(account: Account) -> QuerySet[Dataset]:
    """The account's data sets."""
    return Dataset.objects.filter(account=account)


def dataset(account: Account, dataset_id: int) -> Dataset:
    """A data set of the account. Raises NotFound."""
    row = datasets(account).filter(pk=dataset_id).first()
    if row is None:
        raise NotFound(f"the account has no data set {dataset_id}", field="dataset")
    return row


def label_imports(account: Account) -> QuerySet[LabelImport]:
    """The account's label imports, with the data sets and the job that they name."""
    return LabelImport.objects.filter(account=account).select_related("dataset", "images", "job")


def label_import(account: Account, import_id: int) -> LabelImport:
    """A label import of the account. Raises NotFound."""
    row = label_imports(account).filter(pk=import_id).first()
    if row is None:
        raise NotFound(f"the account has no label import {import_id}")
    return row


def import_of(dataset: Dataset) -> LabelImport | None:
    """The import that made the data set, which knows its label attribute and classes; None for another data set."""
    return LabelImport.objects.filter(dataset=dataset).first()


def export(account: Account, export_id: int) -> Export:
    """An export of one of the account's jobs, with its job loaded. Raises NotFound."""
    row = Export.objects.select_related("job").filter(pk=export_id, job__account=account).first()
    if row is None:
        raise NotFound(f"the account has no export {export_id}")
    return row


def objects(account: Account, job_id: int) -> QuerySet[DataObject]:
    """The objects of a labeling job of the account, with their labels. Raises NotFound for another job."""
    return DataObject.objects.filter(job=job(account, job_id)).select_related("label", "likely_error")


def data_object(job: LabelingJob, object_id: int) -> DataObject:
    """An object of the job, with its label and what is known of it loaded. Raises NotFound."""
    row = DataObject.objects.select_related("label", "likely_error").filter(pk=object_id, job=job).first()
    if row is None:
        raise NotFound(f"the labeling job has no object {object_id}")
    return row


def golds(job: LabelingJob) -> QuerySet[Gold]:
    """The golds of a labeling job, with how they were answered."""
    return gold_reads.of_job(job)


def gold(job: LabelingJob, gold_id: int) -> Gold:
    """A gold of the job, with how it was answered. Raises NotFound."""
    row = golds(job).filter(pk=gold_id).first()
    if row is None:
        raise NotFound(f"the labeling job has no gold {gold_id}")
    return row


def reviews(account: Account) -> QuerySet[AnswerReview]:
    """The reviews of answers to the account's queues."""
    return AnswerReview.objects.filter(queue__account=account)


def review(account: Account, review_id: int) -> AnswerReview:
    """A review of an answer to one of the account's queues, with its queue loaded. Raises NotFound."""
    row = reviews(account).select_related("queue").filter(pk=review_id).first()
    if row is None:
        raise NotFound(f"the account has no answer under review {review_id}")
    return row


def appeals(account: Account | None = None, worker: Worker | None = None) -> QuerySet[Appeal]:
    """The appeals to an account or of a worker; without either all of the installation, for operators."""
    found = Appeal.objects.select_related("review__queue", "review__worker")
    found = found if account is None else found.filter(review__queue__account=account)
    return found if worker is None else found.filter(review__worker=worker)


def appeal(appeal_id: int, account: Account | None = None) -> Appeal:
    """An appeal to the account, or any for an operator. Raises NotFound."""
    row = appeals(account).filter(pk=appeal_id).first()
    if row is None:
        raise NotFound(f"there is no appeal {appeal_id}")
    return row


def rejected_review(worker: Worker, assignment_id: int) -> AnswerReview:
    """The review of the worker's newest answer to a task, with its seat loaded. Raises NotFound where there is none."""
    rows = AnswerReview.objects.filter(assignment=assignment_id, worker=worker).select_related("assignment")
    row = rows.order_by("-pk").first()
    if row is None:
        raise NotFound(f"you have no answer under review to assignment {assignment_id}")
    return row


def assignment(worker: Worker, assignment_id: int) -> Assignment:
    """An assignment of the worker. Raises NotFound."""
    row = Assignment.objects.filter(pk=assignment_id, worker=worker).first()
    if row is None:
        raise NotFound(f"you have no assignment {assignment_id}")
    return row


def assignments_held(worker: Worker, address: str | None = None) -> QuerySet[Assignment]:
    """The assignments that a worker holds, of work queues that they may still see, with task, queue and worker loaded.

    Not those whose lease has run out: the next sweep ends them. Nor those that the `address` the request comes from is
    kept from (None: no request).
    """
    refusal = visibility.refusal_expression(worker_id=worker.pk, queue="queue_id")
    leased = Assignment.objects.filter(
        worker=worker, state=AssignmentStatus.LEASED, lease_expires_at__gt=timezone.now()
    )
    outside = team_access.outside_expression(address, cidrs="queue__workteam__source_cidrs")
    shown = leased.alias(refusal=refusal, outside=outside).filter(refusal=None, outside=False)
    return shown.select_related("task__queue", "worker")


def queue(worker: Worker, queue_id: int, address: str | None = None) -> WorkQueue:
    """A work queue that the worker may see. Raises NotFound, Forbidden where the `address` is kept from it."""
    work_queue = visibility.with_outside(WorkQueue.objects.filter(pk=queue_id), address).first()
    if work_queue is None or visibility.refusal(worker_id=worker.pk, queue=work_queue) is not None:
        raise NotFound(f"there is no work {queue_id} for you")
    visibility.require_inside(work_queue, address)
    return work_queue


def queue_of_job(job_id: int) -> int:
    """The key of a labeling job's queue; does not check whether a worker may see it. Raises NotFound."""
    queue_id: int | None = LabelingJob.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    if queue_id is None:
        raise NotFound(f"there is no labeling job {job_id}")
    return queue_id


def jobs_of_queues(queue_ids: Iterable[int]) -> dict[int, int]:
    """The keys of the labeling jobs that own these queues, by the queue's key; queues of other owners are left out."""
    return dict(LabelingJob.objects.filter(queue__in=list(queue_ids)).values_list("queue", "pk"))


def object_shown_to(user: User, object_id: int, address: str | None = None) -> DataObject:
    """An object whose picture the user may see: as a member of its account, or as a worker or reviewer of its job.

    Raises NotFound, Forbidden where the `address` that the request comes from is kept from the work of the team.
    """
    outside = team_access.outside_expression(address, cidrs="job__queue__workteam__source_cidrs")
    rows = DataObject.objects.select_related("job__queue").annotate(outside=outside)
    row = rows.filter(pk=object_id).first()
    if row is not None and scope.is_member(user, row.job.account_id):
        return row
    worker = scope.worker_or_none(user)
    if row is None or worker is None or not _may_see(worker, row):
        raise NotFound("there is no such image")
    if row.outside:
        raise Forbidden(team_access.refusal(address))
    return row


def _may_see(worker: Worker, row: DataObject) -> bool:
    by_work = visibility.may_see_object(worker_id=worker.pk, data_object=row)
    return by_work or reviewers.may_see(worker=worker, data_object=row)


def example_shown_to(user: User, queue_id: int, kind: str, number: int, address: str | None = None) -> dict[str, Any]:
    """An example picture of a queue's instructions, for members of its account and workers it is open to.

    `kind` is good_examples or bad_examples. Raises NotFound, Forbidden as `object_shown_to`.
    """
    queue = visibility.with_outside(WorkQueue.objects.filter(pk=queue_id), address).first()
    worker = scope.worker_or_none(user)
    member = queue is not None and scope.is_member(user, queue.account_id)
    allowed = member or (
        queue is not None and worker is not None and visibility.refusal(worker_id=worker.pk, queue=queue) is None
    )
    if queue is not None and allowed and not member:
        visibility.require_inside(queue, address)
    examples = (
        queue.instructions.get(kind, []) if queue is not None and allowed and kind in limits.EXAMPLE_KINDS else []
    )
    if number >= len(examples):
        raise NotFound("there is no such example")
    example: dict[str, Any] = examples[number]
    return example
