"""Chaining: what a job that is over gives to the next one, and which jobs can follow it. Creates nothing."""

from typing import Any

from django.db.models import QuerySet

from labeling import task_types, transitions
from labeling.models import DataObject, LabelingJob, QueueTemplate
from labeling.services.output import manifests
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid


def refusal(job: LabelingJob) -> str:
    """Why no job can go on from the output of this one, "" when one can."""
    if job.status not in transitions.LABELING_JOB.final:
        return f"the labeling job {job.name} is {job.status}: it can be chained when it is over"
    if job.output_written_at is None:
        return f"the labeling job {job.name} has no output"
    return ""


def over(jobs: QuerySet[LabelingJob]) -> QuerySet[LabelingJob]:
    """Those of the jobs that another one can go on from."""
    return jobs.filter(status__in=transitions.LABELING_JOB.final, output_written_at__isnull=False)


def labeled_all(job: LabelingJob) -> bool:
    """Whether every object of the job has a label."""
    return not DataObject.objects.filter(job=job, label=None).exists()


def template_of(job: LabelingJob) -> QueueTemplate | None:
    """The worker template of the job, where it has one."""
    return QueueTemplate.objects.filter(pk=job.queue_id).first()


def output_of(job: LabelingJob) -> str:
    """The address of the job's output manifest, as the input of another job. Raises Invalid while it is not final."""
    if reason := refusal(job):
        raise Invalid(reason, field="input_job")
    return manifests.manifest_uri(job)


def audits_of(job: LabelingJob) -> list[TaskType[Any, Any]]:
    """The types of jobs that look at labels as this job has them."""
    kinds = [task_types.get(name) for name in task_types.names()]
    made = task_types.get(job.task_type)
    return [kind for kind in kinds if kind.audited is not None and isinstance(made, type(kind.audited))]
