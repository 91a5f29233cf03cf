"""The middle of a run: the new model and the live one predict both test sets, F1 is taken, and the gate decides."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from learning.contract import Prediction
from learning.models import Model, PolicyRun, TransformJob
from learning.models.training import LIVE
from learning.selection import f1, gates
from learning.selection.gates import FIXED, FRESH
from learning.selection.quality import Detections
from learning.services import model_approval, registry, transforms
from learning.services.improvement import parameters as known
from learning.services.improvement import runs, sets

NEW, OLD = "new", "live"
SCORE = 0.05
"""Boxes of lower scores are not predicted: no cut lies below."""


def begin(run: PolicyRun) -> bool:
    """Ask for every prediction that there is not yet."""
    if run.model is None or run.live_model is None:
        runs.fail(run, "its model or the live one was deleted")
        return True
    with transaction.atomic():
        for name in _names(run):
            for model in (run.model, run.live_model):
                _prediction(run, name, model)
        return runs.move(run, "Evaluation", f"both models predict the test sets {' and '.join(_names(run))}")


def _names(run: PolicyRun) -> list[str]:
    return [FIXED, FRESH] if run.fresh_uri else [FIXED]


def _uri(run: PolicyRun, name: str) -> str:
    return run.fresh_uri if name == FRESH else run.policy.fixed_uri


def _prediction(run: PolicyRun, name: str, model: Model) -> TransformJob:
    """The prediction of a model over a set; that of a model over the fixed set is made once for all runs."""
    part = f"{name}-{run.number}" if name == FRESH else name
    called = f"{run.policy.name[:30].rstrip('-')}-{run.policy_id}-{part}-{model.pk}"
    rows = TransformJob.objects.filter(account=run.policy.account, name=called)
    if (found := rows.select_related("model__account").first()) is not None:
        return found
    return transforms.create_transform(
        account=run.policy.account,
        name=called,
        model=model,
        manifest_uri=_uri(run, name),
        hyperparameters={"embedding": False, "score_threshold": SCORE},
        by=runs.BY,
    )


def decide(run: PolicyRun) -> bool:
    """Once every prediction is there: take F1 of both models on both sets, and let the gate decide."""
    if run.model is None or run.live_model is None:
        runs.fail(run, "its model or the live one was deleted")
        return True
    found = {
        name: {NEW: _prediction(run, name, run.model), OLD: _prediction(run, name, run.live_model)}
        for name in _names(run)
    }
    jobs = [job for pair in found.values() for job in pair.values()]
    if broken := [job for job in jobs if job.status not in (*LIVE, "Completed")]:
        runs.fail(run, f"the transform job {broken[0].name} is {broken[0].status}. {broken[0].failure_reason}".strip())
        return True
    if any(job.status != "Completed" for job in jobs):
        return False
    conclude(run, evaluate(run, found))
    return True


def evaluate(run: PolicyRun, found: Mapping[str, Mapping[str, TransformJob]]) -> dict[str, Any]:
    """{"fixed": {"new": figures, "live": figures}, "fresh": ..., "cuts": {"new": {class: cut}, "live"}}.

    The score cuts of each model are those with its best F1 on the fixed set; they hold on the fresh one, too.
    """
    labels = run.policy.labels
    index = {label: place for place, label in enumerate(labels)}
    matched = {
        name: {who: _matches(sets.read(_uri(run, name)), job, index) for who, job in pair.items()}
        for name, pair in found.items()
    }
    cuts = {who: f1.fit_cuts(match) for who, match in matched[FIXED].items()}
    figures: dict[str, Any] = {
        name: {who: f1.figures(match, cuts[who], labels) for who, match in pair.items()}
        for name, pair in matched.items()
    }
    return figures | {"cuts": {who: f1.cuts_by_name(values, labels) for who, values in cuts.items()}}


def _matches(truth: Sequence[sets.Labeled], job: TransformJob, index: Mapping[str, int]) -> f1.Matches:
    """By name: the same class may have another number in another model. An unreadable image counts as all missed."""
    names = registry.class_names(job.model)
    predicted = [_found(one, names, index) for one in transforms.predictions(job)]
    true = [
        Detections.of([(index[box.label], box.left, box.top, box.width, box.height, 1.0) for box in one.boxes])
        for one in truth
    ]
    return f1.matches(predicted, true, classes=len(index))


def _found(one: Prediction, names: Mapping[int, str], index: Mapping[str, int]) -> Detections:
    rows = [(index.get(names[b.class_id]), b.left, b.top, b.width, b.height, b.score) for b in one.boxes]
    return Detections.of([(row[0], *row[1:]) for row in rows if row[0] is not None])


def conclude(run: PolicyRun, figures: Mapping[str, Any]) -> None:
    """Let the gate decide by the figures of `evaluate`; the model is approved or rejected with the reason."""
    policy = run.policy
    new, live = ({name: figures.get(name, {}).get(who, {}).get("f1") for name in (FIXED, FRESH)} for who in (NEW, OLD))
    verdict = gates.judge(
        new=new,
        live=live,
        fresh_images=run.fresh_images,
        minimum=policy.parameters[known.LEAST_F1],
        margin=policy.settings["margin"],
    )
    to = {gates.PASSED: "StartModel", gates.LOW: "FailedF1Score", gates.WORSE: "Regression"}[verdict.outcome]
    with transaction.atomic():
        if not runs.move(run, to, verdict.reason, figures={**run.figures, **figures}) or run.model is None:
            return
        passed = verdict.outcome == gates.PASSED
        status = "Approved" if passed else "Rejected"
        model_approval.decide(model=run.model, status=status, by=runs.BY, comment=verdict.reason)
        if passed:
            runs.tell(policy, f"deploys the model {run.model.name}: {verdict.reason}")
            return
        aside = runs.set_aside(run) if verdict.outcome == gates.WORSE else 0
        kept = f"; its {aside} images are set aside" if aside else ""
        runs.tell(policy, f"refuses the model {run.model.name}: {verdict.reason}{kept}")
