"""What the tests of continuous improvement share: a policy on an endpoint whose one instance is said to answer."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db import transaction

from labeling.background import advance_queue
from labeling.formats.augmented import box_line
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize
from labeling.models import Dataset, FlowDefinition
from labeling.services.queue import assignments
from labeling.services.review import flows, retraining, task_uis
from learning import transitions
from learning.contract import PredictedBox, Prediction
from learning.models import Detection, ImprovementPolicy, Model, PolicyRun, TransformJob
from learning.services.improvement import advancing, answers, creating, detecting, discovery, features
from learning.services.improvement import parameters as known
from marketplace import storage
from marketplace.models import Account, Worker
from marketplace.services import boundaries
from tests import builders
from tests.learning.hosting_stories import a_config, a_model, an_endpoint

TEMPLATE = """<crowd-form><crowd-bounding-box name="annotatedResult" labels="['red', 'blue', 'green']" header="Box"
 src="{{ task.input.taskObject | grant_read_access }}" initial-value="{{ task.input.initialValue }}">
<full-instructions>All.</full-instructions><short-instructions>All.</short-instructions>
</crowd-bounding-box></crowd-form>"""
SIZE = ImageSize(64, 64)
RED = Box("red", 0, 0, 32, 32)
BLUE = Box("blue", 32, 32, 32, 32)
LABELS = ["red", "blue"]


def a_flow(account: Account, workers: Sequence[Worker] = (), name: str = "reviews") -> FlowDefinition:
    """A flow definition of one person a loop, whose answers cost nothing."""
    return flows.create_flow(
        account=account,
        by="user:1",
        name=name,
        workteam=builders.a_team(account=account, workers=list(workers), name=f"team-{name}"),
        task_ui=task_uis.create_task_ui(account=account, name=f"ui-{name}", content=TEMPLATE, by="user:1"),
        title="Look again",
        description="Correct the boxes.",
        output_uri=f"{boundaries.base_of(account)}/reviews",
    )


def a_labeled_set(account: Account, images: Iterable[Sequence[Box]], labels: Sequence[str] = LABELS) -> Dataset:
    """A data set of pictures with these boxes under the attribute "boxes"."""
    boxes = list(images)
    about = LabelContext(labels=list(labels), image_size=SIZE, job_name="given")
    uris = builders.tiny_images(len(boxes), account=account)
    lines = [
        box_line(orjson.dumps({"source-ref": uri}), "boxes", some, about) for uri, some in zip(uris, boxes, strict=True)
    ]
    return builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines))


def a_policy(
    *, account: Account | None = None, workers: Sequence[Worker] = (), parameters: Any = None, **changes: Any
) -> ImprovementPolicy:
    """A policy on the endpoint "bees" with the model "bees", whose classes are red and blue."""
    account = account or builders.an_account()
    endpoint = an_endpoint(account, a_config(account, a_model(account, "bees")))
    made, _ = creating.create(
        account=account,
        name=changes.pop("name", "improve"),
        endpoint=endpoint,
        flow=a_flow(account, workers),
        location=location(account),
        test_dataset=a_labeled_set(account, [[RED], [BLUE], [RED, BLUE]]),
        test_attribute="boxes",
        parameters=parameters,
        by="user:1",
        **changes,
    )
    return advancing._policy(made.pk)


def location(account: Account) -> str:
    """Where the policy works."""
    return storage.join(boundaries.base_of(account), "hive")


def drop(policy: ImprovementPolicy, *names: str, content: bytes = b"") -> list[str]:
    """Put pictures of these names where the policy looks for them; returns their addresses."""
    uris = [storage.join(policy.location, creating.FOLDER, name) for name in names]
    for number, uri in enumerate(uris):
        storage.write(uri, content or builders.image_bytes(size=(64, 64 + number % 7)))
    return uris


def seen(*boxes: Box, brightness: float = 0.5) -> features.Seen:
    """What an endpoint may say of a picture."""
    found = sorted(boxes, key=lambda box: -(box.confidence or 0.0))
    best = (found[0].confidence or 0.0) if found else 0.0
    return features.Seen(found, 64, 64, [brightness, 0.004, 1.0, float(len(found)), best])


def doubtful(box: Box, score: float = 0.4) -> Box:
    """The box with a score."""
    return Box(box.label, box.left, box.top, box.width, box.height, score)


def detections(
    policy: ImprovementPolicy, count: int, *, score: float = 0.4, model: Model | None = None
) -> list[Detection]:
    """So many new images, each with one red box of this score; doubtful ones are before people."""
    begin = policy.detections.count()
    names = [f"{begin + number:05d}.png" for number in range(count)]
    drop(policy, *names)
    type(policy).objects.filter(pk=policy.pk).update(listed_at=None)
    policy.refresh_from_db()
    discovery.poll(policy)
    rows = list(policy.detections.filter(status="Found").order_by("pk"))
    for row in rows:
        detecting.record(policy, model or creating.live_model(policy), row, seen(doubtful(RED, score)))
    return rows


def answer(rows: Iterable[Detection], *boxes: Box) -> None:
    """Say of images that are before people what people drew."""
    for row in rows:
        answers.note(row, retraining.Answered(list(boxes), SIZE))


def draw(policy: ImprovementPolicy, worker: Worker, boxes: Sequence[Box]) -> None:
    """The worker takes the next task of the policy's flow definition and draws these boxes."""
    seat = assignments.claim(worker=worker, queue=policy.flow.queue)
    assert seat is not None
    drawn = [
        {"label": b.label, "left": int(b.left), "top": int(b.top), "width": int(b.width), "height": int(b.height)}
        for b in boxes
    ]
    content = {"annotatedResult": {"boundingBoxes": drawn, "inputImageProperties": {"width": 64, "height": 64}}}
    assignments.submit(assignment=seat, worker=worker, content=content, seconds=1, key=None)
    advance_queue(policy.flow.queue_id)


def advance(policy: ImprovementPolicy) -> PolicyRun | None:
    """All that the policy can do now; its newest run. No endpoint answers, so images are not detected."""
    advancing.advance(policy_id=policy.pk)
    return policy.runs.order_by("number").last()


def trained(run: PolicyRun, name: str = "") -> Model:
    """The training of the run is over, and this is its model."""
    job = run.training_job
    assert job is not None
    model = a_model(run.policy.account, name or job.name)
    with transaction.atomic():
        transitions.TRAINING_JOB.advance(job, "Completed", by="learner", model=model)
    return model


def predict(job: TransformJob, images: Sequence[Sequence[Box]]) -> None:
    """The prediction of the transform job is over, with these boxes for each image."""
    numbers = {label: int(number) for number, label in job.model.config["class_map"].items()}
    lines = [
        Prediction(
            index=place,
            object_id=None,
            source_ref="x",
            image_size={"width": 64, "height": 64},
            boxes=[
                PredictedBox(numbers[b.label], b.left, b.top, b.width, b.height, b.confidence or 1.0) for b in boxes
            ],
            embedding=[],
        ).to_line()
        for place, boxes in enumerate(images)
    ]
    storage.write(job.output_uri, "".join(lines).encode())
    with transaction.atomic():
        transitions.TRANSFORM_JOB.advance(job, "Completed", by="learner")


def eager(**changes: Any) -> dict[str, Any]:
    """Parameters with which a training begins with the second answer."""
    return {known.LEAST_IMAGES: 2, known.TRAINING_MINUTES: 1, **changes}
