"""A detector of two classes meets a third: people teach it, the endpoint switches, and a poisoned batch is refused.

Real trainings, real instances of the endpoint, real answers; only the people are made up.
"""

import threading
import time
from contextlib import contextmanager

import orjson
import pytest
from django.db import connections

from labeling.background import advance_queue
from labeling.formats.augmented import box_line
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize
from labeling.models import Dataset
from labeling.services.queue import assignments
from learning.models import Endpoint, ImprovementPolicy, Model, TrainingJob
from learning.services import training
from learning.services.hosting import deploying, hosting, invoke
from learning.services.improvement import advancing, creating
from learning.services.improvement import parameters as known
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.models import Worker
from marketplace.services import boundaries
from tests import builders
from tests.learning.hosting_stories import a_config, status_is
from tests.learning.improvement.pictures import Labeled, Pictures, cards, shapes
from tests.learning.improvement.stories import a_flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400), pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["shapes", "cards"])
def pictures(request) -> Pictures:
    """Painted ones, and photos."""
    if request.param == "shapes":
        return shapes()
    return cards(request.getfixturevalue("datasets") / "cards")


def a_set(account, name: str, pictures: Pictures, given: Labeled) -> Dataset:
    """A data set of labeled pictures, with the attribute "boxes"."""
    about = LabelContext(labels=list(pictures.kinds), image_size=ImageSize(*pictures.size), job_name="given")
    lines = []
    for number, (picture, boxes) in enumerate(given):
        uri = storage.join(boundaries.base_of(account), name, f"{number}.png")
        storage.write(uri, picture)
        lines.append(box_line(orjson.dumps({"source-ref": uri}), "boxes", boxes, about))
    return builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines), name=name)


class Crowd:
    """Draws the boxes that it was told of each picture, until there is nothing to do."""

    def __init__(self, policy: ImprovementPolicy, worker: Worker, size: tuple[int, int]) -> None:
        self.policy, self.worker, self.size = policy, worker, size
        self.truth: dict[str, list[Box]] = {}

    def drop(self, name: str, given: Labeled) -> None:
        """Put pictures where the policy looks for them."""
        for number, (picture, boxes) in enumerate(given):
            uri = storage.join(self.policy.location, creating.FOLDER, f"{name}-{number}.png")
            storage.write(uri, picture)
            self.truth[uri] = boxes
        ImprovementPolicy.objects.filter(pk=self.policy.pk).update(listed_at=None)

    def work(self) -> None:
        """Answer what is to be answered now."""
        queue = self.policy.flow.queue
        while (seat := assignments.claim(worker=self.worker, queue=queue)) is not None:
            content = orjson.loads(seat.task.human_loop.content)
            rows = [
                {
                    "label": b.label,
                    "left": int(b.left),
                    "top": int(b.top),
                    "width": int(b.width),
                    "height": int(b.height),
                }
                for b in self.truth[content["taskObject"]]
            ]
            drawn = {
                "boundingBoxes": rows,
                "inputImageProperties": dict(zip(("width", "height"), self.size, strict=True)),
            }
            assignments.submit(
                assignment=seat, worker=self.worker, content={"annotatedResult": drawn}, seconds=1, key=None
            )
        advance_queue(queue.pk)


@pytest.fixture
def learner(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


@contextmanager
def asking(endpoint, image):
    """A client that asks all the time; gives what it met with."""
    met, over = [], threading.Event()

    def ask():
        while not over.is_set():
            try:
                answer = invoke.invoke(endpoint=endpoint, image=image, content_type="image/png")
                met.append(answer.status)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what a caller would have met with
                met.append(repr(error))
            time.sleep(0.1)
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield met
    finally:
        over.set()
        thread.join()


def work_until(learner, wanted, *, endpoint=None, policy=None, crowd=None, seconds=900.0):
    """Everybody works until that is so."""
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, policy and list(policy.runs.values_list("status", "reason", "figures"))
        learner.step()
        if endpoint is not None:
            deploying.advance(endpoint_id=endpoint.pk)
        if crowd is not None:
            crowd.work()
        if policy is not None:
            advancing.advance(policy_id=policy.pk)
        time.sleep(0.2)


def first_model(account, learner, pictures: Pictures) -> tuple[Model, Dataset]:
    """A detector of two kinds of things, and what it was trained on."""
    base = a_set(account, "base", pictures, pictures.base)
    known_classes = {"0": pictures.kinds[0], "1": pictures.kinds[1]}
    job = training.train_on_dataset(
        account=account, dataset=base, name="things", by="user:1",
        hyperparameters={**pictures.training, "label_attribute_name": "boxes", "class_map": known_classes},
    )  # fmt: skip
    over = TrainingJob.objects.filter(pk=job.pk).exclude(status="InProgress")
    work_until(learner, over.exists)
    job.refresh_from_db()
    assert job.status == "Completed", job.failure_reason
    return job.model, base


def a_policy_of(endpoint: Endpoint, worker: Worker, base: Dataset, pictures: Pictures) -> ImprovementPolicy:
    """A policy that puts everything before people, with a test set of all three classes."""
    account = endpoint.account
    endpoint.refresh_from_db()
    policy, _ = creating.create(
        account=account, name="things", endpoint=endpoint, flow=a_flow(account, [worker]),
        location=storage.join(boundaries.base_of(account), "things"),
        test_dataset=a_set(account, "tests", pictures, pictures.tests), test_attribute="boxes",
        training_dataset=base, training_attribute="boxes", by="user:1",
        parameters={
            known.LEAST_IMAGES: len(pictures.new), known.TRAINING_MINUTES: 1, known.LEAST_F1: pictures.least_f1,
            known.LEAST_CONFIDENCE: 100.0,
        },
        settings={
            "holdout_percent": 20, "hyperparameters": pictures.training,
            "strategy": {"bake_seconds": 1, "start_seconds": 300},
        },
    )  # fmt: skip
    return policy


def test_people_teach_a_detector_a_third_class_and_cannot_spoil_it(learner, pictures):
    account, worker = builders.an_account(), builders.a_worker()
    model, base = first_model(account, learner, pictures)
    third = pictures.kinds[2]
    endpoint = hosting.create(account=account, name="things", config=a_config(account, model), by="user:1")
    work_until(learner, status_is(endpoint, "InService"), endpoint=endpoint)
    policy = a_policy_of(endpoint, worker, base, pictures)
    crowd = Crowd(policy, worker, pictures.size)
    runs = policy.runs.order_by("number")

    # The third class comes: people draw it, and the detector learns it, without a failed request.
    crowd.drop("new", pictures.new)
    with asking(endpoint, pictures.tests[-1][0]) as met:
        work_until(
            learner, lambda: runs.exclude(status__in=advancing.FOLLOWED_RUNS).exists(), endpoint=endpoint,
            policy=policy, crowd=crowd,
        )  # fmt: skip
        time.sleep(2)
    first = runs.get()
    fixed = first.figures["fixed"]
    print("taught:", {who: (round(found["f1"], 3), found["by_class"]) for who, found in fixed.items()}, len(met))
    assert first.status == "Watching", (first.status, first.reason)
    assert fixed["live"]["by_class"][third] == 0.0 and fixed["new"]["by_class"][third] > 0.3
    assert fixed["new"]["f1"] > fixed["live"]["f1"] + 0.05
    assert set(met) == {200} and len(met) > 20
    assert hosting.serving(endpoint).variants.get().model == first.model and first.model.labels[2] == third
    assert first.model.parent == model

    # A poisoned batch: a corner of each thing. The gate refuses what was learned from it, and the watch blames the
    # people and not the model.
    many = len(pictures.poison)
    ImprovementPolicy.objects.filter(pk=policy.pk).update(
        parameters={**policy.parameters, known.LEAST_IMAGES: many}, training_checked_at=None
    )
    crowd.drop("poison", pictures.poison)

    def judged():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(training_checked_at=None)
        return runs.count() > 1 and (runs.last().ended_at is not None or runs.last().status == "Watching")

    work_until(learner, judged, endpoint=endpoint, policy=policy, crowd=crowd)
    second = runs.last()
    print("poisoned:", second.status, second.reason)
    assert second.status == "Regression", (second.status, second.reason, second.figures)
    assert second.detections.filter(set_aside=True).count() == many
    first.refresh_from_db()
    assert first.status == "Completed" and hosting.serving(endpoint).variants.get().model == first.model
    assert Model.objects.get(pk=second.model_id).status == "Rejected"
