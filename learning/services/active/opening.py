"""The objects of a round: how many people get, asking the job's pre-annotation function about them, opening them.

A round whose objects wait for the function has no batch yet; it is opened with those that people can be shown. Knows
sizes, limits and money; neither trainings nor predictions, nor which objects are chosen (choosing.py).
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling.models import DataObject, FunctionStep, LabelingJob, ObjectState
from labeling.queries import spending
from labeling.queries.progress import counters
from labeling.services.functions import preparing, waiting
from labeling.services.intake import inspection
from labeling.services.jobs import advancing, finishing, pausing, probe
from labeling.services.jobs.batches import open_batch
from labeling.services.output import manifests
from labeling.services.prelabels import showing
from labeling.services.queue.locking import advance_lock
from labeling.services.results import labels
from learning import transitions
from learning.models import LearningLoop, LoopObject, Model, Round, Split
from learning.services.active import auditing, choosing, loop_objects, planned
from learning.services.active.choosing import Chosen
from learning.services.active.loop_settings import LoopSettings
from marketplace.errors import InUse, LimitExceeded
from marketplace.queue import enqueue

BY = "learning"
# Ground Truth fails a job when a larger share of its first random sample fails.
MAX_FAILED_SHARE = 0.1
# As in jobs without automated labeling: a mistake in the task's design then costs the public crowd little.
FIRST_PUBLIC_BATCH = 10
NO_FUNDS = "the wallet cannot pay for another object"


class LoopFailed(Exception):
    """The job has to fail; the message is the reason its owner reads."""


def open_round(loop: LearningLoop, settings: LoopSettings, *, while_training: bool = False) -> bool:
    """Select the objects of the next round and open them for people, or end the job when there may be none."""
    job, number = loop.job, loop.rounds.count() + 1
    if waiting.merging(job) or not probe.passes(job):
        return False
    selected = loop_objects.selected_count(loop)
    seeding = selected < settings.seed_size
    given_up = not seeding and not while_training and bool(planned.gives_up(loop))
    wanted = settings.seed_size - selected if seeding else settings.batch_size
    if given_up:
        wanted = job.objects_total
    count, reason = batch_size(job, wanted, first=number == 1)
    if while_training and loop_objects.unlabeled(job).count() < 2 * settings.batch_size:
        # Too few objects would be left for the model that is being trained.
        return False
    if count < 1:
        return False if while_training else _wait_or_finish(loop, settings, reason)
    if seeding:
        chosen = choosing.seed(loop, settings, number=number, count=count)
    elif given_up:
        chosen = choosing.rest(loop, settings, number=number, count=count)
    else:
        plan = planned.of(loop)
        chosen = choosing.next_objects(
            loop, settings, number=number, count=count, calibration=plan.get("calibration") if plan else None
        )
    broken = inspect(job, [*chosen.splits])
    if broken:
        # The next step selects again without them; their rows record that they belonged to the sample.
        loop_objects.record_selection(loop, dict.fromkeys(broken, ""), number=number)
        check_sample(loop, settings, seeding=seeding)
        return True
    if waiting.has(job, FunctionStep.PRE):
        return _select(loop, chosen, number=number)
    return _open(loop, chosen.splits, number=number, figures=chosen.figures)


def _wait_or_finish(loop: LearningLoop, settings: LoopSettings, reason: str) -> bool:
    if reason == NO_FUNDS:
        pausing.wait_for_funds(loop.job)
        return False
    audited = auditing.begin(loop, settings)
    return _finish(loop, reason) if audited is None else audited


def _select(loop: LearningLoop, chosen: Chosen, *, number: int) -> bool:
    """Store a round that is not open yet, so that the function is asked about these objects and no others."""
    with transaction.atomic():
        LearningLoop.objects.select_for_update().get(pk=loop.pk)
        if loop.rounds.count() + 1 == number:
            now = timezone.now()
            Round.objects.create(loop=loop, number=number, status_changed_at=now, figures=chosen.figures)
            loop_objects.record_selection(loop, chosen.splits, number=number)
    return True


def open_selected(loop: LearningLoop, settings: LoopSettings, round_: Round) -> bool:
    """Open the selected objects of a round about which the function has answered; wait while it has about none.

    The others are selectable again: those that it does not answer about yet, that need no people, have failed, or are
    more than may be opened now. A round of which nothing is left is none.
    """
    job, number = loop.job, round_.number
    chosen = loop_objects.selected(loop, round_)
    ids = list(waiting.openable(job).filter(pk__in=chosen).values_list("pk", flat=True))
    ready = preparing.ready(job, ids)
    if ids and not ready:
        return False
    if len(ready) < len(chosen):
        check_sample(loop, settings, seeding=loop_objects.selected_count(loop) - len(chosen) < settings.seed_size)
    count, reason = batch_size(job, len(ready), first=number == 1) if ready else (0, "")
    if reason == NO_FUNDS and count < 1:
        pausing.wait_for_funds(job)
        return False
    opened = {pk: chosen[pk] for pk in ready[: max(count, 0)]}
    rest = dict.fromkeys(chosen.keys() - opened.keys(), "")
    if opened:
        return _open(loop, opened, number=number, rest=rest)
    with transaction.atomic():
        LearningLoop.objects.select_for_update().get(pk=loop.pk)
        loop_objects.record_selection(loop, rest, number=number)
        Round.objects.filter(pk=round_.pk, batch=None).delete()
    return True


def _open(
    loop: LearningLoop,
    splits: Mapping[int, str],
    *,
    number: int,
    rest: Mapping[int, str] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> bool:
    """Open a batch of these objects as round `number`; `rest` were selected for it, and are not any more.

    `figures` are those of a round that is made now: how its objects were chosen. Objects of the training split show
    their pre-labels, if the job has any; those of validation never do.
    """
    aside = [pk for pk, split in splits.items() if split == Split.VALIDATION]
    if not showing.prepare(loop.job, [*splits], apart=aside):
        return False
    try:
        with transaction.atomic():
            LearningLoop.objects.select_for_update().get(pk=loop.pk)
            round_ = loop.rounds.filter(number=number).first()
            opened_already = round_ is not None and round_.batch_id is not None
            if opened_already or loop.rounds.count() + (round_ is None) != number:
                return True
            batch = open_batch(job=loop.job, object_ids=[*splits], purpose=f"round {number}", by=BY)
            opened: dict[str, Any] = {"batch": batch, "status_changed_at": batch.opened_at}
            if figures is not None:
                opened["figures"] = dict(figures)
            Round.objects.update_or_create(loop=loop, number=number, defaults=opened)
            loop_objects.record_selection(loop, {**splits, **(rest or {})}, number=number)
    except LimitExceeded:
        # Another job of the account spent the money meanwhile: the next step looks again at what can be paid.
        return True
    except InUse:
        # The job has changed meanwhile (it may be stopping): the next request to advance the loop deals with that.
        return False
    return False


def batch_size(job: LabelingJob, wanted: int, *, first: bool) -> tuple[int, str]:
    """How many objects the next batch may have, at most `wanted`, and if none the reason why not."""
    rest = loop_objects.unlabeled(job).count()
    if rest == 0:
        return 0, "every object is done"
    if reason := advancing.stopping_reason(job):
        return 0, reason
    affordable = spending.affordable_objects(job)
    if affordable < 1:
        limited = spending.allowed_objects(job) < 1
        return 0, "the spending limit is reached" if limited else NO_FUNDS
    limits = [wanted, rest, job.max_concurrent_tasks, affordable, percentage_left(job)]
    if first and job.workteam.public:
        limits.append(FIRST_PUBLIC_BATCH)
    if job.max_human_labeled_objects is not None:
        limits.append(job.max_human_labeled_objects - counters(job)["HumanLabeled"])
    return min(limits), "a stopping condition is reached"


def percentage_left(job: LabelingJob) -> int:
    """How many more objects may be labeled, by people or machine, before the requester's limit is reached."""
    if job.max_percentage_labeled is None:
        return job.objects_total
    return -(-job.objects_total * job.max_percentage_labeled // 100) - counters(job)["TotalLabeled"]


def inspect(job: LabelingJob, ids: list[int]) -> list[int]:
    """Inspect those images that have not been inspected; the broken ones fail, and their ids are returned."""
    unseen = list(
        DataObject.objects.filter(pk__in=ids, width=None, state=ObjectState.UNLABELED).values_list("pk", flat=True)
    )
    if not unseen:
        return []
    labels.fail_objects(job=job, reasons=inspection.inspect_objects(unseen))
    return list(DataObject.objects.filter(pk__in=unseen, state=ObjectState.FAILED).values_list("pk", flat=True))


def check_sample(loop: LearningLoop, settings: LoopSettings, *, seeding: bool) -> None:
    """Raises LoopFailed when too many of the first random sample failed, as Ground Truth does."""
    if not seeding:
        return
    sample = LoopObject.objects.filter(loop=loop)
    failed = sample.filter(data_object__state=ObjectState.FAILED).count()
    size = max(settings.seed_size, 1)
    if failed > MAX_FAILED_SHARE * size:
        first = sample.filter(data_object__state=ObjectState.FAILED).order_by("data_object__index").first()
        raise LoopFailed(
            f"{failed} of the first random sample of {size} objects failed, more than {MAX_FAILED_SHARE:.0%}; "
            f"the first: {first.data_object.failure_reason}"
        )


def _finish(loop: LearningLoop, reason: str) -> bool:
    """Complete the job with the labels there are."""
    job = loop.job
    states = DataObject.objects.filter(job=job)
    if not states.exclude(state=ObjectState.FAILED).exists():
        raise LoopFailed(
            f"all {states.count()} objects failed; the first: {states.order_by('index')[0].failure_reason}"
        )
    unasked = not loop.rounds.exists() and not states.filter(state=ObjectState.HUMAN).exists()
    if unasked and not states.filter(task_input__needs_people=False).exists():
        raise LoopFailed(f"people could label no object: {reason}")
    # The manifest is slow to write: before the lock.
    manifests.refresh_output(job.pk)
    with advance_lock(job.queue_id) as held:
        if not held:
            return try_again(loop)
        with transaction.atomic():
            transitions.LOOP.advance(loop, "Completed", by=BY, because=reason, final_model=newest_model(loop))
            try:
                finishing.complete_job(job=job, by=BY, because=reason)
            except InUse:
                # Its owner has just stopped it: the next request to advance the loop ends it too.
                transaction.set_rollback(True)
    return False


def try_again(loop: LearningLoop) -> bool:
    """Take the same step again soon, by a message: somebody else is advancing the job. There is nothing to do now."""
    enqueue("learning.background.advance_loop", loop.pk)
    return False


def newest_model(loop: LearningLoop) -> Model | None:
    """The model of the newest round that made one."""
    rows = loop.rounds.exclude(training_job__model=None).order_by("-number").select_related("training_job__model")
    newest = rows.first()
    return newest.training_job.model if newest else None
