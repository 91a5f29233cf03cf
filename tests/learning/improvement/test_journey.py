"""A detector of two classes meets a third: people teach it, the endpoint switches, and a poisoned batch is refused.

Real trainings, real instances of the endpoint, real answers; only the people are made up.
"""

import threading
import time
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import orjson
import pytest
from django.db import connections
from PIL import Image, ImageDraw

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
from tests.learning.improvement.stories import a_flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400), pytest.mark.django_db(transaction=True)]
SIDE = 96
COLOURS = {"square": (200, 40, 40), "disc": (40, 60, 210), "triangle": (40, 180, 60)}
QUICK = {"image_size": SIDE, "batch_size": 8, "max_seconds": 60, "epochs": 40, "augmentation": "light"}


def scene(rng: np.random.Generator, *wanted: str) -> tuple[bytes, list[Box]]:
    """A picture with one thing of each of these kinds, apart from each other, and their boxes."""
    picture = Image.fromarray(rng.integers(90, 150, (SIDE, SIDE, 3), dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    quarters = rng.permutation(4)[: len(wanted)]
    boxes = []
    for kind, quarter in zip(wanted, quarters, strict=True):
        side = int(rng.integers(22, 36))
        left = int(quarter % 2 * 48 + rng.integers(2, 46 - side))
        top = int(quarter // 2 * 48 + rng.integers(2, 46 - side))
        corners = (left, top, left + side - 1, top + side - 1)
        if kind == "square":
            draw.rectangle(corners, fill=COLOURS[kind])
        elif kind == "disc":
            draw.ellipse(corners, fill=COLOURS[kind])
        else:
            draw.polygon(
                [(left, top + side - 1), (left + side - 1, top + side - 1), (left + side // 2, top)], fill=COLOURS[kind]
            )
        boxes.append(Box(kind, left, top, side, side))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), boxes


def scenes(seed: int, count: int, *, third: bool) -> list[tuple[bytes, list[Box]]]:
    """So many pictures of squares and discs; with the `third` class in each, too."""
    rng = np.random.default_rng(seed)
    kinds = [["square"], ["disc"], ["square", "disc"]]
    more = ["triangle"] if third else []
    return [scene(rng, *kinds[place % 3], *more) for place in range(count)]


def a_set(account, name: str, given: list[tuple[bytes, list[Box]]]) -> Dataset:
    """A data set of labeled pictures, with the attribute "boxes"."""
    about = LabelContext(labels=list(COLOURS), image_size=ImageSize(SIDE, SIDE), job_name="given")
    lines = []
    for number, (picture, boxes) in enumerate(given):
        uri = storage.join(boundaries.base_of(account), name, f"{number}.png")
        storage.write(uri, picture)
        lines.append(box_line(orjson.dumps({"source-ref": uri}), "boxes", boxes, about))
    return builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines), name=name)


class Crowd:
    """Draws the boxes that it was told of each picture, until there is nothing to do."""

    def __init__(self, policy: ImprovementPolicy, worker: Worker) -> None:
        self.policy, self.worker = policy, worker
        self.truth: dict[str, list[Box]] = {}

    def drop(self, name: str, given: list[tuple[bytes, list[Box]]]) -> None:
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
            drawn = {"boundingBoxes": rows, "inputImageProperties": {"width": SIDE, "height": SIDE}}
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


def first_model(account, learner) -> tuple[Model, Dataset]:
    """A detector of squares and discs, and what it was trained on."""
    base = a_set(account, "base", scenes(1, 45, third=False))
    job = training.train_on_dataset(
        account=account, dataset=base, name="shapes", by="user:1",
        hyperparameters={**QUICK, "label_attribute_name": "boxes", "class_map": {"0": "square", "1": "disc"}},
    )  # fmt: skip
    over = TrainingJob.objects.filter(pk=job.pk).exclude(status="InProgress")
    work_until(learner, over.exists)
    job.refresh_from_db()
    assert job.status == "Completed", job.failure_reason
    return job.model, base


def a_policy_of(endpoint: Endpoint, worker: Worker, base: Dataset) -> ImprovementPolicy:
    """A policy that puts everything before people, with a test set of all three classes."""
    account = endpoint.account
    endpoint.refresh_from_db()
    policy, _ = creating.create(
        account=account, name="shapes", endpoint=endpoint, flow=a_flow(account, [worker]),
        location=storage.join(boundaries.base_of(account), "shapes"),
        test_dataset=a_set(account, "tests", scenes(2, 24, third=True)), test_attribute="boxes",
        training_dataset=base, training_attribute="boxes", by="user:1",
        parameters={
            known.LEAST_IMAGES: 36, known.TRAINING_MINUTES: 1, known.LEAST_F1: 0.6, known.LEAST_CONFIDENCE: 100.0,
        },
        settings={
            "holdout_percent": 20, "hyperparameters": QUICK, "strategy": {"bake_seconds": 1, "start_seconds": 300},
        },
    )  # fmt: skip
    return policy


def test_people_teach_a_detector_a_third_class_and_cannot_spoil_it(learner):
    account, worker = builders.an_account(), builders.a_worker()
    model, base = first_model(account, learner)
    endpoint = hosting.create(account=account, name="shapes", config=a_config(account, model), by="user:1")
    work_until(learner, status_is(endpoint, "InService"), endpoint=endpoint)
    policy = a_policy_of(endpoint, worker, base)
    crowd = Crowd(policy, worker)
    runs = policy.runs.order_by("number")

    # The third class comes: people draw it, and the detector learns it, without a failed request.
    crowd.drop("new", scenes(3, 36, third=True))
    with asking(endpoint, scenes(4, 1, third=True)[0][0]) as met:
        work_until(
            learner, lambda: runs.exclude(status__in=advancing.FOLLOWED_RUNS).exists(), endpoint=endpoint,
            policy=policy, crowd=crowd,
        )  # fmt: skip
        time.sleep(2)
    first = runs.get()
    fixed = first.figures["fixed"]
    print("taught:", {who: (round(found["f1"], 3), found["by_class"]) for who, found in fixed.items()}, len(met))
    assert first.status == "Watching", (first.status, first.reason)
    assert fixed["live"]["by_class"]["triangle"] == 0.0 and fixed["new"]["by_class"]["triangle"] > 0.3
    assert fixed["new"]["f1"] > fixed["live"]["f1"] + 0.05
    assert set(met) == {200} and len(met) > 20
    assert hosting.serving(endpoint).variants.get().model == first.model and first.model.labels[2] == "triangle"
    assert first.model.parent == model

    # A poisoned batch: a corner of each thing. The gate refuses what was learned from it, and the watch blames the
    # people and not the model.
    ImprovementPolicy.objects.filter(pk=policy.pk).update(
        parameters={**policy.parameters, known.LEAST_IMAGES: 120}, training_checked_at=None
    )
    poisoned = [
        (picture, [Box(b.label, b.left, b.top, b.width * 2 // 5, b.height * 2 // 5) for b in boxes])
        for picture, boxes in scenes(5, 120, third=True)
    ]
    crowd.drop("poison", poisoned)

    def judged():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(training_checked_at=None)
        return runs.count() > 1 and (runs.last().ended_at is not None or runs.last().status == "Watching")

    work_until(learner, judged, endpoint=endpoint, policy=policy, crowd=crowd)
    second = runs.last()
    print("poisoned:", second.status, second.reason)
    assert second.status == "Regression", (second.status, second.reason, second.figures)
    assert second.detections.filter(set_aside=True).count() == 120
    first.refresh_from_db()
    assert first.status == "Completed" and hosting.serving(endpoint).variants.get().model == first.model
    assert Model.objects.get(pk=second.model_id).status == "Rejected"
