"""The watch over a model that a run has deployed: what people answer says whether it does worse than the one before.

At each planned look the agreement with people is compared with that before the switch. If it has fallen, the model
before predicts the same images, and only if it agrees more with people there, the new one is taken back.
"""

from dataclasses import asdict

from django.db import transaction

from labeling.formats.shapes import Box
from learning.models import Detection, ImprovementPolicy, Model, PolicyRun, TransformJob
from learning.models.training import LIVE
from learning.selection import gates
from learning.selection.gates import Look
from learning.services import model_approval, registry, transforms
from learning.services.improvement import answers, evaluating, runs, sets
from learning.services.improvement.creating import live_variant
from learning.services.improvement.deploying import serve
from marketplace import storage
from marketplace.errors import WrongState

COMPARED_BEFORE = 200
"""Reviewed images of the model before, the newest ones, that a new model is compared with."""


def watch(run: PolicyRun) -> bool:
    """Take the next look, if enough images were reviewed; whether the run or its figures have changed."""
    done = run.figures.get("watch", [])
    wanted = gates.next_look(len(done))
    if wanted is None:
        return _completed(run, "the model is no worse than the one before by what people answered")
    after = reviewed(run.policy, run.model, newest=False, most=wanted)
    if len(after) < wanted:
        return False
    before = reviewed(run.policy, run.live_model, newest=True, most=COMPARED_BEFORE)
    if len(before) < gates.LEAST_BEFORE:
        return _completed(run, f"{len(before)} images of the model before were reviewed: too few to compare with")
    look = gates.watch(_agreements(before), _agreements(after))
    confirmed: Look | None = None
    if look.worse and run.live_model is not None and run.live_model.deleted_at is None:
        job = _prediction(run, run.live_model, after)
        if job.status in LIVE:
            return False
        confirmed = _confirm(job, after) if job.status == "Completed" else None
    shown = {**asdict(look), "confirmed": None if confirmed is None else asdict(confirmed)}
    with transaction.atomic():
        run.figures = {**run.figures, "watch": [*done, shown]}
        run.save(update_fields=["figures"])
        if look.worse and confirmed is not None and confirmed.worse:
            _take_back(run, look, confirmed)
        elif look.worse:
            runs.tell(run.policy, f"does not take back its model: {_why_not(look, confirmed)}")
    return True


def _completed(run: PolicyRun, because: str) -> bool:
    with transaction.atomic():
        return runs.move(run, "Completed", because)


def reviewed(policy: ImprovementPolicy, model: Model | None, *, newest: bool, most: int) -> list[Detection]:
    """The images of a model that people have answered, the newest or the oldest of them."""
    rows = policy.detections.filter(status="Answered", model=model, set_aside=False).exclude(agreement=None)
    return list(rows.select_related("human_loop").order_by("-answered_at" if newest else "answered_at", "pk")[:most])


def _agreements(rows: list[Detection]) -> list[float]:
    return [row.agreement or 0.0 for row in rows]


def _prediction(run: PolicyRun, model: Model, rows: list[Detection]) -> TransformJob:
    """The prediction of the model before over the images of this look."""
    policy = run.policy
    name = f"{policy.name[:30].rstrip('-')}-{policy.pk}-watch-{run.number}-{len(rows)}"
    found = TransformJob.objects.filter(account=policy.account, name=name).select_related("model__account").first()
    if found is not None:
        return found
    uri = storage.join(policy.location, "evaluation", f"{name}.manifest")
    sets.write(uri, (sets.of_detection(row) for row in rows), labels=policy.labels)
    return transforms.create_transform(
        account=policy.account,
        name=name,
        model=model,
        manifest_uri=uri,
        hyperparameters={"embedding": False, "score_threshold": evaluating.SCORE},
        by=runs.BY,
    )


def _confirm(job: TransformJob, rows: list[Detection]) -> Look:
    names = registry.class_names(job.model)
    before = []
    for row, found in zip(rows, transforms.predictions(job), strict=True):
        boxes = [Box(names[b.class_id], b.left, b.top, b.width, b.height, b.score) for b in found.boxes]
        before.append(answers.agreement(boxes, sets.of_detection(row).boxes))
    return gates.confirm(before, _agreements(rows))


def _why_not(look: Look, confirmed: Look | None) -> str:
    fell = f"agreement with people fell from {look.before:.3f} to {look.after:.3f} on {look.images} reviewed images"
    if confirmed is None:
        return f"{fell}, but the model before cannot be asked about them"
    return f"{fell}, but the model before agrees no more with people on the same images ({confirmed.before:.3f})"


def _take_back(run: PolicyRun, look: Look, confirmed: Look) -> None:
    policy, endpoint = run.policy, run.policy.endpoint
    because = (
        f"agreement with people fell from {look.before:.3f} to {look.after:.3f} on {look.images} reviewed images "
        f"(Mann-Whitney U test, p = {look.p:.2g}), where the model before has {confirmed.before:.3f} "
        f"(Wilcoxon signed-rank test, p = {confirmed.p:.2g})"
    )
    if run.model is None or run.live_model is None:
        raise WrongState("the model or the one before was deleted")
    if endpoint is None or live_variant(endpoint).model_id != run.model_id:
        runs.move(run, "Completed", f"the endpoint serves another model since: {because}")
        return
    if endpoint.status != "InService":
        raise WrongState("the endpoint is being changed; the model is taken back after that")
    deployment = serve(policy, run.live_model)
    runs.move(run, "RollingBack", because, deployment=deployment, reason=because)
    runs.set_aside(run)
    model_approval.decide(model=run.model, status="Rejected", by=runs.BY, comment=because)
    runs.tell(policy, f"takes back the model {run.model.name}: {because}")
