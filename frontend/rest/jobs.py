"""Labeling jobs: create, list, describe, estimate, stop, and their refused lines."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.automation import launch_job
from frontend.rest import schemas
from frontend.rest.datasets import BadLinesView
from frontend.rest.earnings import hourly_row
from frontend.rest.idempotency import idempotent
from frontend.rest.job_inputs import JobEstimateInput, LabelingJobInput, checks_of
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling import task_types
from labeling.formats import label_config
from labeling.models import BadLine, LabelingJob
from labeling.queries import hourly, progress
from labeling.services import scope
from labeling.services.functions import choosing
from labeling.services.golds.options import of as gold_options
from labeling.services.jobs import chaining, creation, label_configs, pausing, pricing, probe
from labeling.services.output import manifests
from labeling.services.prelabels import options as prelabel_options
from labeling.services.streams import topics
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account, AudienceRequirement, Role
from marketplace.services import panels, requirements
from marketplace.services import scope as marketplace_scope


def job_row(job: LabelingJob, counters: dict[str, int]) -> dict[str, Any]:
    """A job as lists show it, with its label counters."""
    return {
        "id": job.pk,
        "name": job.name,
        "status": job.status,
        "failure_reason": job.failure_reason or None,
        "paused": job.paused or None,
        "attention": job.attention or None,
        "task_type": job.task_type,
        "labels": job.labels,
        "workers_per_object": job.workers_per_object,
        "price": money.text(job.price_micros),
        "automated_labeling": job.automated,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "label_counters": counters,
    }


def requirement_row(row: AudienceRequirement) -> dict[str, Any]:
    """What a job asks of its workers."""
    return {
        "qualification_type": row.qualification_type_id,
        "name": row.qualification_type.name,
        "comparator": row.comparator,
        "integer_values": row.integer_values,
        "actions_guarded": row.actions_guarded,
        "head_start_minutes": row.head_start_minutes,
    }


def job_detail(job: LabelingJob) -> dict[str, Any]:
    """Everything about one job."""
    spent = progress.money(job)
    return {
        **job_row(job, progress.counters(job)),
        "label_attribute_name": job.label_attribute_name,
        "audit_label_attribute_name": job.audit_label_attribute_name or None,
        "label_category_config": label_config.document(job.queue.label_category_config, job.labels),
        "reference_code": job.reference_code,
        "title": job.title,
        "description": job.description,
        "keywords": job.keywords,
        "instructions": job.instructions,
        "workteam": job.workteam_id,
        "dataset": job.dataset_id,
        "input_manifest_uri": job.input_manifest_uri,
        "topics": topics.shown(job),
        "output_uri": job.output_uri,
        "output_manifest_uri": manifests.manifest_uri(job),
        "selection": job.selection,
        "redundancy": job.redundancy,
        "automated_labeling_settings": job.automated_labeling,
        "prelabels": prelabels_row(job),
        "objects_total": job.objects_total,
        "bad_lines": job.bad_lines,
        "task_time_limit_seconds": job.task_time_limit_seconds,
        "task_availability_seconds": job.task_availability_seconds,
        "max_concurrent_tasks": job.max_concurrent_tasks,
        "review_days": job.review_days,
        "qualification_requirements": [requirement_row(one) for one in requirements.of_audience(job.queue.audience_id)],
        "routing_rule": job.queue.routing_rule,
        **choosing.of_job(job),
        "golds": gold_options(job),
        "content_classifiers": job.content_classifiers,
        "probe": probe_row(job),
        "max_human_labeled_objects": job.max_human_labeled_objects,
        "max_percentage_labeled": job.max_percentage_labeled,
        "price_ceiling": None if job.price_ceiling_micros is None else money.text(job.price_ceiling_micros),
        "wanted_end": job.wanted_end,
        "hourly_pay": hourly_row(hourly.of_job(job)) | {"floor": money.text(hourly.floor_micros())},
        "money": {name.removesuffix("_micros"): money.text(value) for name, value in spent.items()},
    }


def prelabels_row(job: LabelingJob) -> dict[str, Any] | None:
    """Whose labels people check, or count as one more worker's, with the price of checking and what came of it; None
    for jobs without pre-labels."""
    if not job.prelabels:
        return None
    counted = prelabel_options.counts(task_types.get(job.task_type))
    return {
        **job.prelabels,
        "check_price": None if counted else money.text(job.queue.price_of(checks=True)),
        "found": checking_row(job.prelabel_figures),
    }


def checking_row(figures: dict[str, Any]) -> dict[str, Any] | None:
    """What checking has saved and how far people are led by what they see, or how good a model is that they do not
    see; None before the first batch has ended."""
    if not figures:
        return None
    if "saved_micros" not in figures:
        return figures
    rest = {name: value for name, value in figures.items() if name != "saved_micros"}
    return {**rest, "saved": money.text(figures["saved_micros"])}


def elsewhere_row(cost: panels.Cost) -> dict[str, Any]:
    """What a panel's provider takes for a job."""
    rewards, fee = money.text(cost.reward_micros), money.text(cost.fee_micros)
    return {"sessions": cost.sessions, "rewards": rewards, "fee": fee, "total": money.text(cost.total_micros)}


def _design(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """The body with what it refers to by key or address. Raises NotFound, Invalid."""
    if "dataset" in given:
        given["dataset"] = scope.dataset(account, given["dataset"])
    if "input_job" in given:
        if "input_manifest_uri" in given:
            raise Invalid("either the output of a job or a manifest expected", field="input_job")
        before = scope.job(account, given.pop("input_job"))
        given["input_manifest_uri"] = chaining.output_of(before)
        if not {"label_category_config", "label_category_config_uri"} & given.keys():
            given["label_category_config"] = chaining.config_for(
                before, labels=given.get("labels", []), task_type=given["task_type"]
            )
    if "label_category_config_uri" in given:
        if given.get("label_category_config"):
            raise Invalid("either the configuration or its address expected", field="label_category_config_uri")
        given["label_category_config"] = label_configs.read_file(
            account=account, uri=given.pop("label_category_config_uri")
        )
    given.setdefault("labels", [])
    if "check_price" in (prelabels := given.get("prelabels", {})):
        given["prelabels"] = {
            **{name: value for name, value in prelabels.items() if name != "check_price"},
            "check_price_micros": money.read(prelabels["check_price"], field="prelabels.check_price", zero=True),
        }
    for name in ("max_spend", "price_ceiling"):
        if name in given:
            given[f"{name}_micros"] = money.read(given.pop(name), field=name)
    return given


@listed(operation="list_labeling_jobs", page=schemas.JOBS, description="Jobs, newest first.")
class JobsView(ListView):
    """The account's labeling jobs."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[LabelingJob]:
        """Of the account."""
        return scope.jobs(account_of(request))

    def page(self, found: list[LabelingJob]) -> list[tuple[LabelingJob, dict[str, int]]]:
        """With their counters, which are one query for all of them."""
        counted = progress.counters_of_many(found)
        return [(job, counted[job.pk]) for job in found]

    def row(self, found: tuple[LabelingJob, dict[str, int]]) -> dict[str, Any]:
        """In short."""
        return job_row(*found)

    @extend_schema(request=LabelingJobInput, responses={201: schemas.LabelingJob}, operation_id="create_labeling_job")
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a job; it starts by itself once its input has been read."""
        account = account_of(request, Role.MEMBER)
        data = LabelingJobInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = _design(account, dict(data.validated_data))
        given["workteam"] = marketplace_scope.team(account, given["workteam"])
        job = launch_job(
            account=account,
            by=actor(request),
            price_micros=money.read(given.pop("price"), field="price", zero=True),
            **given,
        )
        return Response(job_detail(job), status=status.HTTP_201_CREATED)


class JobView(APIView):
    """One labeling job."""

    @extend_schema(responses={200: schemas.LabelingJob}, operation_id="get_labeling_job")
    def get(self, request: Request, job_id: int) -> Response:
        """Everything about a job, with counters and money."""
        return Response(job_detail(scope.job(account_of(request), job_id)))


class JobStopView(APIView):
    """Stopping a job."""

    @extend_schema(request=None, responses={200: schemas.LabelingJob}, operation_id="stop_labeling_job")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Stop: what is done is kept, the rest of the money goes back to the wallet."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        creation.stop_job(job=job, by=actor(request))
        job.refresh_from_db()
        return Response(job_detail(job))


class JobResumeView(APIView):
    """A job that waits for money."""

    @extend_schema(request=None, responses={200: schemas.LabelingJob}, operation_id="resume_labeling_job")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Look at once whether a job that waits for money can go on; without this it is looked at every minute."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        pausing.resume(job=job)
        return Response(job_detail(job))


class JobContinueView(APIView):
    """Going on after the first objects."""

    @extend_schema(request=None, responses={200: schemas.LabelingJob}, operation_id="continue_labeling_job")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Let a public job go on that waits because the answers to its first objects look broken (`probe`)."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        probe.carry_on(job=job, by=actor(request))
        return Response(job_detail(job))


def probe_row(job: LabelingJob) -> dict[str, Any] | None:
    """What the first batch of a public job has shown so far; None for other jobs and before it."""
    found = probe.outcome(job)
    if found is None:
        return None
    state = job.probe or ("Held" if probe.is_held(job) else "Running")
    return {"state": state, **asdict(found), "problems": found.problems}


class EstimateView(APIView):
    """What a design would cost."""

    @extend_schema(request=JobEstimateInput, responses={200: schemas.Estimate}, operation_id="estimate_labeling_job")
    def post(self, request: Request) -> Response:
        """Total cost with the fee, duration, and the price guideline for the expected seconds."""
        account = account_of(request)
        data = JobEstimateInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        panel = marketplace_scope.panel(account, given.pop("panel")) if "panel" in given else None
        task_type = given.pop("task_type")
        checks = checks_of(given)
        price = money.read(given.pop("price"), field="price", zero=True)
        estimate = pricing.estimate(price_micros=price, checks=checks, **given)
        guide = pricing.guideline(expected_seconds=given["expected_seconds"], task_type=task_type)
        figures = {
            name.removesuffix("_micros"): money.text(value) if name.endswith("_micros") else value
            for name, value in asdict(estimate).items()
        }
        elsewhere = elsewhere_row(panels.cost(panel, answers=estimate.answers)) if panel is not None else None
        return Response({**figures, "guideline": money.text(guide), "paid_elsewhere": elsewhere})


@listed(
    operation="list_labeling_job_bad_lines",
    page=schemas.BAD_LINES,
    description="Refused lines with number and reason.",
)
class JobBadLinesView(BadLinesView):
    """Input lines the job refused."""

    def rows(self, request: Request, **place: Any) -> QuerySet[BadLine]:
        """Of one job."""
        return BadLine.objects.filter(job=scope.job(account_of(request), place["job_id"]))
