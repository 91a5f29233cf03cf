"""Jobs with automated labeling whose objects have classes: short texts, and people who say what they are about."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from labeling import task_types
from labeling.formats.shapes import Vote
from labeling.models import DataObject, LabelingJob
from labeling.services.intake import texts as stored_texts
from labeling.services.jobs import creation
from labeling.services.queue import assignments
from learning.models import LearningLoop
from marketplace import storage
from marketplace.models import Worker
from tests import builders
from tests.labeling.stories import a_crowd, an_account
from tests.learning.texts import sentences


@dataclass
class TextStory:
    """A job, its people and the topics of its texts."""

    job: LabelingJob
    workers: list[Worker]
    topics: dict[str, tuple[str, ...]]

    @property
    def loop(self) -> LearningLoop:
        return LearningLoop.objects.get(job=self.job)

    def states(self) -> dict[str, int]:
        """How many objects are in each state."""
        rows = list(DataObject.objects.filter(job=self.job).values_list("state", flat=True))
        return {state: rows.count(state) for state in set(rows)}

    def share_right(self, state: str) -> float:
        """How many labels of the objects in this state say exactly the topics of the text."""
        kind = task_types.get(self.job.task_type)
        rows = DataObject.objects.filter(job=self.job, state=state).select_related("label", "job")
        right = [
            kind.classes(kind.read_value(row.label.value)) == set(self.topics[stored_texts.text_of(row)])
            for row in rows
        ]
        return sum(right) / len(right)


def a_text_story(
    *, count: int = 60, several: bool = False, files: int = 4, funds: str = "100", **automated: Any
) -> TextStory:
    """A job in Initializing over `count` texts, the first `files` of them in files of the store."""
    account = an_account(funds=funds)
    base = storage.join(settings.STORE_URL, account.number, "texts")
    rows, lines = sentences.texts(count, several=several), []
    for number, (text, _) in enumerate(rows):
        if number < files:
            uri = storage.join(base, f"{number}.txt")
            storage.write(uri, text.encode())
            lines.append({"source-ref": uri})
        else:
            lines.append({"source": text})
    manifest = storage.join(base, "input.manifest")
    storage.write(manifest, "\n".join(json.dumps(line) for line in lines).encode())
    workers = a_crowd(2)
    job = creation.create_job(
        account=account,
        by="user:1",
        name="texts",
        task_type="TextMultiClassMultiLabel" if several else "TextMultiClass",
        labels=list(sentences.TOPICS),
        workteam=builders.a_team(account=account, workers=workers),
        input_manifest_uri=manifest,
        title="What is it about?",
        description="Topics",
        price_micros=12_000,
        expected_seconds=5,
        workers_per_object=1,
        content_classifiers=["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"],
        automated_labeling={"enabled": True, "seed": 1} | automated,
    )
    return TextStory(job, workers, dict(rows))


def say_topics(story: TextStory) -> None:
    """Everybody says the truth until nothing is left for them."""
    kind = task_types.get(story.job.task_type)
    for worker in story.workers:
        while (seat := assignments.claim(worker=worker, queue=story.job.queue)) is not None:
            row = DataObject.objects.select_related("job").get(pk=seat.task.data_object_id)
            content = kind.write_answer(Vote(story.topics[stored_texts.text_of(row)]), size=(row.width, 1))
            assignments.submit(assignment=seat, worker=worker, content=content, seconds=5, key=f"k{seat.pk}")
