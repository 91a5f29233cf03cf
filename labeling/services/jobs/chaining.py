"""Chaining: what a job that is over gives to the next one, and which jobs can follow it. Creates nothing."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet

from labeling import task_types, transitions
from labeling.formats import label_config
from labeling.models import DataObject, LabelingJob, QueueTemplate
from labeling.services.intake import label_files
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.output import manifests, rows
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid

LOOKED_THROUGH = 2000
"""Objects whose lines are searched for classes."""
FILES_LOOKED_THROUGH = 50
"""The same, where each label is a file."""


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


def looked_at(job: LabelingJob) -> tuple[TaskType[Any, Any], str]:
    """The type of the labels in the job's output that people can look at next, and the attribute that holds them.

    Of a verification these are the labels that it was about.
    """
    kind = task_types.get(job.task_type)
    if kind.audited is None or kind.adjusts:
        return kind, job.label_attribute_name
    return kind.audited, job.audit_label_attribute_name


def audits_of(job: LabelingJob) -> list[TaskType[Any, Any]]:
    """The types of jobs that look at labels as this job's output has them."""
    made, _ = looked_at(job)
    kinds = [task_types.get(name) for name in task_types.names()]
    return [kind for kind in kinds if kind.audited is not None and isinstance(made, type(kind.audited))]


def config_for(job: LabelingJob, *, labels: Sequence[str], task_type: str) -> dict[str, Any] | None:
    """The label category configuration with which a job of this type goes on from the output of this one; None where
    that one has none, or the labels (of which none may be given) are others."""
    config = job.queue.label_category_config
    kept = task_type in task_types.names() and task_types.get(task_type).attributed
    if not config or not kept or (labels and not set(config.get("labels", {})) <= set(labels)):
        return None
    return label_config.document(config, labels or job.labels)


def classes_of(job: LabelingJob) -> list[str]:
    """The classes of the labels that people can look at next; those that occur, where another job has made them."""
    kind, attribute = looked_at(job)
    if attribute == job.label_attribute_name:
        return job.labels
    found: set[str] = set()
    for row in islice(rows.stream(job), FILES_LOOKED_THROUGH if kind.label_is_file else LOOKED_THROUGH):
        with suppress(*OF_ONE_OBJECT):
            line = label_files.with_file(orjson.loads(row.line), attribute, kind=kind, account=job.account)
            found |= kind.classes(kind.read_manifest(line, attribute).answer)
    return sorted(found)
