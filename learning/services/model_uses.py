"""What a model is needed for right now, so that nobody deletes it under somebody's feet.

Who begins to use models in another way adds a function to USES. Knows no pages.
"""

from collections.abc import Callable, Iterator

from django.db.models import Q

from learning.contract import MODEL
from learning.models import FOLLOWED_RUNS, LearningLoop, Model, PolicyRun, TrainingJob, TransformJob
from learning.models.training import LIVE
from learning.services.hosting import hosting


def uses_of(model: Model) -> list[str]:
    """What uses the model now, each in words that follow "used by"; empty when it may be deleted."""
    return [use for uses in USES for use in uses(model)]


def _predictions(model: Model) -> Iterator[str]:
    for name in TransformJob.objects.filter(model=model, status__in=LIVE).values_list("name", flat=True):
        yield f"the transform job {name}"


def _trainings(model: Model) -> Iterator[str]:
    rows = TrainingJob.objects.filter(account=model.account, status__in=LIVE, channels__has_key=MODEL)
    for run in rows:
        if _named(run.channels[MODEL].get("name", ""), model):
            yield f"the training job {run.name}"


def _loops(model: Model) -> Iterator[str]:
    rows = LearningLoop.objects.filter(job__account=model.account, status="InProgress").select_related("job")
    newest = rows.filter(rounds__training_job__model=model).values_list("pk", flat=True)
    mine = set(newest)
    for loop in rows:
        given = str((loop.job.automated_labeling or {}).get("initial_model") or "")
        if loop.pk in mine or _named(given, model):
            yield f"the learning loop of the labeling job {loop.job.name}"


def _endpoints(model: Model) -> Iterator[str]:
    for endpoint in hosting.endpoints_using(model):
        yield f"the endpoint {endpoint.name}"


def _improvements(model: Model) -> Iterator[str]:
    mine = Q(model=model, status__in=FOLLOWED_RUNS) | Q(live_model=model, status__in=[*FOLLOWED_RUNS, "Watching"])
    for name in PolicyRun.objects.filter(mine).values_list("policy__name", flat=True).distinct():
        yield f"the improvement policy {name}"


def _named(given: str, model: Model) -> bool:
    """Whether a name or an ARN is this model's."""
    return given.rpartition("/")[2] == model.name


USES: list[Callable[[Model], Iterator[str]]] = [_predictions, _trainings, _loops, _endpoints, _improvements]
