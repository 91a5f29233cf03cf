"""A small labeling job of a team over HTTP: pictures in classes, which tests can leave in the middle and go on with."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from frontend.demo import run
from frontend.demo.api import Api
from tests.journeys.system import System

LABELS = ["disc", "square", "neither"]
WORKERS = 3
SETTINGS = {"WAGGLE_CONDUCT_RULES": "no"}
"""Of systems in which these workers, who answer faster than people, are let work on."""


@dataclass
class Shapes:
    """A job, and the tokens of those who made it and work on it: `requester` and `workers` are secrets."""

    job: int
    requester: str
    workers: list[str]

    def api(self, system: System) -> Api:
        """The requester, as a client of a system."""
        return Api(base_url=system.url, token=self.requester)

    def state(self, system: System) -> dict:
        """The job as REST shows it."""
        return self.api(system).get(f"/api/v1/labeling-jobs/{self.job}")

    def answer(self, system: System, *, most: int = 1000) -> int:
        """Let each worker answer at most so many tasks; returns how many answers were acknowledged in all."""
        return sum(self._answer(Api(base_url=system.url, token=token), most) for token in self.workers)

    def _answer(self, worker: Api, most: int) -> int:
        done = 0
        while done < most:
            seat = worker.post(f"/api/v1/labeling-jobs/{self.job}/claim")["assignment"]
            if seat is None:
                break
            said = {"crowd-image-classifier": {"label": seat["labels"][seat["id"] % 2]["label"]}}
            said_next = worker.post(f"/api/v1/assignments/{seat['id']}/submit", {"answer": said, "seconds": 2})
            done += 1
            if (following := said_next.get("assignment")) is not None:
                worker.post(f"/api/v1/assignments/{following['id']}/return")
        return done

    def complete(self, system: System) -> dict:
        """Let everybody answer until the job is over; returns it, Completed."""

        def over() -> dict:
            self.answer(system)
            return self.state(system)

        found = system.until(over, lambda job: job["status"] in run.FINAL, seconds=600)
        assert found["status"] == "Completed", (found, system.logs())
        return found


def begin(system: System, crew: dict, folder: Path, *, name: str, count: int) -> Shapes:
    """A job of `count` pictures, which are written into a new folder, with every task open."""
    api = Api(base_url=system.url, token=crew["requester"])
    images = _pictures(folder, count)
    dataset = run.make_dataset(api, name=name, images=images, stages=run.Stages(), show=lambda row: None)
    design = {
        "name": name, "task_type": "ImageMultiClass", "dataset": dataset["id"], "labels": LABELS,
        "workteam": crew["team"], "title": "What is in the picture?", "description": "Choose the shape you see.",
        "workers_per_object": WORKERS, "price": "0.012", "expected_seconds": 3,
    }  # fmt: skip
    job = api.post("/api/v1/labeling-jobs", design)["id"]
    path = f"/api/v1/labeling-jobs/{job}/objects"
    system.until(lambda: api.get(path)["results"], lambda rows: rows and rows[0]["state"] == "PendingHuman")
    return Shapes(job, crew["requester"], crew["workers"])


def _pictures(folder: Path, count: int) -> Path:
    """So many different pictures in a new folder. Each is small: some are kept with the code."""
    folder.mkdir(parents=True)
    for number in range(count):
        picture = Image.new("RGB", (48, 48), (200, 220, 255 - number))
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if number % 2 else draw.rectangle)((8 + number % 8, 8, 32, 32), fill=(210, 60, number))
        picture.save(folder / f"picture-{number:03d}.png")
    return folder
