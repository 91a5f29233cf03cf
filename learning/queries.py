"""Reads about learning that more than one front end needs: a loop with its rounds, trainings, models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from labeling import task_types
from labeling.models import Label, LabelingJob
from labeling.queries.progress import counters
from learning import families, loop_words, transitions
from learning.models import (
    AuditedObject,
    Endpoint,
    EndpointConfig,
    HyperParameterTuningJob,
    LearningLoop,
    LoopAudit,
    LoopObject,
    Model,
    ModelGroup,
    ModelImport,
    Round,
    TrainingJob,
    TransformJob,
    TuningTrial,
)
from marketplace.models import Account


def final_models(jobs: Iterable[LabelingJob]) -> dict[int, Model]:
    """The last model of each job whose learning loop is over and has one, by the job's key; deleted ones left out."""
    loops = LearningLoop.objects.filter(job__in=list(jobs), final_model__deleted_at=None).exclude(final_model=None)
    return {loop.job_id: loop.final_model for loop in loops.select_related("final_model__account")}


def loop_view(job: LabelingJob) -> dict[str, Any] | None:
    """Everything that pages and REST show of a job's learning loop; None for a job without one.

    `rounds` in order, see `_round`. `machine` is the quality of all machine labels so far {"quality", "lower_bound",
    "confidence", "images": the validation images it rests on}, None before there are any; `target_quality` with
    `confidence` is the promise, by `measure` ("mean IoU", also as `target_iou`; "accuracy", ...). Or `target_error` is,
    the largest mean `error_loss`, and `machine` then has "error" and "error_upper_bound" too; `metric` and
    `metric_title` are the model's figure that says most; `splits` the number of objects in each split; `activity` what
    happens now, in words; `checking` what came of pre-labels (labeling/services/prelabels/anchoring.py, and counting.py
    where people do not see them), None where there are none; `audits` those of its machine labels in order, see
    `_audit`.
    """
    loop = LearningLoop.objects.filter(job=job).select_related("final_model").first()
    if loop is None:
        return None
    rows = loop.rounds.order_by("number").select_related("batch", "training_job__model", "transform_job")
    rounds = [_round(row) for row in rows.annotate(objects=Count("batch__tasks"))]
    family = families.get(task_types.get(job.task_type).learner or families.DETECTOR.name)
    measure = family.measured(several=task_types.get(job.task_type).several)
    audits = [_audit(row) for row in loop.audits.order_by("number")]
    taken_back = {number for one in audits if one.get("withdrawn") for number in one["withdrawn_rounds"]}
    rounds = [row | {"withdrawn": row["number"] in taken_back} for row in rounds]
    evaluated = [row["figures"]["machine"] for row in rounds if row["figures"].get("machine")]
    said, values = activity(
        {"status": loop.status, "failure_reason": loop.failure_reason, "rounds": rounds, "audits": audits}
    )
    splits = LoopObject.objects.filter(loop=loop).exclude(split="").values_list("split")
    return {
        "status": loop.status,
        "failure_reason": loop.failure_reason or None,
        "activity": said.format(**values),
        "target_iou": _target_iou(loop.settings, measure),
        "target_quality": None if loop.settings.get("target_error") else _target(loop.settings, measure),
        "target_error": loop.settings.get("target_error") or None,
        "error_loss": loop.settings.get("error_loss"),
        "measure": measure.name,
        "metric": measure.metric,
        "metric_title": measure.metric_title,
        "confidence": loop.settings.get("confidence"),
        "machine": _machine(evaluated, audits),
        "audits": audits,
        "counters": counters(job),
        "checking": job.prelabel_figures or None,
        "splits": dict(splits.annotate(n=Count("id")).order_by()),
        "final_model": loop.final_model_id if loop.final_model and loop.final_model.deleted_at is None else None,
        "final_model_name": loop.final_model.name if loop.final_model else None,
        "rounds": rounds,
    }


def _audit(row: LoopAudit) -> dict[str, Any]:
    """One audit of machine labels, with its figures; see learning.models.LoopAudit."""
    return {"number": row.number, "status": row.status, "created_at": row.created_at} | {
        name: value for name, value in row.figures.items() if name not in ("draws", "most_weight")
    }


def _machine(evaluated: list[dict[str, Any]], audits: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest estimate of the quality of all machine labels; that of what is left after labels were taken back."""
    left = [one["machine"] for one in audits if one.get("machine")]
    return left[-1] if left else evaluated[-1] if evaluated else None


def _target_iou(settings: Mapping[str, Any], measure: families.Measure) -> float | None:
    promised: float | None = settings.get("target_iou")
    return promised if measure == families.DETECTOR.measure and not settings.get("target_error") else None


def _target(settings: Mapping[str, Any], measure: families.Measure) -> float | None:
    """What the settings of a loop promise; None while they are not known."""
    given: float | None = settings.get("target_quality")
    by_iou: float | None = settings.get("target_iou") if measure == families.DETECTOR.measure else measure.target
    return given or by_iou


def _round(row: Round) -> dict[str, Any]:
    """One round. `threshold` is None when no cut-off kept the promise; `curve` [{"threshold", "quality", "coverage"}].

    `loop_view` adds `withdrawn`: whether its machine labels were taken back.

    `figures` has, as far as the round has come: train_images, validation_images, human_labels, mAP_50 (and every metric
    of the model), expected_quality, quality_lower_bound, quality_all, coverage, auto_labeled, pool, machine, counters;
    labeling_seconds, training_seconds, predicting_seconds, total_seconds; `note`: why a step was skipped. With a
    promised error also error_tested, expected_error, error_upper_bound, error_all, validation_passed, validation_wrong
    and validation_needed, and in `curve` "risk", "upper" and "chosen".
    """
    run, figures = row.training_job, row.figures
    note = figures.get("no_training") or figures.get("no_model") or figures.get("no_predictions") or ""
    return {
        "number": row.number,
        "status": row.status,
        "batch": row.batch.number if row.batch else None,
        "batch_status": row.batch.status if row.batch else None,
        "objects": row.objects,
        "training_job": row.training_job_id,
        "training_status": run.status if run else None,
        "training_progress": run.progress if run else None,
        "prediction_progress": row.transform_job.progress if row.transform_job else None,
        "model": run.model_id if run else None,
        "model_name": run.model.name if run and run.model else None,
        "threshold": row.threshold,
        "curve": row.curve,
        "figures": figures | {"note": note},
        "created_at": row.created_at,
        "ended_at": row.status_changed_at if row.status in transitions.ROUND.final else None,
    }


def activity(view: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What goes on now in a loop: one of `loop_words.ACTIVITIES`, and the values that it has places for.

    `view` has "status", "failure_reason", "rounds" and "audits" as `loop_view` gives them.
    """
    rounds, audits = view["rounds"], view["audits"]
    if view["status"] != "InProgress":
        over = loop_words.ACTIVITIES.get(view["status"], loop_words.ACTIVITIES["Failed"])
        return ("{reason}", {"reason": view["failure_reason"]}) if view["failure_reason"] else (over, {})
    live = [row for row in rounds if row["status"] not in transitions.ROUND.final]
    if audits and audits[-1]["status"] == "Labeling":
        return loop_words.ACTIVITIES["Audit"], {"asked": audits[-1]["asked"]}
    if audits and audits[-1]["status"] == "Withdrawing":
        return loop_words.ACTIVITIES["Withdrawing"], {}
    if not live:
        return loop_words.ACTIVITIES["Selecting" if rounds else "Reading"], {}
    current = live[0]
    if current["status"] == "Labeling" and current["batch"] is None:
        return loop_words.ACTIVITIES["Asking"], {}
    return loop_words.ACTIVITIES[current["status"]], {"objects": current["objects"]}


def audited_labels(object_ids: Sequence[int]) -> dict[int, Label]:
    """The labels of models that audits were about, by the keys of those of these objects that were audited."""
    rows = AuditedObject.objects.filter(data_object__in=list(object_ids)).select_related("label")
    return {row.data_object_id: row.label for row in rows}


def trainings(account: Account) -> QuerySet[TrainingJob]:
    """The account's trainings, newest first."""
    return TrainingJob.objects.filter(account=account).select_related("account", "model").order_by("-pk")


def askers(training: TrainingJob) -> tuple[str | None, str | None]:
    """The names of the tuning job and of the labeling job that asked for a training; None where none did."""
    tuned = TuningTrial.objects.filter(training_job=training).values_list("tuning_job__name", flat=True).first()
    labeled = Round.objects.filter(training_job=training).values_list("loop__job__name", flat=True).first()
    return tuned, labeled


def transforms(account: Account) -> QuerySet[TransformJob]:
    """The account's predictions over a manifest, newest first."""
    return TransformJob.objects.filter(account=account).select_related("account", "model").order_by("-pk")


def models(account: Account) -> QuerySet[Model]:
    """The account's models that were not deleted, newest first."""
    rows = Model.objects.filter(account=account, deleted_at=None)
    return rows.select_related("training_job", "group").order_by("-pk")


def model_groups(account: Account) -> QuerySet[ModelGroup]:
    """The account's groups of models, newest first, each with `versions`, the number of its models."""
    counted = Count("models", filter=Q(models__deleted_at=None))
    return ModelGroup.objects.filter(account=account).annotate(versions=counted).order_by("-pk")


def model_imports(account: Account) -> QuerySet[ModelImport]:
    """The account's imports of models, newest first."""
    return ModelImport.objects.filter(account=account).select_related("model").order_by("-pk")


def endpoints(account: Account) -> QuerySet[Endpoint]:
    """The account's endpoints, newest first."""
    return Endpoint.objects.filter(account=account).select_related("config", "account").order_by("-pk")


def endpoint_configs(account: Account) -> QuerySet[EndpointConfig]:
    """The configurations of the account's endpoints, newest first."""
    rows = EndpointConfig.objects.filter(account=account, deleted_at__isnull=True)
    return rows.select_related("account").order_by("-pk")


def tunings(account: Account) -> QuerySet[HyperParameterTuningJob]:
    """The account's tuning jobs, newest first; services/tuning/describing.py counts their trainings."""
    return HyperParameterTuningJob.objects.filter(account=account).order_by("-pk")
