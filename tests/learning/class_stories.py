"""Jobs with automated labeling about texts and pictures that have classes or masks, and people who say the truth."""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from PIL import Image

from labeling import task_types
from labeling.formats import segments
from labeling.formats.shapes import Vote
from labeling.models import DataObject, LabelingJob
from labeling.services.intake import texts as stored_texts
from labeling.services.jobs import creation
from labeling.services.queue import assignments
from learning.models import LearningLoop
from marketplace import storage
from marketplace.models import Account, Worker
from tests import builders
from tests.labeling.stories import a_crowd, an_account
from tests.learning.texts import sentences
from tests.learning.vision import image_jobs


@dataclass
class ClassStory:
    """A job, its people, and the true answer about each text, or about each picture by its address."""

    job: LabelingJob
    workers: list[Worker]
    truth: dict[str, Any]

    @property
    def loop(self) -> LearningLoop:
        return LearningLoop.objects.get(job=self.job)

    def states(self) -> dict[str, int]:
        """How many objects are in each state."""
        rows = list(DataObject.objects.filter(job=self.job).values_list("state", flat=True))
        return {state: rows.count(state) for state in set(rows)}

    def true_answer(self, row: DataObject) -> Any:
        """What is to be said about an object."""
        return self.truth[stored_texts.text_of(row) if stored_texts.is_text(row) else row.source_ref]

    def share_right(self, state: str) -> float:
        """How many labels of the objects in this state name exactly the true classes."""
        kind = task_types.get(self.job.task_type)
        rows = DataObject.objects.filter(job=self.job, state=state).select_related("label", "job")
        right = [kind.classes(kind.read_value(row.label.value)) == kind.classes(self.true_answer(row)) for row in rows]
        return sum(right) / len(right)


def a_text_story(
    *,
    count: int = 60,
    several: bool = False,
    files: int = 4,
    funds: str = "100",
    prelabels: dict[str, Any] | None = None,
    **automated: Any,
) -> ClassStory:
    """A job in Initializing over `count` texts, the first `files` of them in files of the store."""
    account = an_account(funds=funds)
    rows, lines = sentences.texts(count, several=several), []
    for number, (text, _) in enumerate(rows):
        if number < files:
            uri = storage.join(settings.STORE_URL, account.number, "texts", f"{number}.txt")
            storage.write(uri, text.encode())
            lines.append({"source-ref": uri})
        else:
            lines.append({"source": text})
    kind = "TextMultiClassMultiLabel" if several else "TextMultiClass"
    truth = {text: Vote(topics) for text, topics in rows}
    topics = sentences.TOPICS
    return _story(
        account, lines, truth, kind=kind, name="texts", labels=topics, automated=automated, prelabels=prelabels
    )


def a_picture_story(kind: str, *, name: str, count: int, **automated: Any) -> ClassStory:
    """A job in Initializing over pictures that show a disc each: of its class, or of its mask."""
    account, rng = an_account(funds="100"), np.random.default_rng(4)
    lines, truth = [], {}
    for number in range(count):
        pixels, values = image_jobs.picture(rng, [number % 3])
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        uri = storage.join(settings.STORE_URL, account.number, "discs", f"{number}.png")
        storage.write(uri, out.getvalue())
        lines.append({"source-ref": uri})
        labels = {place: label for place, label in enumerate(image_jobs.NAMES, start=1)}
        masked = task_types.get(kind).label_is_file
        truth[uri] = segments.from_pixels(values, labels) if masked else Vote((image_jobs.NAMES[number % 3],))
    return _story(account, lines, truth, kind=kind, name=name, labels=image_jobs.NAMES, automated=automated)


def _story(
    account: Account,
    lines: list[dict[str, str]],
    truth: dict[str, Any],
    *,
    kind: str,
    name: str,
    labels: tuple[str, ...],
    automated: dict[str, Any],
    prelabels: dict[str, Any] | None = None,
) -> ClassStory:
    manifest = storage.join(settings.STORE_URL, account.number, "input.manifest")
    storage.write(manifest, "\n".join(json.dumps(line) for line in lines).encode())
    workers = a_crowd(2)
    job = creation.create_job(
        account=account,
        by="user:1",
        name=name,
        task_type=kind,
        labels=list(labels),
        workteam=builders.a_team(account=account, workers=workers),
        input_manifest_uri=manifest,
        title="What is it?",
        description="Say what it is",
        price_micros=12_000,
        expected_seconds=5,
        workers_per_object=1,
        content_classifiers=["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"],
        automated_labeling={"enabled": True, "seed": 1, "audit_share": 0.0} | automated,
        prelabels=prelabels,
    )
    return ClassStory(job, workers, truth)


def say_the_truth(story: ClassStory) -> None:
    """Everybody says the truth until nothing is left for them."""
    kind = task_types.get(story.job.task_type)
    for worker in story.workers:
        while (seat := assignments.claim(worker=worker, queue=story.job.queue)) is not None:
            row = DataObject.objects.select_related("job").get(pk=seat.task.data_object_id)
            content = kind.write_answer(story.true_answer(row), size=(row.width, row.height))
            assignments.submit(assignment=seat, worker=worker, content=content, seconds=5, key=f"k{seat.pk}")
