"""Every background function ends, whatever raises inside: after a few attempts its row is Failed or shows the reason.

An error is raised at a random place of the work, at another one in each attempt: when a function of ours is called, as
if that function had raised it. The functions are those that messages name; a new one fails here until it has a case.
"""

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

import pytest
from django.db import transaction

from labeling import background
from labeling.models import Dataset, Export, LabelImport, LabelingJob
from labeling.services import attempts
from labeling.services.imports import creating
from labeling.services.intake import datasets
from labeling.services.jobs import creation
from labeling.services.output import exports
from learning import background as background_of_learning
from learning.models import (
    HyperParameterTuningJob,
    ImprovementPolicy,
    LearningLoop,
    PolicyRun,
    ReviewRequest,
    Round,
    TrainingJob,
)
from learning.services.active import loops
from learning.services.hosting import invoke
from marketplace import queue
from tests import builders
from tests.architecture.test_lengths import ROOT
from tests.architecture.test_rules import MESSAGES
from tests.labeling import label_files, stories
from tests.learning import hosting_stories
from tests.learning import test_endpoint_reviews as endpoint_reviews
from tests.learning.improvement import stories as improvement_stories
from tests.learning.loop_stories import a_story
from tests.learning.tuning import stories as tuning_stories

pytestmark = pytest.mark.django_db
INSIDE = tuple(
    str(ROOT / folder) + "/"
    for folder in (
        "labeling/consolidation", "labeling/formats", "labeling/queries", "labeling/services/functions",
        "labeling/services/imports", "labeling/services/intake",
        "labeling/services/jobs", "labeling/services/output", "labeling/services/results", "labeling/task_types",
        "learning/services/active", "learning/services/hosting", "learning/services/improvement",
        "learning/services/tuning", "marketplace/services",
    )
)  # fmt: skip
"""Where errors are raised: consolidation, output, export, intake, and what they are made of."""
REASON = "a beam of the hive broke"
FUNCTION = "tests.labeling.lambda_functions.prepare"


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.FUNCTIONS = [FUNCTION]


class Broken(Exception):
    """An error that no code expects."""


class Fault:
    """Counts the calls of our functions, and raises Broken at one of them."""

    def __init__(self, at: int | None = None):
        self.at, self.calls, self.raised = at, 0, False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        # The attempts themselves, and the entry points, are what has to hold.
        # An error in a generator that is let go of half-way reaches nobody.
        generator = frame.f_code.co_flags & inspect.CO_GENERATOR
        if event == "call" and not generator and frame.f_code.co_filename.startswith(INSIDE) and _attempted(frame):
            self.calls += 1
            if self.at is not None and self.calls > self.at:
                self.raised = True
                raise Broken(REASON)


def _attempted(frame: FrameType | None) -> bool:
    """Whether the frame runs inside of an attempt."""
    while frame is not None:
        if frame.f_code is attempts.attempt.__code__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def traced(fault: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(fault)
    try:
        yield
    finally:
        sys.settrace(before)


def calls_of(work: Callable[[], None]) -> int:
    """How many of our functions the work would call now; nothing of it stays."""
    fault = Fault()
    with transaction.atomic():
        with traced(fault):
            work()
        transaction.set_rollback(True)
    return fault.calls


def break_off(work: Callable[[], None], chance: random.Random) -> None:
    """One attempt that fails at a random place."""
    # Files that the count has left behind may spare the work a few calls, and it must not come to its end.
    fault = Fault(at=chance.randrange(max(1, calls_of(work) * 9 // 10)))
    with traced(fault):
        with suppress(Broken):
            work()
    assert fault.raised


@dataclass
class Case:
    """One piece of background work, and the row whose owner is shown the reason when it is given up."""

    arguments: tuple[Any, ...]
    row: Any

    def reason(self) -> str:
        """What the owner is shown; "" while there is nothing."""
        self.row.refresh_from_db()
        return getattr(self.row, "failure_reason", "") or getattr(self.row, "attention", "")

    @property
    def over(self) -> bool:
        """Whether it has failed for good. A job that people can work on is tried again instead."""
        return self.row.status == "Failed"


def a_new_job() -> LabelingJob:
    account = stories.an_account()
    (uri,) = builders.tiny_images(1, account=account)
    manifest = builders.a_manifest(account, [{"source-ref": uri}])
    team = builders.a_team(account=account, workers=1)
    return creation.create_job(**stories.a_design(account, team, input_manifest_uri=manifest))


def an_answered_job() -> LabelingJob:
    job, workers = stories.a_funded_job(objects=3, workers=2, workers_per_object=2)
    background.advance_job(job.pk)
    for worker in workers:
        stories.work(worker, job)
    return job


def a_job_before_its_function() -> LabelingJob:
    job, _ = stories.a_funded_job(objects=2, pre_human_task_function=FUNCTION)
    background.advance_job(job.pk)
    return job


def a_labeled_job() -> LabelingJob:
    job = an_answered_job()
    with transaction.atomic():
        background.advance_job(job.pk)
    LabelingJob.objects.filter(pk=job.pk).update(status="InProgress", output_written_at=None)
    return job


def a_loop(folder: Any) -> LearningLoop:
    story = a_story(folder, count=40)
    background.advance_job(story.job.pk)
    loops.advance_for_job(job_id=story.job.pk)
    return story.loop


def an_export() -> Export:
    return exports.create_export(job=an_answered_job(), kind="coco", by="user:1")


def a_dataset() -> Dataset:
    account = stories.an_account()
    uri = builders.a_manifest(account, [{"source-ref": f"s3://b/{number}.png"} for number in range(3)])
    return datasets.create_dataset(account=account, name="set", source={"kind": "manifest", "uri": uri}, by="user:1")


def an_import() -> LabelImport:
    account, labels = stories.an_account(), label_files.coco({"bbox": [1, 2, 30, 20]})
    uri = label_files.stored(account, label_files.zipped({"a.coco.json": labels, "a.jpg": label_files.picture()}))
    return creating.create_import(account=account, by="user:1", uri=uri, name="labels")


def of_job(make: Callable[[], LabelingJob], key: Callable[[LabelingJob], int]) -> Callable[[Any], Case]:
    def case(folder: Any) -> Case:
        job = make()
        return Case((key(job),), job)

    return case


def of_loop(arguments: Callable[[LearningLoop], tuple[Any, ...]]) -> Callable[[Any], Case]:
    def case(folder: Any) -> Case:
        loop = a_loop(folder)
        return Case(arguments(loop), loop.job)

    return case


def of_row(make: Callable[[], Any]) -> Callable[[Any], Case]:
    def case(folder: Any) -> Case:
        row = make()
        return Case((row.pk,), row)

    return case


def a_run(loop: LearningLoop) -> tuple[str, int]:
    run = TrainingJob.objects.create(account=loop.job.account, name="bees")
    Round.objects.filter(loop=loop).update(training_job=run)
    return "trainingjob", run.pk


def a_review_request() -> ReviewRequest:
    """A request of an endpoint that waits for its human loop."""
    endpoint, _, _ = endpoint_reviews.a_reviewed_endpoint()
    with hosting_stories.answering(endpoint, endpoint_reviews.UNSURE):
        invoke.invoke(endpoint=endpoint, image=builders.image_bytes(), content_type="image/png")
    return ReviewRequest.objects.get(endpoint=endpoint)


def a_tuning() -> HyperParameterTuningJob:
    # Random, because a sampler of ours would not be called again for a trial that was asked for already.
    tuning = tuning_stories.a_tuning(
        builders.an_account(),
        name=f"hive-{HyperParameterTuningJob.objects.count()}",
        strategy="Random",
        searched=[tuning_stories.RATE],
        limits={"max_jobs": 6, "max_parallel_jobs": 1},
    )
    # Its tables are made once in a process; the first trial is asked for.
    background_of_learning.advance_tuning(tuning.pk)
    (trial,) = tuning_stories.running(tuning)
    assert trial.training_job is not None
    tuning_stories.end(trial.training_job)
    return tuning


def a_tuning_of_a_run(folder: Any) -> Case:
    tuning = a_tuning()
    return Case((tuning.trials.get().training_job_id,), tuning)


def a_taught_policy() -> ImprovementPolicy:
    """A policy whose next training can begin."""
    policy = improvement_stories.a_policy(parameters=improvement_stories.eager())
    improvement_stories.answer(improvement_stories.detections(policy, 2), improvement_stories.RED)
    return policy


def of_policy(key: Callable[[ImprovementPolicy], int]) -> Callable[[Any], Case]:
    """A policy with one image before people, and a run that waits for its training."""

    def case(folder: Any) -> Case:
        policy = improvement_stories.a_policy()
        improvement_stories.detections(policy, 1)
        run = TrainingJob.objects.create(account=policy.account, name="bees-2")
        PolicyRun.objects.create(policy=policy, number=1, status="WaitForTraining", training_job=run)
        return Case((key(policy),), policy)

    return case


CASES: dict[str, list[Callable[[Any], Case]]] = {
    "labeling.background.advance_job": [
        of_job(a_new_job, lambda job: job.pk),
        of_job(an_answered_job, lambda job: job.pk),
    ],
    "labeling.background.advance_queue": [
        of_job(a_new_job, lambda job: job.queue_id),
        of_job(an_answered_job, lambda job: job.queue_id),
    ],
    "labeling.background.advance_dataset": [of_row(a_dataset)],
    "labeling.background.advance_import": [of_row(an_import)],
    "labeling.background.refresh_output": [of_job(a_labeled_job, lambda job: job.pk)],
    "labeling.background.run_export": [of_row(an_export)],
    "labeling.background.run_functions": [of_job(a_job_before_its_function, lambda job: job.pk)],
    "learning.background.advance_improvement": [of_row(a_taught_policy)],
    "learning.background.advance_improvement_of_loop": [of_policy(lambda row: row.detections.get().human_loop_id)],
    "learning.background.follow_human_loop": [of_policy(lambda row: row.detections.get().human_loop_id)],
    "learning.background.advance_improvements_of_account": [of_policy(lambda row: row.account_id)],
    "learning.background.advance_loop": [of_loop(lambda loop: (loop.pk,))],
    "learning.background.advance_loop_of_job": [of_loop(lambda loop: (loop.job_id,))],
    "learning.background.advance_loop_of_batch": [of_loop(lambda loop: (loop.rounds.get().batch_id,))],
    "learning.background.advance_loop_of_run": [of_loop(a_run)],
    "learning.background.start_review": [of_row(a_review_request)],
    "learning.background.advance_tuning": [of_row(a_tuning)],
    "learning.background.advance_tuning_of_run": [a_tuning_of_a_run],
}
LETTERS = {f"frontend.background.mail_{what}" for what in ("invitation", "password_link", "sign_up")}
"""They have no row either: a letter that cannot be sent is delivered again by the queue, as tests/frontend shows."""

TOLD = {
    "frontend.background.mail_notices",
    "labeling.background.tell_of_work",
    "labeling.background.tell_of_public_work",
    "labeling.background.tell_of_price",
    "marketplace.background.deliver_webhook",
    "marketplace.background.deliver_event",
}
"""What is told: a notice, a webhook message or an event that could not be sent is due again, a page of workers is
delivered again by the queue; see test_webhooks.py, test_events.py and test_notices.py of the rooms."""

PAYMENTS = {"marketplace.background.step_stripe_payout"}
"""It has a row that shows operators what keeps it, and is tried again: money on its way is never given up. See
tests/marketplace/test_stripe_payouts.py."""

ENDPOINTS = {
    "learning.background.advance_endpoint",
    "learning.background.look_at_endpoint",
    "learning.background.advance_endpoint_of_replica",
    "learning.background.follow_review_loop",
}
"""What a look at an endpoint that changes misses, the next one finds, a minute later at most: what is served goes on
meanwhile. See test_deploying.py."""

LEFT = {"marketplace.background.delete_stored"}
LEFT |= {"learning.background.delete_files", "learning.background.forget_study"}
"""What a deleted run has left: it has no row any more; the queue delivers again. See test_run_deletion.py."""

LOOKS = {f"labeling.background.{what}" for what in ("check_conduct", "check_collusion", "advance_topics")}
"""They have no row: what a look at workers' answers misses, the look after the next answers finds. What keeps a topic
is shown and tried again every minute, see test_streams.py."""

SWEEPS = {"labeling.background.sweep", "learning.background.sweep", "marketplace.background.sweep"}
"""They have no row of their own: a part that fails keeps no other from running."""


def entry(path: str) -> Callable[..., None]:
    module, _, name = path.rpartition(".")
    found: Callable[..., None] = getattr(import_module(module), name)
    return found


def test_every_message_has_a_case():
    assert set(CASES) | SWEEPS | LETTERS | TOLD | PAYMENTS | LOOKS | ENDPOINTS | LEFT == set(MESSAGES)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("path", "number"), [(path, number) for path in CASES for number in range(len(CASES[path]))])
def test_work_that_breaks_anywhere_is_given_up_with_its_reason(path, number, seed, tmp_path):
    chance, make, function = random.Random(f"{path} {number} {seed}"), CASES[path][number], entry(path)
    case = make(tmp_path / "broken")
    for attempt in range(attempts.MOST):
        assert REASON not in case.reason(), f"given up after {attempt} attempts already"
        break_off(lambda: function(*case.arguments), chance)
    assert REASON in case.reason()
    # A healthy one beside it is not held up.
    healthy = make(tmp_path / "healthy")
    function(*healthy.arguments)
    assert healthy.reason() == "" and not healthy.over
    # What has not failed for good goes on as soon as the fault is gone.
    function(*case.arguments)
    assert (REASON in case.reason()) is case.over


def test_a_part_that_breaks_keeps_no_other_from_running():
    done: list[str] = []

    def breaks(text: str) -> None:
        done.append(text)
        raise Broken(text)

    with pytest.raises(Broken, match="first"):
        queue.run_each(
            [lambda: done.append("a"), lambda: breaks("first"), lambda: breaks("b"), lambda: done.append("c")]
        )
    assert done == ["a", "first", "b", "c"]


@pytest.mark.parametrize("path", sorted(SWEEPS))
def test_every_sweep_runs_its_parts_one_by_one(path):
    """A sweep has no row that could show a reason."""
    seen = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code is queue.run_each.__code__:
            seen.append(frame)

    with traced(note):
        entry(path)()
    assert seen
