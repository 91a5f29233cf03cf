"""A job with automated labeling on tiny pictures, people who draw the truth, and a driver in place of the queue."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection

from labeling.formats.geometry import from_ltwh, iou_matrix
from labeling.models import DataObject, LabelingJob, ObjectState
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments
from learning.models import LearningLoop
from learning.services.active import loops
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.models import Worker
from tests import builders
from tests.journeys import pictures
from tests.labeling.stories import a_crowd, an_account

OVER = ("Completed", "Failed", "Stopped")


@dataclass
class Story:
    """A job, its people and the truth of its pictures."""

    job: LabelingJob
    workers: list[Worker]
    coco: Path

    @property
    def loop(self) -> LearningLoop:
        return LearningLoop.objects.get(job=self.job)

    def truth(self) -> dict[str, list[dict[str, Any]]]:
        """File name -> boxes."""
        coco = json.loads(self.coco.read_text())
        names = {image["id"]: image["file_name"] for image in coco["images"]}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
        for one in coco["annotations"]:
            left, top, width, height = one["bbox"]
            label = pictures.LABELS[one["category_id"] - 1]
            found[names[one["image_id"]]].append(
                {"left": left, "top": top, "width": width, "height": height, "label": label}
            )
        return found

    def states(self) -> dict[str, int]:
        """How many objects are in each state."""
        rows = DataObject.objects.filter(job=self.job).values_list("state", flat=True)
        return {state: list(rows).count(state) for state in set(rows)}

    def mean_iou(self, state: str) -> float:
        """Mean over the true boxes of these objects of the best overlap with a box of the label."""
        truth, found = self.truth(), []
        for row in DataObject.objects.filter(job=self.job, state=state).select_related("label"):
            drawn = row.label.value["boxes"]
            for one in truth[Path(row.source_ref).name]:
                same = [[b["left"], b["top"], b["width"], b["height"]] for b in drawn if b["label"] == one["label"]]
                mine = [[one["left"], one["top"], one["width"], one["height"]]]
                found.append(iou_matrix(from_ltwh(mine), from_ltwh(same)).max() if same else 0.0)
        return float(np.mean(found))


def a_story(folder: Path, *, count: int = 60, funds: str = "100", broken: int = 0, **changes: Any) -> Story:
    """A job in Initializing over `count` pictures, of which the first `broken` cannot be decoded."""
    pictures.write(folder, count=count)
    account = changes.pop("account", None) or an_account(funds=funds)
    base = storage.join(settings.STORE_URL, account.number, "pictures")
    lines = []
    for number, path in enumerate(sorted((folder / "images").iterdir())):
        storage.write(storage.join(base, path.name), b"no image" if number < broken else path.read_bytes())
        lines.append(json.dumps({"source-ref": storage.join(base, path.name)}))
    manifest = storage.join(base, "input.manifest")
    storage.write(manifest, "\n".join(lines).encode())
    workers = a_crowd(2)
    automated = {
        "enabled": True,
        "seed_size": 32,
        "batch_size": 16,
        "validation_share": 0.5,
        "seed": 1,
        "audit_share": 0.0,
    }
    design: dict[str, Any] = {
        "name": "pictures",
        "labels": pictures.LABELS,
        "workteam": builders.a_team(account=account, workers=workers),
        "input_manifest_uri": manifest,
        "title": "Draw discs and squares",
        "description": "Discs and squares",
        "price_micros": 36_000,
        "expected_seconds": 9,
        "workers_per_object": 1,
        "content_classifiers": ["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"],
        "automated_labeling": automated | changes.pop("automated", {}),
    }
    job = creation.create_job(account=account, by="user:1", **(design | changes))
    return Story(job, workers, folder / "annotations.coco.json")


def work(story: Story, *, most: int = 10_000) -> int:
    """Everybody draws the truth until nothing is left for them; returns the number of answers."""
    truth, done = story.truth(), 0
    for worker in story.workers:
        while done < most and (seat := assignments.claim(worker=worker, queue=story.job.queue)) is not None:
            row = seat.task.data_object
            content = {
                "boundingBox": {
                    "boundingBoxes": truth[Path(row.source_ref).name],
                    "inputImageProperties": {"width": row.width, "height": row.height},
                }
            }
            assignments.submit(assignment=seat, worker=worker, content=content, seconds=5, key=f"k{seat.pk}")
            done += 1
    return done


def drive(story: Any, supervisor: Supervisor, *, seconds: float = 120, times: int = 1, until=None, work=work) -> None:
    """People, queue and learner take turns until the job is over; every step of the queue is taken `times` times."""
    end = time.monotonic() + seconds
    until = until or (lambda: story.loop.status in OVER and story.job.status in OVER)
    loops.start_loop(story.job)
    while not until():
        assert time.monotonic() < end, f"the job is {story.job.status} with {story.states()}"
        for _ in range(times):
            advancing.advance_job(story.job.pk)
            loops.sweep()
            loops.advance_loop(loop_id=story.loop.pk)
        work(story)
        supervisor.step()
        story.job.refresh_from_db()
        time.sleep(0.02)


def in_threads(count: int, function) -> None:
    """Call it from several connections at once; the first failure is raised."""

    def call():
        try:
            function()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(call) for _ in range(count)]:
            future.result()


HUMAN, MACHINE, UNLABELED = ObjectState.HUMAN, ObjectState.MACHINE, ObjectState.UNLABELED
