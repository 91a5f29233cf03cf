"""The audit of a loop's machine labels: people label a random sample of them too, and do not see them.

It comes when nothing is left to open, as a batch like any other. People's labels replace the machine's. When they prove
that the promise is broken, the labels of the rounds concerned are taken back, their objects go to people, and no model
labels any more objects of the job. Knows neither how programs run nor how a round is selected.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from labeling import subjects, task_types
from labeling.models import DataObject, FunctionStep, Label, LabelingJob, ObjectState
from labeling.queries import spending
from labeling.queries.progress import counters
from labeling.services.functions import waiting
from labeling.services.jobs.batches import open_batch
from labeling.services.output import manifests
from labeling.services.results import labels
from learning import loop_words, transitions
from learning.models import AuditedObject, LearningLoop, LoopAudit, LoopObject
from learning.selection import audits, losses
from learning.selection.audits import Design
from learning.selection.quality import Outcomes
from learning.selection.weighted_audits import Draws
from learning.services.active import evaluation, learners, loop_settings
from learning.services.active.loop_settings import LoopSettings
from marketplace.errors import InUse, LimitExceeded
from marketplace.models import NoticeKind, Subject
from marketplace.services import notifications

BY = "learning"
PURPOSE = "audit"


def live(loop: LearningLoop) -> LoopAudit | None:
    """The audit that is under way."""
    return loop.audits.exclude(status__in=transitions.LOOP_AUDIT.final).select_related("batch").first()


def has_failed(loop: LearningLoop) -> bool:
    """Whether an audit found the machine's labels worse than promised."""
    return loop.audits.filter(status="Broken").exists()


# --- the sample -----------------------------------------------------------------------------------------------------


def begin(loop: LearningLoop, settings: LoopSettings) -> bool | None:
    """Open an audit of the machine labels that none was about yet; None when there are none to audit.

    Otherwise whether another step of the loop may follow at once. Where nobody can be asked that is noted, with the
    reason.
    """
    if not settings.audit_share:
        return None
    rows = _unaudited(loop)
    made = {pk: (number, score) for pk, number, score in rows.values_list("data_object", "passed_in", "score")}
    if not made:
        return None
    number = loop.audits.count() + 1
    wanted = _design(loop, settings, {pk: score for pk, (_, score) in made.items()}, number)
    most, reason = _most(loop.job)
    figures: dict[str, Any] = {
        "labels": len(made), "asked": max(0, min(wanted.labels, most)), "note": "" if most > 0 else reason,
    }  # fmt: skip
    if wanted.draws is not None and wanted.labels <= most:
        ids = sorted(made)
        drawn = zip(wanted.draws.places.tolist(), wanted.draws.weights.tolist(), strict=True)
        figures["draws"] = [[ids[place], weight] for place, weight in drawn]
        figures["most_weight"] = wanted.draws.most
    return _open(loop, settings, {pk: number for pk, (number, _) in made.items()}, figures)


def _design(loop: LearningLoop, settings: LoopSettings, scores: Mapping[int, float | None], number: int) -> Design:
    """How the audit samples the labels with these trust scores, in the order of their keys."""
    known = None not in scores.values()
    doubts = 1 - np.array([scores[pk] or 0.0 for pk in sorted(scores)], dtype=np.float64)
    return audits.design(
        doubts.clip(0, 1),
        share=settings.audit_share,
        width=settings.audit_width,
        promise=promise(loop.job, settings),
        rng=np.random.default_rng([settings.seed, loop.pk, number, 1]),
        known=known,
    )


def _unaudited(loop: LearningLoop) -> QuerySet[LoopObject]:
    before = loop.audits.aggregate(last=Max("last_round"))["last"] or 0
    return LoopObject.objects.filter(
        loop=loop, split="", passed_in__gt=before, data_object__state=ObjectState.MACHINE
    ).exclude(data_object__width=None)


def _most(job: LabelingJob) -> tuple[int, str]:
    """How many objects may be audited now, and if none the reason why not."""
    if waiting.has(job, FunctionStep.PRE):
        return 0, loop_words.PREPARED
    limits = [job.max_concurrent_tasks, spending.affordable_objects(job)]
    if job.max_human_labeled_objects is not None:
        left = job.max_human_labeled_objects - counters(job)["HumanLabeled"]
        if left < 1:
            return 0, loop_words.LIMITED
        limits.append(left)
    return min(limits), loop_words.NO_MONEY


def _open(loop: LearningLoop, settings: LoopSettings, made: Mapping[int, int], figures: dict[str, Any]) -> bool:
    """Draw the sample and open it to people, or note why there is none."""
    number = loop.audits.count() + 1
    shuffled = np.random.default_rng([settings.seed, loop.pk, number]).permutation(np.array(sorted(made)))
    chosen: list[int] = shuffled[: figures["asked"]].tolist()
    if "draws" in figures:
        chosen = sorted({pk for pk, _ in figures["draws"]})
    try:
        with transaction.atomic():
            LearningLoop.objects.select_for_update().get(pk=loop.pk)
            if loop.audits.count() + 1 != number:
                return True
            audit = LoopAudit(loop=loop, number=number, last_round=max(made.values()), figures=figures)
            audit.status_changed_at = timezone.now()
            if chosen:
                audit.batch = open_batch(job=loop.job, object_ids=chosen, purpose=PURPOSE, relabels=True, by=BY)
            audit.save()
            current = DataObject.objects.filter(pk__in=chosen).values_list("pk", "label_id")
            AuditedObject.objects.bulk_create(
                [
                    AuditedObject(audit=audit, data_object_id=pk, label_id=label_id, round_number=made[pk])
                    for pk, label_id in current.order_by("pk")
                ]
            )
            if not chosen:
                transitions.LOOP_AUDIT.advance(audit, "Skipped", by=BY, because=figures["note"])
    except LimitExceeded:
        # Another job of the account spent the money meanwhile: the next step looks again at what can be paid.
        return True
    except InUse:
        # The job has changed meanwhile (it may be stopping): the next request to advance the loop deals with that.
        return False
    return not chosen


# --- what people say ------------------------------------------------------------------------------------------------


def advance(loop: LearningLoop, settings: LoopSettings, audit: LoopAudit) -> bool:
    """The next step of an audit that is under way; True when another step of the loop may follow at once."""
    if audit.status == "Withdrawing":
        return _withdraw(loop, settings, audit)
    if audit.batch.status not in ("Completed", "Stopped") or waiting.merging(loop.job):
        return False
    sample, found = _compare(loop, settings, audit)
    figures = audits.figures(sample, promise(loop.job, settings))
    labeled = _machine(loop).filter(passed_in__lte=audit.last_round).values_list("passed_in", flat=True)
    taken_back = audits.withdrawn_rounds(figures, sample.rounds.tolist(), list(labeled.distinct()))
    to = "Withdrawing" if figures["broken"] else "Kept"
    with transaction.atomic():
        if transitions.LOOP_AUDIT.advance(audit, to, by=BY, because=said(figures)):
            AuditedObject.objects.bulk_update(found, ["loss"])
            audit.figures |= figures | {"withdrawn_rounds": taken_back}
            audit.save(update_fields=["figures"])
    return True


def _compare(loop: LearningLoop, settings: LoopSettings, audit: LoopAudit) -> tuple[audits.Sample, list[AuditedObject]]:
    """The machine's labels against people's, of the objects that got one of people."""
    kind_of_loss: losses.Kind = "objects" if settings.error_loss == "objects" else "image"
    job, learner, kind = loop.job, learners.of(loop.job), task_types.get(loop.job.task_type)

    def truth(label: Label) -> Any:
        return learner.truth(kind.renamed(kind.read_value(label.value), job.earlier_labels), job.labels)

    rows = audit.objects_of_audit.filter(data_object__state=ObjectState.HUMAN).order_by("pk")
    found = list(rows.select_related("label", "data_object__label"))
    outcomes = []
    for row in found:
        mine, people = truth(row.label), truth(row.data_object.label)
        row.loss = learner.loss(mine, people, labels=job.labels, kind=kind_of_loss, iou=settings.right_iou)
        outcomes.append(learner.compared(mine, people, job.labels))
    table = np.array(outcomes, dtype=np.float64).reshape(-1, 2, learner.columns(job.labels))
    lost = np.array([row.loss for row in found], dtype=np.float64)
    numbers = np.array([row.round_number for row in found], dtype=np.int64)
    outcome = Outcomes(table[:, 0], table[:, 1])
    return audits.Sample(lost, outcome, numbers, _draws(audit, [row.data_object_id for row in found])), found


def _draws(audit: LoopAudit, answered: Sequence[int]) -> Draws | None:
    """The draws of the objects that people have answered, by their places among these."""
    if "draws" not in audit.figures:
        return None
    places = {pk: place for place, pk in enumerate(answered)}
    drawn = [(places[pk], weight) for pk, weight in audit.figures["draws"] if pk in places]
    return Draws(
        np.array([place for place, _ in drawn], dtype=np.int64),
        np.array([weight for _, weight in drawn], dtype=np.float64),
        audit.figures["most_weight"],
    )


def promise(job: LabelingJob, settings: LoopSettings) -> audits.Promise:
    """What the loop of a job has promised of its machine labels."""
    target = settings.target(loop_settings.measure_of(job.task_type))
    return audits.Promise(confidence=settings.confidence, quality=target, error=settings.target_error or None)


def said(figures: Mapping[str, Any]) -> str:
    """What an audit has found, in words."""
    if not figures["answered"]:
        return "nobody has labeled any object of the audit"
    return f"{figures['wrong']} of {figures['answered']} labels of the model were not what people say"


# --- a broken promise -----------------------------------------------------------------------------------------------


def _machine(loop: LearningLoop) -> QuerySet[LoopObject]:
    return LoopObject.objects.filter(loop=loop, split="", data_object__state=ObjectState.MACHINE)


def _withdraw(loop: LearningLoop, settings: LoopSettings, audit: LoopAudit) -> bool:
    """Take the labels of the rounds concerned back, so that people label their objects, and tell the requester."""
    concerned = audit.figures["withdrawn_rounds"]
    ids = list(_machine(loop).filter(passed_in__in=concerned).values_list("data_object", flat=True))
    because = f"audit {audit.number}: {said(audit.figures)}"
    try:
        labels.take_back(job=loop.job, ids=ids, reason=because, by=BY)
    except InUse:
        # The job is ending: the next request to advance the loop ends the audit too.
        return False
    manifests.refresh_output(loop.job_id)
    with transaction.atomic():
        if transitions.LOOP_AUDIT.advance(audit, "Broken", by=BY, because=because):
            rows = LoopObject.objects.filter(loop=loop, passed_in__in=concerned)
            taken = rows.filter(split="", data_object__state=ObjectState.UNLABELED).count()
            # Validation objects stood for the labels that are gone, and may be candidates again.
            rows.update(passed_in=None, outcome=None, loss=None)
            audit.figures |= {"withdrawn": taken, "machine": evaluation.machine_quality(loop, settings)}
            audit.save(update_fields=["figures"])
            _tell(loop, audit)
    return True


def _tell(loop: LearningLoop, audit: LoopAudit) -> None:
    found = audit.figures
    notifications.tell_account(
        account=loop.job.account,
        kind=NoticeKind.FLAG,
        text=f"The audit of the labeling job {loop.job.name} found its machine labels worse than promised: "
        f"{said(found)}. {found['withdrawn']} labels were taken back, and people label these objects.",
        subject=Subject(subjects.LABELING_JOB, loop.job_id),
    )


def stop(loop: LearningLoop, *, because: str) -> None:
    """End the audit that is under way, if one is. Needs a transaction."""
    if (audit := live(loop)) is not None:
        transitions.LOOP_AUDIT.advance(audit, "Stopped", by=BY, because=because)
