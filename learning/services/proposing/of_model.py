"""Pre-labels of a whole job by one model: one prediction of all its objects, made before the first of them is opened.

An endpoint stands for the model that it serves when the job begins. Knows neither who sees pre-labels nor prices.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.db import transaction

from labeling.models import DataObject, LabelingJob
from labeling.services.prelabels.sources import Proposed
from labeling.services.queue import advance_requests
from labeling.task_types.base import TaskType
from learning import families
from learning.models import Endpoint, Model, PreLabelRun
from learning.services import registry, transforms
from learning.services.active import evaluation, learners, loop_manifests
from marketplace import storage
from marketplace.errors import DomainError, NotFound
from marketplace.models import Account
from marketplace.queue import enqueue

if TYPE_CHECKING:
    from labeling.services.jobs.design import Design

BY = "learning"
FAILED = "the objects are labeled without pre-labels: "


def check_model(design: "Design") -> Iterable[tuple[str, str]]:
    """What is wrong with the model of a design."""
    return _wrong(design, "model")


def check_endpoint(design: "Design") -> Iterable[tuple[str, str]]:
    """What is wrong with the endpoint of a design."""
    return _wrong(design, "endpoint")


def _wrong(design: "Design", source: str) -> Iterable[tuple[str, str]]:
    try:
        model = model_of(design.account, source, (design.prelabels or {})[source])
    except DomainError as error:
        return [(f"prelabels.{source}", error.message)]
    if families.of_architecture(model.architecture) is not families.get(_learner(design.kind)):
        family = families.of_architecture(model.architecture).word
        return [(f"prelabels.{source}", f"the model {model.name!r} is a {family}, which is not for these labels")]
    if not set(model.labels) & set(design.labels):
        return [(f"prelabels.{source}", f"the model {model.name!r} knows no class of the job")]
    return []


def _learner(kind: TaskType[Any, Any] | None) -> str:
    return (kind.learner if kind is not None else "") or families.DETECTOR.name


def model_of(account: Account, source: str, named: str) -> Model:
    """The model, or the one that the endpoint serves most requests with. Raises NotFound, Invalid."""
    if source == "model":
        return registry.by_arn(account=account, model_arn=named)
    endpoint = Endpoint.objects.filter(account=account, name=named).select_related("config").first()
    if endpoint is None:
        raise NotFound(f"the account has no endpoint {named!r}")
    served = max(endpoint.config.variants, key=lambda variant: float(variant["weight"]))
    return registry.get(account=account, name=served["model"])


def propose(job: LabelingJob, object_ids: Sequence[int]) -> dict[int, Proposed] | None:
    """What the job's model says of these objects; None while the prediction is made, nothing when it has failed."""
    run = PreLabelRun.objects.filter(job=job).select_related("transform_job__model").first()
    if run is None:
        return _start(job)
    transform = run.transform_job
    if transform is None or transform.status in ("Failed", "Stopped"):
        return {}
    if transform.status != "Completed":
        return None
    wanted, learner = set(object_ids), learners.of(job)
    seen = (one for one in evaluation.predictions(job, transform) if one.error is None)
    answers = {one.object_id: learner.proposed(one, job.labels) for one in seen if one.object_id in wanted}
    name = transform.model.name
    return {pk: Proposed(answer, name) for pk, answer in answers.items() if pk is not None and answer is not None}


def _start(job: LabelingJob) -> dict[int, Proposed] | None:
    """Begin the prediction; without a model that is there and can run, the objects get no pre-labels."""
    source = job.prelabels["source"]
    name = f"prelabels-{job.reference_code[:20]}"
    uri = storage.join(django_settings.STORE_URL, "prelabels", job.account.number, f"{name}.manifest")
    loop_manifests.write_unlabeled(uri, job, DataObject.objects.filter(job=job).order_by("index"))
    with transaction.atomic():
        LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if PreLabelRun.objects.filter(job=job).exists():
            return None
        try:
            made = transforms.create_transform(
                account=job.account,
                name=name,
                model=model_of(job.account, source, job.prelabels[source]),
                manifest_uri=uri,
                hyperparameters={"embedding": False, "score_threshold": transforms.LEAST_SCORE},
                by=BY,
            )
        except DomainError as error:
            PreLabelRun.objects.create(job=job, problem=(FAILED + error.message)[:500])
            return {}
        PreLabelRun.objects.create(job=job, transform_job=made)
    return None


def advance_for_run(*, run_id: int) -> None:
    """A prediction has ended: the job that waited for it goes on, with its loop if it has one."""
    waiting = PreLabelRun.objects.filter(transform_job=run_id)
    for queue_id, loop_id in waiting.values_list("job__queue", "job__learning_loop"):
        with transaction.atomic():
            advance_requests.request_advance(queue_id)
            if loop_id is not None:
                enqueue("learning.background.advance_loop", loop_id)
