"""Pre-labels of the objects that a loop opens next, by its newest model. Knows neither who sees them nor prices."""

from collections.abc import Iterable, Sequence
from typing import Any

from labeling import task_types
from labeling.models import LabelingJob
from labeling.services.prelabels import options, showing
from labeling.services.prelabels.sources import Proposed
from labeling.services.results import consolidating
from learning.contract import Prediction
from learning.models import LearningLoop, Round, Split
from learning.services.active import evaluation, learners, loop_objects, loop_settings
from learning.services.active.loop_settings import LoopSettings


def propose(job: LabelingJob, object_ids: Sequence[int]) -> dict[int, Proposed]:
    """What the newest model of the job's loop says of these objects; nothing before there is one."""
    loop = LearningLoop.objects.filter(job=job).first()
    newest = None if loop is None else newest_round(loop)
    if loop is None or newest is None:
        return {}
    return _proposed(loop, newest, set(object_ids))


def record_blind(loop: LearningLoop) -> None:
    """Store what the newest model says of the validation objects that people have labeled, and learn from it.

    People did not see it, so it shows how good the model is; their label stays as independent of it as it was.
    """
    newest = newest_round(loop)
    if newest is None or not loop.job.prelabels or loop.job.prelabels["source"] != "loop":
        return
    checked = set(loop_objects.human_labeled(loop, Split.VALIDATION).values_list("pk", flat=True))
    showing.store(loop.job, _proposed(loop, newest, checked), apart=checked)
    consolidating.refit(job=loop.job, growth=1)


def newest_round(loop: LearningLoop) -> Round | None:
    """The newest round whose model has predicted and been evaluated."""
    rows = loop.rounds.filter(transform_job__status="Completed", rule__isnull=False).order_by("-number")
    return rows.select_related("transform_job__model").first()


def _proposed(loop: LearningLoop, newest: Round, wanted: set[int]) -> dict[int, Proposed]:
    job, learner = loop.job, learners.of(loop.job)
    seen = [
        one
        for one in evaluation.predictions(job, newest.transform_job)
        if one.error is None and one.object_id is not None
    ]
    model = newest.transform_job.model.name
    if options.counts(task_types.get(job.task_type)):
        # How much its scores are worth is learned by consolidation, which asks no rule.
        answers = {one.object_id: learner.proposed(one, job.labels) for one in seen if one.object_id in wanted}
        return {pk: Proposed(answer, model) for pk, answer in answers.items() if pk is not None and answer is not None}
    rule = _rule(loop, newest, seen)
    least = job.prelabels["least_quality"]
    found = {}
    for one in seen:
        if one.object_id not in wanted:
            continue
        sure = learner.sure(rule, one, job.labels)
        answer = learner.label(rule, one, job.labels, sure)
        if answer is not None:
            found[one.object_id] = Proposed(answer, model, good=sure >= least)
    return found


def _rule(loop: LearningLoop, newest: Round, seen: Iterable[Prediction]) -> Any:
    """The rule that gives labels and their expected quality, by the measure of the task type.

    A loop that promises a share of wrong labels expects how likely a label is right as a whole, which says little of
    one that people are to correct.
    """
    job, learner = loop.job, learners.of(loop.job)
    settings = LoopSettings(**loop.settings)
    if not settings.target_error:
        return learner.rule(newest.rule)
    rows = loop_objects.human_labeled(loop, Split.VALIDATION).select_related("label")
    truths = {row.pk: loop_objects.truth(job, row) for row in rows}
    by_id = {one.object_id: one for one in seen if one.object_id in truths}
    ids = sorted(truths)
    return learner.choose(
        [by_id.get(pk) for pk in ids],
        [truths[pk] for pk in ids],
        labels=job.labels,
        target=settings.target(loop_settings.measure_of(job.task_type)),
        confidence=settings.confidence,
        earlier=None,
        seed=settings.seed + newest.number,
    ).certainty
