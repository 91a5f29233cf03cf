"""Tuning jobs: searches over trainings, and the trainings that they have started."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_tuning
from frontend.rest.fields import Body, FiniteFloatField, members
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import scope as labeling_scope
from learning import queries
from learning.models import HyperParameterTuningJob, TuningTrial
from learning.services import run_deletion, scope
from learning.services.tuning import config, creating, definitions, describing, ranges
from learning.services.tuning.config import TuningConfig
from marketplace import names
from marketplace.models import Role


class ObjectiveInput(Body):
    """The metric to make as large or as small as can be."""

    type = serializers.ChoiceField(choices=config.DIRECTIONS)
    metric_name = serializers.CharField(max_length=config.METRIC_LENGTH.longest)


class RangeInput(Body):
    """A searched hyperparameter: `values` of a Categorical one, both ends and a scaling of the others."""

    name = serializers.CharField(max_length=ranges.NAME_LENGTH.longest)
    type = serializers.ChoiceField(choices=ranges.TYPES)
    min_value = FiniteFloatField(required=False)
    max_value = FiniteFloatField(required=False)
    scaling_type = serializers.ChoiceField(choices=ranges.SCALINGS, required=False)
    values = serializers.ListField(
        child=serializers.CharField(max_length=ranges.VALUE_LENGTH.longest),
        min_length=ranges.MOST_VALUES.low,
        max_length=ranges.MOST_VALUES.longest,
        required=False,
    )


class LimitsInput(Body):
    """How many trainings, how many at a time, how long."""

    max_jobs = serializers.IntegerField(**config.JOBS.bounds, required=False)
    max_parallel_jobs = serializers.IntegerField(**config.PARALLEL.bounds, required=False)
    max_runtime_seconds = serializers.IntegerField(**config.RUNTIME_SECONDS.bounds, required=False)


class CompletionInput(Body):
    """What ends the search before its limits."""

    target_objective_value = FiniteFloatField(required=False)
    max_jobs_not_improving = serializers.IntegerField(**config.NOT_IMPROVING.bounds, required=False)
    complete_on_convergence = serializers.BooleanField(required=False)


class HyperbandInput(Body):
    """The epochs after which Hyperband first compares trainings, and those of a whole training."""

    min_resource = serializers.IntegerField(**config.RESOURCE.bounds, required=False)
    max_resource = serializers.IntegerField(**config.RESOURCE.bounds, required=False)


class WarmStartInput(Body):
    """Tuning jobs to learn from, by their names."""

    type = serializers.ChoiceField(choices=config.WARM_STARTS)
    parents = serializers.ListField(
        child=serializers.CharField(max_length=creating.NAME_LENGTH.longest),
        min_length=config.PARENTS.low,
        max_length=config.PARENTS.longest,
    )


class TuningInput(Body):
    """A search over trainings on the labels of a data set. Hyperparameters are texts."""

    name = serializers.RegexField(names.PATTERN, max_length=creating.NAME_LENGTH.longest)
    dataset = serializers.IntegerField()
    validation = serializers.IntegerField(required=False)
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)
    strategy = serializers.ChoiceField(choices=config.STRATEGIES)
    objective = ObjectiveInput()
    ranges = serializers.ListField(
        child=RangeInput(), min_length=ranges.MOST_RANGES.low, max_length=ranges.MOST_RANGES.longest
    )
    limits = LimitsInput(required=False)
    early_stopping = serializers.ChoiceField(choices=config.EARLY_STOPPING, required=False)
    completion = CompletionInput(required=False)
    hyperband = HyperbandInput(required=False)
    random_seed = serializers.IntegerField(**config.SEED.bounds, required=False)
    warm_start = WarmStartInput(required=False)


def tuning_row(job: Any) -> dict[str, Any]:
    """A tuning job as lists show it; `job` is a row of describing.with_counts."""
    asked = TuningConfig.load(job.config)
    counted = describing.counters(job)
    return {
        "id": job.pk,
        "name": job.name,
        "status": job.status,
        "failure_reason": job.failure_reason or None,
        "strategy": asked.strategy,
        "objective": {"type": asked.direction, "metric_name": asked.metric},
        "max_jobs": asked.max_jobs,
        "training_jobs": counted["training_jobs"],
        "objectives": counted["objectives"],
        "best_value": job.best_value,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
    }


def detail(job: Any) -> dict[str, Any]:
    """A tuning job with its configuration and its best training."""
    asked, best, overall = TuningConfig.load(job.config), describing.best(job), describing.overall_best(job)
    return {
        **tuning_row(job),
        "attention": job.attention or None,
        "hyperparameters": job.hyperparameters,
        "channels": job.channels,
        "ranges": [_range(one) for one in asked.searched],
        "definitions": [one.name for one in definitions.of(job) if one.name],
        "max_parallel_jobs": asked.max_parallel,
        "max_runtime_seconds": asked.max_seconds,
        "early_stopping": asked.early_stopping,
        "random_seed": asked.seed,
        "completion": {
            "target_objective_value": asked.target,
            "max_jobs_not_improving": asked.not_improving,
            "complete_on_convergence": asked.converge,
        },
        "hyperband": {"min_resource": asked.min_epochs, "max_resource": asked.max_epochs},
        "warm_start": {"type": asked.warm_start, "parents": list(asked.parents)} if asked.parents else None,
        "ending": job.ending or None,
        "jobs_not_improving": describing.not_improving(job),
        "converged_at": job.converged_at,
        "importance": job.importance,
        "best_training_job": trial_row(best) if best else None,
        "overall_best_training_job": trial_row(overall) if overall else None,
        "runtime_seconds": describing.seconds(job),
    }


def _range(one: ranges.Searched) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": one.type,
        "min_value": one.low,
        "max_value": one.high,
        "scaling_type": one.scaling,
        "values": list(one.values) if one.values is not None else None,
    }


def trial_row(trial: TuningTrial) -> dict[str, Any]:
    """A training of a tuning job."""
    run = trial.training_job
    return {
        "id": trial.pk,
        "name": trial.name,
        "definition": trial.definition,
        "training_job": trial.training_job_id,
        "status": run.status if run else "Stopped",
        "failure_reason": (run.failure_reason or None) if run else None,
        "model": run.model_id if run else None,
        "tuned_hyperparameters": trial.hyperparameters,
        "objective_status": trial.objective_status,
        "objective_value": trial.objective_value,
        "stopped_early": trial.stopped_early,
        "created_at": trial.created_at,
        "started_at": run.started_at if run else None,
        "ended_at": run.ended_at if run else None,
    }


def _counted(request: Request, tuning_id: int, role: Role | str = Role.VIEWER) -> HyperParameterTuningJob:
    found = scope.tuning(account_of(request, role), tuning_id)
    return describing.with_counts(HyperParameterTuningJob.objects.filter(pk=found.pk)).get()


@listed(
    operation="list_tuning_jobs",
    page=schemas.page("Tuning", schemas_tuning.Tuning),
    description="Tuning jobs, newest first.",
)
class TuningJobsView(ListView):
    """The account's tuning jobs."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[HyperParameterTuningJob]:
        """Of the account."""
        return describing.with_counts(queries.tunings(account_of(request)))

    def row(self, found: HyperParameterTuningJob) -> dict[str, Any]:
        """Without its configuration."""
        return tuning_row(found)

    @extend_schema(request=TuningInput, responses={201: schemas_tuning.TuningDetail}, operation_id="create_tuning_job")
    @idempotent
    def post(self, request: Request) -> Response:
        """Search the hyperparameters with which a training on a data set's labels does best."""
        account = account_of(request, Role.MEMBER)
        given = members(TuningInput, request)
        for key in {"dataset", "validation"} & given.keys():
            given[key] = labeling_scope.dataset(account, given[key])
        job = creating.tune_on_dataset(account=account, by=actor(request), searched=given.pop("ranges"), **given)
        return Response(detail(_counted(request, job.pk)), status=status.HTTP_201_CREATED)


class TuningJobView(APIView):
    """One tuning job."""

    @extend_schema(responses={200: schemas_tuning.TuningDetail}, operation_id="get_tuning_job")
    def get(self, request: Request, tuning_id: int) -> Response:
        """The tuning job with its configuration and its best training."""
        return Response(detail(_counted(request, tuning_id)))

    @extend_schema(request=None, responses={204: None}, operation_id="delete_tuning_job")
    def delete(self, request: Request, tuning_id: int) -> Response:
        """Delete a tuning job that has ended; its trainings and their models stay."""
        job = scope.tuning(account_of(request, Role.MEMBER), tuning_id)
        run_deletion.delete_tuning(tuning_job=job, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@listed(
    operation="list_tuning_job_trainings",
    page=schemas.page("TuningTrial", schemas_tuning.TuningTrial),
    description="The trainings of a tuning job, newest first.",
)
class TuningTrialsView(ListView):
    """The trainings of a tuning job."""

    filters = {"status": "training_job__status", "objective_status": "objective_status"}

    def rows(self, request: Request, tuning_id: int = 0, **place: Any) -> QuerySet[TuningTrial]:
        """Of the account's tuning job."""
        return describing.trials(scope.tuning(account_of(request), tuning_id))

    def row(self, found: TuningTrial) -> dict[str, Any]:
        """One training."""
        return trial_row(found)


class TuningJobStopView(APIView):
    """Stopping a tuning job."""

    @extend_schema(request=None, responses={200: schemas_tuning.Tuning}, operation_id="stop_tuning_job")
    @idempotent
    def post(self, request: Request, tuning_id: int) -> Response:
        """Start no further training and stop those that run; what they have learned is kept."""
        job = scope.tuning(account_of(request, Role.MEMBER), tuning_id)
        creating.stop(tuning_job=job, by=actor(request))
        return Response(tuning_row(_counted(request, tuning_id)))
