"""Labeling jobs as Ground Truth has them: create, describe, list, stop, and a template tried on a task."""

from datetime import datetime
from math import ceil
from typing import Any

from django.db.models.functions import Coalesce

from frontend import automation
from frontend.aws import lambda_functions, paging, references
from frontend.aws.labeling_design import FIELDS, design_of
from frontend.aws.registry import Call, operation
from frontend.aws.tags import listed, pairs
from labeling.formats.template_check import ERROR
from labeling.models import JobTopics, LabelingJob
from labeling.queries import progress
from labeling.services import scope
from labeling.services.jobs import creation, template_previews
from labeling.services.output import manifests
from labeling.services.review import task_uis
from labeling.services.streams import topics
from marketplace import strict
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources, tags, workteams

_KEPT = ("InputConfig", "OutputConfig", "LabelCategoryConfigS3Uri", "LabelingJobAlgorithmsConfig", "HumanTaskConfig")


@operation(
    "sagemaker",
    "CreateLabelingJob",
    fields=FIELDS,
    ignored={
        "OutputConfig.KmsKeyId": references.KMS,
        "LabelingJobAlgorithmsConfig.LabelingJobResourceConfig": references.NETWORK,
    },
)
def create_labeling_job(
    call: Call,
    *,
    LabelingJobName: str,
    LabelAttributeName: str,
    InputConfig: dict[str, Any],
    OutputConfig: dict[str, Any],
    RoleArn: str,
    HumanTaskConfig: dict[str, Any],
    LabelCategoryConfigS3Uri: str | None = None,
    StoppingConditions: dict[str, Any] | None = None,
    LabelingJobAlgorithmsConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Create a labeling job; it starts by itself once its input has been read."""
    stopping = StoppingConditions or {}
    design = design_of(call)
    arn = references.arn(call.account, "labeling-job", LabelingJobName)
    design |= {
        "name": LabelingJobName,
        "label_attribute_name": LabelAttributeName,
        "output_uri": OutputConfig["S3OutputPath"],
        "role_arn": RoleArn,
        "max_human_labeled_objects": stopping.get("MaxHumanLabeledObjectCount"),
        "max_percentage_labeled": stopping.get("MaxPercentageOfInputDatasetLabeled"),
    }
    resources.make(
        account=call.account,
        make=lambda: automation.launch_job(account=call.account, by=call.by, **design),
        arn=lambda job: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"LabelingJobArn": arn}


@operation("sagemaker", "DescribeLabelingJob")
def describe_labeling_job(call: Call, *, LabelingJobName: str) -> dict[str, Any]:
    """Everything about a job."""
    job = scope.job_named(call.account, LabelingJobName)
    arn = references.arn(call.account, "labeling-job", job.name)
    said = resource_requests.of(call.account, arn)
    (shown,) = _summaries(call, [job], {arn: said})
    limits = {
        "MaxHumanLabeledObjectCount": job.max_human_labeled_objects,
        "MaxPercentageOfInputDatasetLabeled": job.max_percentage_labeled,
    }
    config = _human_task_config(call, job, said.get("HumanTaskConfig", {}))
    for name in ("WorkteamArn", "PreHumanTaskLambdaArn", "AnnotationConsolidationLambdaArn"):
        del shown[name]
    return shown | {
        "JobReferenceCode": job.reference_code,
        "LabelAttributeName": job.label_attribute_name,
        "OutputConfig": said.get("OutputConfig", {}) | {"S3OutputPath": job.output_uri},
        # Of one that was made without the wire, which needs none.
        "RoleArn": job.role_arn or references.arn(call.account, "role", "waggle"),
        "LabelCategoryConfigS3Uri": said.get("LabelCategoryConfigS3Uri"),
        "StoppingConditions": limits if any(limits.values()) else None,
        "LabelingJobAlgorithmsConfig": said.get("LabelingJobAlgorithmsConfig"),
        "HumanTaskConfig": config,
        "Tags": listed(tags.of(call.account, arn)) or None,
    }


@operation("sagemaker", "ListLabelingJobs")
def list_labeling_jobs(
    call: Call,
    *,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    LastModifiedTimeAfter: datetime | None = None,
    LastModifiedTimeBefore: datetime | None = None,
    NameContains: str | None = None,
    StatusEquals: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The account's jobs."""
    rows = scope.jobs(call.account).annotate(modified=Coalesce("status_changed_at", "created_at"))
    filters = {
        "CreationTimeAfter": "created_at__gt",
        "CreationTimeBefore": "created_at__lt",
        "LastModifiedTimeAfter": "modified__gt",
        "LastModifiedTimeBefore": "modified__lt",
        "NameContains": "name__icontains",
        "StatusEquals": "status",
    }
    by = {"Name": "name", "Status": "status"}.get(SortBy or "", "created_at")
    found = paging.filtered(call, rows.select_related("queue__workteam__account"), filters)
    page = paging.page(call, found, by=by, descending=paging.descending(call, paging.ASCENDING))
    arns = [references.arn(call.account, "labeling-job", job.name) for job in page.rows]
    said = resource_requests.of_many(call.account, arns)
    return page.members("LabelingJobSummaryList", _summaries(call, page.rows, said))


@operation("sagemaker", "ListLabelingJobsForWorkteam")
def list_labeling_jobs_for_workteam(
    call: Call,
    *,
    WorkteamArn: str,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    JobReferenceCodeContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The jobs that a team works on."""
    filters = {
        "CreationTimeAfter": "created_at__gt",
        "CreationTimeBefore": "created_at__lt",
        "JobReferenceCodeContains": "reference_code__contains",
    }
    rows = paging.filtered(call, scope.jobs_on(call.account, references.workteam(call, WorkteamArn)), filters)
    page = paging.page(call, rows, descending=paging.descending(call, paging.ASCENDING))
    counted = progress.counters_of_many(page.rows)
    return page.members(
        "LabelingJobSummaryList",
        [
            {
                "LabelingJobName": job.name,
                "JobReferenceCode": job.reference_code,
                "WorkRequesterAccountId": job.account.number,
                "CreationTime": job.created_at,
                "LabelCounters": {
                    "HumanLabeled": counted[job.pk]["HumanLabeled"],
                    "PendingHuman": counted[job.pk]["Unlabeled"],
                    "Total": job.objects_total,
                },
                "NumberOfHumanWorkersPerDataObject": ceil(job.workers_per_object),
            }
            for job in page.rows
        ],
    )


@operation("sagemaker", "StopLabelingJob")
def stop_labeling_job(call: Call, *, LabelingJobName: str) -> None:
    """Stop a job: what is labeled is kept."""
    creation.stop_job(job=scope.job_named(call.account, LabelingJobName), by=call.by)


@operation(
    "sagemaker",
    "RenderUiTemplate",
    ignored={"RoleArn": references.ROLE},
    fields={"template": "UiTemplate.Content", "input": "Task.Input"},
)
def render_ui_template(
    call: Call,
    *,
    Task: dict[str, Any],
    UiTemplate: dict[str, Any] | None = None,
    HumanTaskUiArn: str | None = None,
) -> dict[str, Any]:
    """The page that a template gives for one task, and what in it will not work."""
    if (UiTemplate is None) == (HumanTaskUiArn is None):
        raise Invalid("either UiTemplate or HumanTaskUiArn expected")
    if UiTemplate is not None:
        content = UiTemplate["Content"]
    else:
        name = references.named(call, HumanTaskUiArn or "", "human-task-ui")
        content = task_uis.task_ui(call.account, name).text
    sample = _sample(Task["Input"])
    report = template_previews.check(account=call.account, content=content, sample=sample, script_hosts=())
    return {
        "RenderedContent": report.html or "",
        "Errors": [{"Code": one.code, "Message": one.message} for one in report.findings if one.level == ERROR],
    }


def _sample(text: str) -> dict[str, Any]:
    try:
        found = strict.read_json(text)
    except strict.NotJson as error:
        raise Invalid(str(error), field="input") from None
    if not isinstance(found, dict):
        raise Invalid("a JSON object expected", field="input")
    # RenderUiTemplate gives what the template reads as `task.input`.
    return found


def _summaries(call: Call, jobs: list[LabelingJob], said: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What lists and descriptions show of each job."""
    counted = progress.counters_of_many(jobs)
    models = automation.final_model_arns(jobs)
    sent = topics.of_many(jobs)
    return [
        _summary(call, job, counted[job.pk], models.get(job.pk), said) | {"InputConfig": _input(job, sent.get(job.pk))}
        for job in jobs
    ]


def _input(job: LabelingJob, found: JobTopics | None) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    if job.input_manifest_uri:
        sources["S3DataSource"] = {"ManifestS3Uri": job.input_manifest_uri}
    if found is not None and found.input_topic:
        sources["SnsDataSource"] = {"SnsTopicArn": found.input_topic}
    certified = {"DataAttributes": {"ContentClassifiers": job.content_classifiers}} if job.content_classifiers else {}
    return {"DataSource": sources, **certified}


def _summary(
    call: Call, job: LabelingJob, counters: dict[str, int], model: str | None, said: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    arn = references.arn(call.account, "labeling-job", job.name)
    config = said.get(arn, {}).get("HumanTaskConfig", {})
    consolidation = config.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    output = {"OutputDatasetS3Uri": manifests.manifest_uri(job), "FinalActiveLearningModelArn": model}
    return {
        "LabelingJobName": job.name,
        "LabelingJobArn": arn,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.status_changed_at or job.created_at,
        "LabelingJobStatus": job.status,
        "LabelCounters": counters,
        "FailureReason": job.failure_reason or None,
        "LabelingJobOutput": output if job.output_written_at else None,
        "WorkteamArn": workteams.arn(job.workteam),
        "PreHumanTaskLambdaArn": config.get("PreHumanTaskLambdaArn")
        or lambda_functions.arn_of(job.task_type, lambda_functions.PRE, call.region),
        "AnnotationConsolidationLambdaArn": consolidation
        or lambda_functions.arn_of(job.task_type, lambda_functions.CONSOLIDATE, call.region),
    }


def _human_task_config(call: Call, job: LabelingJob, said: dict[str, Any]) -> dict[str, Any]:
    """As it is now: prices and classes may have changed since the job was made."""
    consolidate = lambda_functions.arn_of(job.task_type, lambda_functions.CONSOLIDATE, call.region)
    usual = {
        "UiConfig": {},
        "PreHumanTaskLambdaArn": lambda_functions.arn_of(job.task_type, lambda_functions.PRE, call.region),
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": consolidate},
    }
    return (
        usual
        | said
        | {
            "WorkteamArn": workteams.arn(job.workteam),
            "TaskTitle": job.title,
            "TaskDescription": job.description,
            "TaskKeywords": job.keywords or None,
            "NumberOfHumanWorkersPerDataObject": ceil(job.workers_per_object),
            "TaskTimeLimitInSeconds": job.task_time_limit_seconds,
            "TaskAvailabilityLifetimeInSeconds": job.task_availability_seconds,
            "MaxConcurrentTaskCount": job.max_concurrent_tasks,
            "PublicWorkforceTaskPrice": references.price(job.price_micros),
        }
    )
