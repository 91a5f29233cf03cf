"""The main job from a folder of images to a trained model, as a requester's program would do it: over REST."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from frontend.demo.api import Api
from frontend.demo.crowd import Crowd

FINAL = {"Completed", "Failed", "Stopped"}
UPLOAD_BATCH = 25


@dataclass
class Stages:
    """Seconds per stage, in order."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)

    def done(self, name: str) -> None:
        """End the stage under way and name it."""
        now = time.monotonic()
        self.seconds[name] = round(now - self._since, 2)
        self._since = now


def upload(api: Api, images: Path) -> str:
    """Upload every picture of a folder; returns the address of the uploaded folder."""
    files = sorted(p for p in images.iterdir() if p.is_file())
    folder: str | None = None
    uri = ""
    for start in range(0, len(files), UPLOAD_BATCH):
        part = [(p.name, p.read_bytes()) for p in files[start : start + UPLOAD_BATCH]]
        answer = api.upload("/api/v1/uploads", part, folder)
        folder, uri = answer["folder"], answer["uri"]
    return uri


def wait_for(read: Callable[[], dict[str, Any]], *, timeout: float, show: Callable[[dict[str, Any]], None]) -> dict:
    """Poll until the status is final. Raises TimeoutError with the last thing seen."""
    deadline = time.monotonic() + timeout
    while True:
        seen = read()
        show(seen)
        if seen["status"] in FINAL:
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {seen['status']} after {timeout:.0f} s: {seen}")
        time.sleep(1)


def make_dataset(api: Api, *, name: str, images: Path, stages: Stages, show: Callable[[dict], None]) -> dict[str, Any]:
    """Upload a folder and make a data set of it. Raises RuntimeError when that fails."""
    uri = upload(api, images)
    stages.done("upload")
    made = api.post("/api/v1/datasets", {"name": name, "kind": "folder", "uri": uri}, key=f"dataset-{name}")
    made = wait_for(lambda: api.get(f"/api/v1/datasets/{made['id']}"), timeout=600, show=show)
    stages.done("ingest")
    if made["status"] != "Completed":
        raise RuntimeError(f"the data set {name} is {made['status']}: {made['failure_reason']}")
    return made


def automated(images: int, *, train_seconds: int) -> dict[str, Any]:
    """The demo's automated labeling: few enough rounds to watch, each with a training of `train_seconds` at most."""
    return {
        "enabled": True,
        "train_seconds": train_seconds,
        "max_rounds": 3,
        "batch_size": max(10, images * 15 // 100),
    }


def job_design(
    *, name: str, dataset: int, labels: list[str], workteam: int, automated: dict[str, Any], workers: int = 5
) -> dict[str, Any]:
    """The demo's labeling job."""
    noun = labels[0] if len(labels) == 1 else "object"
    return {
        "name": name,
        "dataset": dataset,
        "labels": labels,
        "workteam": workteam,
        "title": f"Draw a box around every {noun}",
        "description": "Draw a tight box around each object and choose its label.",
        "keywords": ["boxes", "images"],
        "instructions": {
            "short": "<p>One box per object, tight on all four sides. Include objects that are partly hidden.</p>",
            "full": "<p>Draw one box around each object. The box touches the object on all four sides. "
            "If an object is partly hidden, box what you can see.</p>"
            "<p>If there is nothing to label, say so with <b>Nothing to label here</b>.</p>",
        },
        "workers_per_object": workers,
        "redundancy": {"kind": "dynamic", "target_confidence": 0.95},
        "price": "0.036",
        "expected_seconds": 10,
        "automated_labeling": automated,
    }


def run_job(
    api: Api, crowd: Crowd, design: dict[str, Any], *, timeout: float, show: Callable[[dict], None], stages: Stages
) -> dict[str, Any]:
    """Create the job, let the crowd work, wait for its end; returns the job as the API shows it."""
    job = api.post("/api/v1/labeling-jobs", design, key=f"job-{design['name']}")
    stages.done("create job")
    crowd.start(job["id"])
    try:
        done = wait_for(lambda: _seen(api, crowd, job["id"]), timeout=timeout, show=show)
    finally:
        crowd.stop()
    crowd.join()
    stages.done("label, train, auto-label")
    return done


def _seen(api: Api, crowd: Crowd, job_id: int) -> dict[str, Any]:
    if crowd.errors:
        raise crowd.errors[0]
    return api.get(f"/api/v1/labeling-jobs/{job_id}")
