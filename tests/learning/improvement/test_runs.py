"""A run from its beginning to each of its ends; trainings and predictions are said to be over, not run."""

import random

import pytest
from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.models import Deployment, Detection, PolicyRun, TrainingJob, TransformJob
from learning.services.hosting import deploying as endpoints
from learning.services.hosting import hosting
from learning.services.improvement import answers, creating, detecting, evaluating, runs, sets, training
from learning.services.improvement import parameters as known
from learning.services.model_uses import uses_of
from marketplace.models import Notice
from tests import builders
from tests.learning.hosting_stories import answer_all
from tests.learning.improvement.stories import (
    BLUE,
    RED,
    Box,
    a_labeled_set,
    a_policy,
    advance,
    answer,
    detections,
    eager,
    predict,
    trained,
)

pytestmark = pytest.mark.django_db
GREEN = Box("green", 32, 0, 32, 32)
RIGHT = {"f1": 0.9, "precision": 0.9, "recall": 0.9, "boxes": 4, "by_class": {}}


def figures(new, live):
    return {"fixed": {"new": {**RIGHT, "f1": new}, "live": {**RIGHT, "f1": live}}}


def until_trained(policy, images=2, *boxes):
    """The policy has a run whose model is there and is to be evaluated."""
    answer(detections(policy, images), *(boxes or (RED,)))
    type(policy).objects.filter(pk=policy.pk).update(training_checked_at=None)
    run = advance(policy)
    assert run.status == "WaitForTraining", run.status
    trained(run)
    run = advance(policy)
    assert run.status == "Evaluation"
    return run


def concluded(policy, run, new, live):
    evaluating.conclude(run, figures(new, live))
    return advance(policy)


def taken(policy, run):
    """The endpoint has taken the model."""
    endpoint = policy.endpoint
    answer_all(endpoint)
    for _ in range(2):
        endpoints.advance(endpoint_id=endpoint.pk)
        Deployment.objects.exclude(next_step_at=None).update(next_step_at="2000-01-01T00:00Z")
    endpoints.advance(endpoint_id=endpoint.pk)
    endpoint.refresh_from_db()
    assert endpoint.status == "InService"
    return advance(policy)


def steps(run):
    return list(run.steps.order_by("pk").values_list("state", flat=True))


def told():
    return [
        text.split("improve ", 1)[1]
        for text in Notice.objects.order_by("pk").values_list("text", flat=True)
        if "policy" in text
    ]


def served(policy):
    return hosting.serving(policy.endpoint).variants.get().model.name


@pytest.fixture
def policy(db):
    return a_policy(parameters=eager())


def test_no_training_begins_before_enough_images_have_gathered(policy):
    answer(detections(policy, 1), RED)
    assert advance(policy) is None
    answer(detections(policy, 1), RED)
    assert advance(policy) is None, "it looks again after its minutes"
    creating.check_now(policy=policy, by="user:1")
    assert advance(policy).images == 2
    creating.check_now(policy=policy, by="user:1")
    answer(detections(policy, 2), RED)
    advance(policy)
    assert PolicyRun.objects.count() == 1, "one training at a time"


def test_automatic_training_can_be_turned_off(policy):
    creating.change_parameters(policy=policy, given={known.ENABLE_TRAINING: False}, by="user:1")
    answer(detections(policy, 2), RED)
    assert advance(policy) is None
    creating.change_parameters(policy=policy, given={known.ENABLE_TRAINING: True}, by="user:1")
    assert advance(policy).status == "WaitForTraining"


def test_it_trains_on_from_the_live_model_with_the_new_class(db):
    account = builders.an_account()
    given = a_labeled_set(account, [[RED], [BLUE]])
    policy = a_policy(
        account=account, parameters=eager(), training_dataset=given, training_attribute="boxes",
        settings={"hyperparameters": {"epochs": 3}, "holdout_percent": 30},
    )  # fmt: skip
    answer(detections(policy, 4), RED, GREEN)
    run = advance(policy)
    job = run.training_job
    assert (job.name, job.created_by, job.channels["model"]) == ("bees-2", "improvement", {"name": "bees"})
    assert job.hyperparameters["class_map"] == '{"0": "red", "1": "blue", "2": "green"}'
    assert (job.hyperparameters["epochs"], job.hyperparameters["architecture"]) == ("3", "compact")
    learned, fresh = sets.read(run.manifest_uri), sets.read(run.fresh_uri)
    assert (run.images, run.training_images, run.fresh_images) == (4, len(learned), len(fresh)) == (4, 4, 2)
    assert [[box.label for box in one.boxes] for one in learned] == [["red"], ["blue"], *[["red", "green"]] * 2]
    assert {one.uri for one in learned}.isdisjoint(one.uri for one in fresh)
    policy.refresh_from_db()
    assert policy.labels == ["red", "blue", "green"] and answers.untrained(policy).count() == 0
    assert "the improvement policy improve" in uses_of(run.live_model)


def test_the_models_are_compared_by_their_predictions(policy):
    run = until_trained(policy)
    jobs = {job.name: job for job in TransformJob.objects.all()}
    assert len(jobs) == 4 and {job.created_by for job in jobs.values()} == {"improvement"}
    new, live = run.model, run.live_model
    for job in jobs.values():
        fixed = "fixed" in job.name
        right = [[RED], [BLUE], [RED, BLUE]] if fixed else [[RED]]
        wrong = [[RED], [], [RED, Box("blue", 0, 0, 5, 5)]] if fixed else [[]]
        predict(job, right if job.model_id == new.pk else wrong)
    run = advance(policy)
    assert run.figures["fixed"]["new"]["f1"] == 1.0
    # Of four boxes the live model found two; the cut leaves out nothing that is right.
    assert run.figures["fixed"]["live"]["f1"] == pytest.approx(2 * 2 / (3 + 4))
    assert run.figures["fixed"]["live"]["by_class"] == {"red": 1.0, "blue": 0.0}
    assert run.figures["fresh"]["new"]["f1"] == 1.0 and run.figures["fresh"]["live"]["f1"] == 0.0
    assert run.status == "WaitForStart"
    new.refresh_from_db()
    assert (new.status, new.decided_by, live.status) == ("Approved", "improvement", "PendingManualApproval")


def test_a_better_model_is_deployed_blue_green_and_watched(policy):
    run = concluded(policy, until_trained(policy), 0.9, 0.8)
    assert run.status == "WaitForStart" and served(policy) == "bees"
    run = taken(policy, run)
    assert run.status == "Watching" and run.deployed_at and served(policy) == "bees-2"
    assert steps(run) == [
        "InitiateTraining", "CreateManifest", "CreateProjectVersion", "WaitForTraining", "TrainingCompleted",
        "Evaluation", "StartModel", "WaitForStart", "ModelStarted", "DeployEndpoint", "Watching",
    ]  # fmt: skip
    assert [text.split(":")[0] for text in told()] == [
        "begins the training 1", "deploys the model bees-2", "has deployed the model bees-2; the endpoint serves it.",
    ]  # fmt: skip


def test_the_endpoint_gets_the_inference_units(policy):
    creating.change_parameters(policy=policy, given={known.UNITS: 2}, by="user:1")
    advance(policy)
    policy.endpoint.refresh_from_db()
    assert policy.endpoint.status == "Updating"
    answer_all(policy.endpoint)
    endpoints.advance(endpoint_id=policy.endpoint.pk)
    assert hosting.serving(policy.endpoint).variants.get().instance_count == 2
    policy.refresh_from_db()
    assert not policy.units_pending
    run = concluded(policy, until_trained(policy), 0.9, 0.8)
    assert run.deployment.variants.get().instance_count == 2


def test_a_low_f1_is_refused_and_its_images_are_learned_from_again(policy):
    run = concluded(policy, until_trained(policy), 0.7, 0.6)
    assert run.status == "FailedF1Score" and "below Minimum-F1-Score 0.8" in run.reason and run.ended_at
    run.model.refresh_from_db()
    assert run.model.status == "Rejected" and served(policy) == "bees"
    assert "refuses the model bees-2" in told()[-1]
    again = until_trained(policy)
    assert again.number == 2 and again.live_model.name == "bees"
    assert {one.uri for one in sets.read(run.manifest_uri)} < {one.uri for one in sets.read(again.manifest_uri)}


def test_a_regression_is_refused_and_its_images_are_set_aside(policy):
    run = concluded(policy, until_trained(policy), 0.85, 0.95)
    assert run.status == "Regression" and "worse by more than the margin" in run.reason
    assert run.detections.filter(set_aside=True).count() == 2 and served(policy) == "bees"
    assert "its 2 images are set aside" in told()[-1]
    again = until_trained(policy)
    assert {one.uri for one in sets.read(run.manifest_uri)}.isdisjoint(one.uri for one in sets.read(again.manifest_uri))
    assert creating.use_again(run=run, by="user:1") == 2
    assert policy.detections.filter(set_aside=True).count() == 0


def test_a_training_that_fails_gives_its_images_back(policy):
    answer(detections(policy, 2), RED)
    run = advance(policy)
    with transaction.atomic():
        transitions.TRAINING_JOB.advance(run.training_job, "Failed", by="learner", failure_reason="out of memory")
    run = advance(policy)
    assert run.status == "Failed" and "bees-2 is Failed. out of memory" in run.reason
    assert answers.untrained(policy).count() == 2 and "could not finish the training 1" in told()[-1]


def test_an_endpoint_that_rolls_back_ends_the_run(policy):
    run = concluded(policy, until_trained(policy), 0.9, 0.8)
    with transaction.atomic():
        transitions.DEPLOYMENT.advance(run.deployment, "RolledBack", by="endpoints", reason="it is on fire")
    run = advance(policy)
    assert run.status == "Failed" and "did not take the model: it is on fire" in run.reason


def test_another_model_in_the_endpoint_ends_the_run(policy):
    run = until_trained(policy)
    variant = hosting.serving(policy.endpoint).variants.get()
    variant.model = run.model
    variant.save()
    assert concluded(policy, run, 0.9, 0.8).reason.startswith("the endpoint serves another model")


def reviewed(policy, model, agreements):
    """Images that people have answered, with so much agreement, without the tasks that they were."""
    rows = [
        Detection(
            policy=policy, uri=f"{policy.location}/{number}-{model.name}-{agreements[0]}", version="1", model=model,
            status="Answered", agreement=agreement, answered_at=timezone.now(), source=detecting.SAMPLING,
            truth=sets.rows_of([RED]), width=64, height=64,
        )
        for number, agreement in enumerate(agreements)
    ]  # fmt: skip
    Detection.objects.bulk_create(rows)


def test_a_model_that_people_disagree_with_is_rolled_back(policy):
    chance = random.Random(3)
    reviewed(policy, creating.live_model(policy), [0.9] * 10)
    run = until_trained(policy)
    run = taken(policy, concluded(policy, run, 0.9, 0.8))
    reviewed(policy, run.model, [chance.uniform(0, 0.3) for _ in range(9)])
    assert advance(policy).status == "Watching", "nine images say nothing"
    reviewed(policy, run.model, [0.1])
    assert advance(policy).status == "Watching", "the model before is asked about the same images"
    job = TransformJob.objects.latest("pk")
    assert (job.model, job.created_by) == (run.live_model, "improvement")
    predict(job, [[RED]] * 10)
    run = advance(policy)
    assert run.status == "RollingBack" and "Mann-Whitney" in run.reason and "Wilcoxon" in run.reason
    assert run.figures["watch"][0]["confirmed"]["worse"] and run.detections.filter(set_aside=True).count() == 2
    run = taken(policy, run)
    assert run.status == "RolledBack" and served(policy) == "bees" and "has rolled back" in told()[-1]
    run.model.refresh_from_db()
    assert run.model.status == "Rejected"


def test_people_who_draw_wrong_boxes_do_not_bring_a_good_model_down(policy):
    reviewed(policy, creating.live_model(policy), [0.9] * 10)
    run = taken(policy, concluded(policy, until_trained(policy), 0.9, 0.8))
    reviewed(policy, run.model, [0.0] * 10)
    advance(policy)
    predict(TransformJob.objects.latest("pk"), [[BLUE]] * 10)
    run = advance(policy)
    assert run.status == "Watching" and not run.figures["watch"][0]["confirmed"]["worse"]
    assert "does not take back its model" in told()[-1] and served(policy) == "bees-2"


def test_the_watch_of_a_good_model_ends(policy):
    reviewed(policy, creating.live_model(policy), [0.5] * 10)
    run = until_trained(policy)
    run = taken(policy, concluded(policy, run, 0.9, 0.8))
    reviewed(policy, run.model, [0.6] * 80)
    run = advance(policy)
    assert run.status == "Completed" and [look["images"] for look in run.figures["watch"]] == [10, 20, 40, 80]


def test_a_new_training_ends_the_watch(policy):
    run = taken(policy, concluded(policy, until_trained(policy), 0.9, 0.8))
    answer(detections(policy, 2), RED)
    creating.check_now(policy=policy, by="user:1")
    again = advance(policy)
    run.refresh_from_db()
    assert (run.status, again.status, again.live_model) == ("Completed", "WaitForTraining", run.model)


def test_stopping_ends_the_training(policy):
    answer(detections(policy, 2), RED)
    run = advance(policy)
    creating.stop(policy=policy, by="user:1")
    run.refresh_from_db()
    assert run.status == "Stopped" and TrainingJob.objects.get().status == "Stopped"
    assert answers.untrained(policy).count() == 2


def test_a_step_that_is_taken_twice_changes_nothing(policy):
    answer(detections(policy, 4), RED)
    assert training.check_new(policy)
    stale = runs.current(policy)
    training.initiate(stale)
    stale = runs.current(policy)
    uri_before = None
    for _ in range(2):
        # Killed after the manifest was written and before the move: it is written again, the same.
        with pytest.raises(RuntimeError), transaction.atomic():
            training.create_manifest(PolicyRun.objects.select_related("policy__account").get(pk=stale.pk))
            (uri,) = PolicyRun.objects.values_list("manifest_uri", flat=True)
            assert uri_before in (None, sets.read(uri)) and uri
            uri_before = sets.read(uri)
            raise RuntimeError("killed")
    run = advance(policy)
    assert run.status == "WaitForTraining" and TrainingJob.objects.count() == 1
    assert sets.read(run.manifest_uri) == uri_before
    assert len(steps(run)) == len(set(steps(run))) == 4
