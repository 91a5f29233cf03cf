"""The steps of a tuning job: note what has ended, end what falls behind, ask for the next trial, end the search.

`advance` takes whatever steps are next by the rows, and may be called at any time: a step that was interrupted is taken
again. Whether trainings are silent or dead is the supervisor's to know; here a training has ended or has not.
"""

import math
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from labeling.services import attempts
from learning import transitions
from learning.models import HyperParameterTuningJob, Objective, TrainingMetric, TuningTrial
from learning.services import run_notices
from learning.services.active import lease
from learning.services.programs import kinds
from learning.services.tuning import config, creating, definitions, rules, studies
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.definitions import Definition
from learning.services.tuning.rules import Point
from marketplace.errors import DomainError, StoreUnavailable

BY = "tuning"
ALL_FAILED = 5
"""When so many trainings have ended and none has an objective, the rest would not either."""
RUNTIME, TARGET, NOT_IMPROVING, CONVERGED, FAILING = (
    "MaxRuntimeInSeconds",
    "TargetObjectiveMetricValue",
    "BestObjectiveNotImproving",
    "ConvergenceDetected",
    "TrainingsFail",
)
STOPS_RUNNING = (RUNTIME, TARGET)
"""Ends of a search that trainings in progress are not waited for."""
UNEXPECTED = "the search met an unexpected error"


def advance(*, tuning_id: int) -> None:
    """Take every step that can be taken now.

    A search that meets an unexpected error again and again fails with the reason, or shows it while the machine or the
    database gives out and it is tried again every minute.
    """
    if attempts.attempt("advance_tuning", tuning_id, lambda: _advance(tuning_id), give_up=partial(_report, tuning_id)):
        HyperParameterTuningJob.objects.filter(pk=tuning_id).update(attention="")


def advance_for_run(*, run_id: int) -> None:
    """A training has ended, or measured its objective: advance the search that it belongs to, if it belongs to one."""
    for pk in TuningTrial.objects.filter(training_job=run_id).values_list("tuning_job", flat=True):
        advance(tuning_id=pk)


def _report(tuning_id: int, reason: str, passing: bool) -> None:
    said = f"{UNEXPECTED}: {reason}"[:500]
    rows = HyperParameterTuningJob.objects.filter(pk=tuning_id).exclude(status__in=transitions.TUNING_JOB.final)
    if passing:
        rows.update(attention=said)
        return
    with transaction.atomic():
        for tuning in rows:
            _end_runs(tuning)
            _conclude(tuning, "Failed", said)


def _advance(tuning_id: int) -> None:
    """One caller at a time advances a search; the others' requests are kept, see active/lease.py."""
    if not lease.request(tuning_id, HyperParameterTuningJob):
        return
    with lease.advancing(tuning_id, HyperParameterTuningJob) as held:
        while held is not None:
            seen = held.advance_requests()
            while held.renew() and _step(tuning_id):
                pass
            if held.release(unless_requested_since=seen) or not held.renew():
                return


def _step(tuning_id: int) -> bool:
    """Take the next step; True when another one may follow at once."""
    tuning = HyperParameterTuningJob.objects.get(pk=tuning_id)
    if tuning.status in transitions.TUNING_JOB.final:
        return False
    asked, parts = TuningConfig.load(tuning.config), definitions.of(tuning)
    with ExitStack() as stack:
        searches = [stack.enter_context(studies.opened(name=part.study, asked=part.asked)) for part in parts]
        if any([_note_ended(tuning, part, search) for part, search in zip(parts, searches, strict=True)]):
            importance = _importance(parts, searches)
            HyperParameterTuningJob.objects.filter(pk=tuning.pk).update(importance=importance)
            return True
        if tuning.status == "InProgress" and not tuning.ending and (reason := _ending(tuning, asked)):
            converged_at = timezone.now() if reason == CONVERGED else None
            rows = HyperParameterTuningJob.objects.filter(pk=tuning.pk, ending="")
            rows.update(ending=reason, converged_at=converged_at)
            return True
        if tuning.status == "Stopping" or tuning.ending in STOPS_RUNNING:
            if _end_runs(tuning):
                return True
        elif any([_end_behind(tuning, part, search) for part, search in zip(parts, searches, strict=True)]):
            return True
        trials = tuning.trials.all()
        pending = trials.filter(objective_status=Objective.PENDING).count()
        more = tuning.status == "InProgress" and not tuning.ending and trials.count() < asked.max_jobs
        part = definitions.next_one(parts, Counter(trials.values_list("definition", flat=True))) if more else None
        if part is not None:
            return pending < asked.max_parallel and _start(tuning, asked, part, searches[part.index])
    if not pending:
        _end(tuning)
    return False


def _importance(parts: list[Definition], searches: list[studies.Search]) -> dict[str, float]:
    """The shares of each search; of several the names of hyperparameters have the definition's before them."""
    return {
        f"{part.name}: {name}" if part.name else name: share
        for part, search in zip(parts, searches, strict=True)
        for name, share in search.importance().items()
    }


def _start(tuning: HyperParameterTuningJob, asked: TuningConfig, part: Definition, search: studies.Search) -> bool:
    """Ask for the next trial and start its training. A training that cannot be created any more fails the search."""
    mine = tuning.trials.filter(definition=part.index)
    if asked.parents and not mine.exists():
        search.learn(_earlier(tuning, asked))
    number, values = search.ask(known=set(mine.values_list("number", flat=True)))
    try:
        made = creating.start_trial(
            tuning_job=tuning, part=part, most=asked.max_jobs, number=number, values=values, by=BY
        )
    except StoreUnavailable:
        # The trial is asked for again at the next step.
        raise
    except DomainError as error:
        search.tell(number, None, whole=True)
        reason = f"no training can be created any more: {error.message}"[:1024]
        with transaction.atomic():
            _end_runs(tuning)
            _conclude(tuning, "Failed", reason)
        return False
    if made is None:
        search.tell(number, None, whole=True)
    return True


def _earlier(tuning: HyperParameterTuningJob, asked: TuningConfig) -> list[studies.Earlier]:
    """What the parents tried. With other data only what was best there is tried again; its objective says nothing."""
    rows = TuningTrial.objects.filter(
        tuning_job__account=tuning.account_id, tuning_job__name__in=asked.parents, objective_status=Objective.SUCCEEDED
    ).select_related("tuning_job")
    found = [
        studies.Earlier(
            origin=f"{row.tuning_job_id}/{row.number}",
            hyperparameters={**row.tuning_job.hyperparameters, **row.hyperparameters},
            value=row.objective_value,
        )
        for row in rows.order_by("tuning_job", "number")
    ]
    if asked.warm_start == config.IDENTICAL:
        return found
    found.sort(key=lambda one: one.value or 0.0, reverse=asked.maximizes)
    most = max(1, asked.max_jobs // 4)
    return [studies.Earlier(one.origin, one.hyperparameters, None) for one in found[:most]]


def _note_ended(tuning: HyperParameterTuningJob, part: Definition, search: studies.Search) -> bool:
    """Note the objective of every training of a definition that has ended; whether there was one."""
    asked, mine = part.asked, tuning.trials.filter(definition=part.index)
    rows = mine.filter(objective_status=Objective.PENDING).select_related("training_job__model")
    ended = [row for row in rows.order_by("number") if _is_over(row)]
    for row in ended:
        points = _curve(row, asked)
        value = _objective(row, asked, points)
        # The study first: were the process killed in between, it would be told again, which changes nothing.
        search.tell(row.number, value, points=points, whole=not row.stopped_early)
        TuningTrial.objects.filter(pk=row.pk, objective_status=Objective.PENDING).update(
            objective_status=Objective.FAILED if value is None else Objective.SUCCEEDED, objective_value=value
        )
    return bool(ended)


def _is_over(row: TuningTrial) -> bool:
    return row.training_job is None or row.training_job.status in transitions.TRAINING_JOB.final


def _objective(row: TuningTrial, asked: TuningConfig, points: list[Point]) -> float | None:
    """The objective of the model that a training has left, else the last one that it measured; None without any."""
    run = row.training_job
    if run is None or run.status == "Failed":
        return None
    if run.model is not None:
        kept = run.model.metrics.get(asked.metric.rpartition(":")[2])
        if isinstance(kept, int | float) and math.isfinite(kept) and points:
            return float(kept)
    return points[-1][1] if points else None


def _curve(row: TuningTrial, asked: TuningConfig) -> list[Point]:
    return _curves(TuningTrial.objects.filter(pk=row.pk), asked).get(row.pk, [])


def _curves(rows: "QuerySet[TuningTrial]", asked: TuningConfig) -> dict[int, list[Point]]:
    """The objective of these trials by epoch: {trial: [(epoch, value)]}; where there is no epoch, the step counts."""
    found: dict[int, list[Point]] = {}
    metrics = TrainingMetric.objects.filter(training_job__tuning_trial__in=rows, name=asked.metric)
    trial = F("training_job__tuning_trial")
    for pk, step, epoch, value in metrics.order_by("step").values_list(trial, "step", "epoch", "value"):
        if math.isfinite(value):
            found.setdefault(pk, []).append((float(step) if epoch is None else epoch, value))
    return found


def _ending(tuning: HyperParameterTuningJob, asked: TuningConfig) -> str:
    """Why the search is to end before its last training; empty when there is no reason."""
    if asked.max_seconds and timezone.now() - tuning.created_at >= timedelta(seconds=asked.max_seconds):
        return RUNTIME
    over = tuning.trials.exclude(objective_status=Objective.PENDING).select_related("training_job")
    rows = sorted(over, key=lambda row: ((row.training_job and row.training_job.ended_at) or row.created_at, row.pk))
    values = [row.objective_value for row in rows if row.objective_value is not None]
    if not values:
        return FAILING if len(rows) >= ALL_FAILED else ""
    best = max(values) if asked.maximizes else min(values)
    if asked.target is not None and not asked.better(asked.target, best):
        return TARGET
    if asked.not_improving and rules.since_best(values, maximize=asked.maximizes) >= asked.not_improving:
        return NOT_IMPROVING
    if asked.converge and rules.has_converged(values, searched=len(asked.searched), maximize=asked.maximizes):
        return CONVERGED
    return ""


def _end_behind(tuning: HyperParameterTuningJob, part: Definition, search: studies.Search) -> bool:
    """End the trainings of a definition that have fallen behind; whether one was over at once."""
    asked, mine = part.asked, tuning.trials.filter(definition=part.index)
    hyperband = asked.strategy == config.HYPERBAND
    if not hyperband and asked.early_stopping == config.OFF:
        return False
    curves = _curves(mine, asked)
    over = set(mine.exclude(objective_status=Objective.PENDING).values_list("pk", flat=True))
    earlier = [curve for pk, curve in curves.items() if pk in over]
    ended = False
    for row in mine.filter(objective_status=Objective.PENDING, training_job__status="InProgress"):
        curve = curves.get(row.pk, [])
        if hyperband:
            behind = bool(curve) and search.is_hopeless(row.number, curve)
        else:
            behind = rules.falls_behind(curve, earlier, maximize=asked.maximizes)
        if behind:
            TuningTrial.objects.filter(pk=row.pk).update(stopped_early=True)
            ended |= _end_run(row)
    return ended


def _end_runs(tuning: HyperParameterTuningJob) -> bool:
    """End every training of the search; whether one was over at once."""
    rows = tuning.trials.filter(objective_status=Objective.PENDING, training_job__status="InProgress")
    return any([_end_run(row) for row in rows.select_related("training_job")])


def _end_run(row: TuningTrial) -> bool:
    run = row.training_job
    if run is None:
        return False
    kinds.of(run).stop(run, by=BY)
    return run.status in transitions.TRAINING_JOB.final


def _end(tuning: HyperParameterTuningJob) -> None:
    """Nothing runs any more and nothing will be started."""
    succeeded = tuning.trials.filter(objective_status=Objective.SUCCEEDED).exists()
    to, reason = ("Completed", "") if succeeded else ("Failed", _why_none(tuning))
    if tuning.status == "Stopping":
        to, reason = "Stopped", ""
    with transaction.atomic():
        _conclude(tuning, to, reason)


def _conclude(tuning: HyperParameterTuningJob, to: str, reason: str) -> None:
    """The search is over, and its account is told."""
    because = (reason or tuning.ending)[:500]
    if transitions.TUNING_JOB.advance(
        tuning, to, by=BY, because=because, failure_reason=reason, ended_at=timezone.now()
    ):
        run_notices.tuning_ended(tuning)


def _why_none(tuning: HyperParameterTuningJob) -> str:
    failed = tuning.trials.exclude(training_job__failure_reason="").select_related("training_job").last()
    said = failed.training_job.failure_reason if failed and failed.training_job else ""
    metrics = " or ".join(dict.fromkeys(repr(part.asked.metric) for part in definitions.of(tuning)))
    why = f"the last one failed: {said}" if said else f"none measured the objective {metrics}"
    return f"no training has an objective; {why}"[:1024]
