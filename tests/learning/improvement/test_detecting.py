"""What becomes of a detected image: it passes, or people are asked, and their answer is kept with it."""

import orjson
import pytest
from django.utils import timezone

from labeling.background import advance_queue
from labeling.models import HumanLoop
from labeling.services.review import loops
from learning.models import Detection
from learning.services.improvement import answers, creating, detecting, discovery
from learning.services.improvement import parameters as known
from marketplace import storage
from marketplace.errors import Forbidden, Invalid, NameTaken, WrongState
from tests import builders
from tests.learning.hosting_stories import a_config, a_model, an_endpoint
from tests.learning.improvement.stories import (
    BLUE,
    RED,
    a_flow,
    a_labeled_set,
    a_policy,
    advance,
    answer,
    detections,
    doubtful,
    draw,
    drop,
    location,
    seen,
)

pytestmark = pytest.mark.django_db


def change(policy, **given):
    creating.change_parameters(policy=policy, given=given, by="user:1")


def states(policy):
    return list(policy.detections.order_by("pk").values_list("status", flat=True))


def test_a_sure_detection_passes_and_a_doubtful_one_is_put_before_people():
    policy = a_policy()
    sure, doubted = detections(policy, 1, score=0.7) + detections(policy, 1, score=0.69)
    assert states(policy) == ["PassConfidence", "HumanLoop"]
    doubted.refresh_from_db()
    assert (doubted.label, doubted.confidence, doubted.source) == ("red", 69.0, "A2I Workflow")
    said = orjson.loads(doubted.human_loop.content)
    assert said["source"] == "A2I Workflow" and said["taskObject"] == doubted.uri
    assert said["detectLabelRequestId"] == str(doubted.pk) and said["detectedLabel"] == "red"
    assert said["detectedConfidenceLevel"] == 69.0 and said["labels"] == ["red", "blue"]
    assert orjson.loads(said["initialValue"]) == [{"label": "red", "left": 0, "top": 0, "width": 32, "height": 32}]
    assert HumanLoop.objects.count() == 1 and not Detection.objects.get(pk=sure.pk).human_loop


def test_parameters_hold_for_the_next_image():
    policy = a_policy()
    change(policy, **{known.ENABLE_A2I: False})
    detections(policy, 1, score=0.4)
    change(policy, **{known.ENABLE_A2I: True, known.LEAST_CONFIDENCE: 30.0})
    detections(policy, 1, score=0.4)
    change(policy, **{known.LEAST_CONFIDENCE: 50.0})
    detections(policy, 1, score=0.4)
    assert states(policy) == ["A2IOff", "PassConfidence", "HumanLoop"]


def test_a_picture_without_detections_is_put_before_people():
    policy = a_policy()
    drop(policy, "empty.png")
    discovery.poll(policy)
    (row,) = policy.detections.all()
    detecting.record(policy, creating.live_model(policy), row, seen())
    row.refresh_from_db()
    assert (row.status, row.label, row.confidence) == ("HumanLoop", "", 0.0)


def test_people_answer_and_the_answer_is_kept():
    worker = builders.a_worker()
    policy = a_policy(workers=[worker])
    (row,) = detections(policy, 1)
    assert not answers.collect(policy) and states(policy) == ["HumanLoop"]
    draw(policy, worker, [RED, BLUE])
    answers.collect(policy)
    row.refresh_from_db()
    assert (row.status, row.human_label, row.use, row.run) == ("Answered", "blue, red", "", None)
    assert row.truth == [["red", 0.0, 0.0, 32.0, 32.0], ["blue", 32.0, 32.0, 32.0, 32.0]]
    assert row.agreement == pytest.approx(2 / 3, abs=1e-5) and answers.untrained(policy).count() == 1


def test_a_loop_that_was_stopped_or_deleted_gives_no_answer():
    policy = a_policy()
    first, second = detections(policy, 2)
    loops.stop_loop(loop=HumanLoop.objects.get(detection=first), by="user:1")
    advance_queue(policy.flow.queue_id)
    HumanLoop.objects.filter(detection=second).update(status="Stopped")
    loops.delete_loop(loop=HumanLoop.objects.get(detection=second), by="user:1")
    answers.collect(policy)
    rows = policy.detections.order_by("pk").values_list("status", "reason")
    assert [status for status, _ in rows] == ["Unanswered"] * 2
    assert "is Stopped" in rows[0][1] and rows[1][1] == "its human loop was deleted"


def test_every_nth_detection_is_a_sample_whatever_its_confidence():
    policy = a_policy(parameters={known.SAMPLING_INTERVAL: 3, known.SAMPLING_MINUTES: 1})
    detections(policy, 7, score=0.9)
    assert not detecting.sample(policy)
    asked = policy.detections.filter(status="HumanLoop").order_by("pk")
    assert list(asked.values_list("source", "sampled")) == [("Human Sampling", True)] * 2
    assert [place for place, status in enumerate(states(policy)) if status == "HumanLoop"] == [2, 5]
    policy.refresh_from_db()
    detecting.sample(policy)
    assert asked.count() == 2, "looked for again after its minutes"
    detections(policy, 2, score=0.9)
    type(policy).objects.filter(pk=policy.pk).update(sampled_at=None)
    policy.refresh_from_db()
    detecting.sample(policy)
    assert asked.count() == 3, "one was counted before, two came"
    answer(asked, RED)
    assert answers.untrained(policy).count() == 0, "samples audit the model, they do not train it"


def test_what_cannot_be_read_fails_alone_and_can_be_tried_again(monkeypatch):
    policy = a_policy()
    drop(policy, "a.png", "b.png")
    drop(policy, "c.png", content=b"no picture")
    discovery.poll(policy)
    Detection.objects.filter(uri__endswith="a.png").update(uri=f"{policy.location}/images_for_detection/gone.png")

    def answered(endpoint, model, image):
        if image == b"no picture":
            raise Invalid("is not an image")
        return seen(doubtful(RED, 0.9))

    monkeypatch.setattr(detecting.features, "look", answered)
    assert not detecting.detect_some(policy)
    found = dict(policy.detections.values_list("status", "reason"))
    assert sorted(states(policy)) == ["Failed", "Failed", "PassConfidence"] and found["PassConfidence"] == ""
    assert set(policy.detections.filter(status="Failed").values_list("reason", flat=True)) >= {"is not an image"}
    assert detecting.try_again(policy=policy, by="user:1") == 2
    assert states(policy).count("Found") == 2


def test_an_image_that_people_cannot_be_asked_about_holds_up_no_other(monkeypatch):
    policy = a_policy()
    drop(policy, "a.png", "b.png")
    discovery.poll(policy)
    scores = {"a.png": 0.4, "b.png": 0.9}
    contents = {storage.read(row.uri): row.uri.rpartition("/")[2] for row in policy.detections.all()}
    monkeypatch.setattr(
        detecting.features, "look", lambda endpoint, model, image: seen(doubtful(RED, scores[contents[image]]))
    )
    type(policy.flow).objects.filter(pk=policy.flow.pk).update(status="Deleting")
    policy.flow.refresh_from_db()
    with pytest.raises(WrongState, match="flow definition is Deleting"):
        detecting.detect_some(policy)
    assert states(policy) == ["Found", "PassConfidence"]


def test_an_endpoint_that_does_not_answer_lets_images_wait_and_says_so():
    policy = a_policy()
    drop(policy, "a.png")
    advance(policy)
    policy.refresh_from_db()
    assert states(policy) == ["Found"] and "bees" in policy.attention
    type(policy.endpoint).objects.update(status="Updating")
    policy.endpoint.refresh_from_db()
    assert not detecting.detect_some(policy)
    advance(policy)
    policy.refresh_from_db()
    assert policy.attention == ""


def test_what_cannot_be_a_policy_is_refused():
    account = builders.an_account()
    policy = a_policy(account=account)
    tests = a_labeled_set(account, [[RED]])

    def create(**changes):
        given = {
            "account": account, "name": "other", "endpoint": policy.endpoint, "flow": policy.flow, "by": "user:1",
            "location": location(account), "test_dataset": tests, "test_attribute": "boxes",
        }  # fmt: skip
        return creating.create(**given | changes)

    with pytest.raises(NameTaken):
        create(name="improve")
    with pytest.raises(Forbidden):
        create(location="s3://elsewhere/x")
    with pytest.raises(Invalid, match="no line of the data set .* has boxes under 'labels'") as refused:
        create(test_attribute="labels")
    assert refused.value.field == "test_dataset"
    with pytest.raises(Invalid, match="say under which label attribute"):
        create(test_attribute="")
    with pytest.raises(Invalid, match="'speed' is not known"):
        create(settings={"speed": 1})
    with pytest.raises(Invalid, match="60 found, 0 to 50"):
        create(settings={"holdout_percent": 60})
    with pytest.raises(Invalid, match="epochs"):
        create(settings={"hyperparameters": {"epochs": "many"}})
    two = an_endpoint(account, a_config(account, a_model(account, "x"), a_model(account, "y"), name="two"), name="two")
    with pytest.raises(WrongState, match="serves 2 variants"):
        create(endpoint=two)
    type(policy.flow).objects.filter(pk=policy.flow.pk).update(status="Deleting")
    policy.flow.refresh_from_db()
    with pytest.raises(WrongState, match="is Deleting"):
        create()
    assert type(policy).objects.count() == 1


def test_a_stopped_policy_does_nothing_and_can_go_on():
    policy = a_policy()
    with pytest.raises(WrongState, match="stop it first"):
        creating.delete(policy=policy, by="user:1")
    creating.stop(policy=policy, by="user:1")
    drop(policy, "a.png")
    advance(policy)
    assert not policy.detections.exists()
    with pytest.raises(WrongState, match="start it first"):
        creating.check_now(policy=policy, by="user:1")
    creating.start(policy=policy, by="user:1")
    advance(policy)
    assert policy.detections.count() == 1
    creating.stop(policy=policy, by="user:1")
    creating.delete(policy=policy, by="user:1")
    assert not Detection.objects.exists() and policy.flow.status == "Active"
    assert a_flow(policy.account, name="again").created_at < timezone.now()
