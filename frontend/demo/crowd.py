"""A simulated crowd over the public API: each worker with a jitter, misses, false positives, confusions and a speed.

Boxes are drawn here; what people say in jobs of other types is in labeled.py.

Useful before real money is spent: it prices and tests a job design. Each answer depends on the seed, the worker and the
image only, not on who came first.
"""

import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from frontend.demo.api import Api, ApiError
from frontend.demo.attributes import with_attributes
from frontend.demo.labeled import LabeledTruth
from frontend.demo.truth import TrueImage, Truth
from labeling.formats.shapes import Box
from labeling.simulation import checking

CLOSED = {"job-closed"}

CHECKING = 0.35
"""The share of the time of drawing that checking takes."""


@dataclass(frozen=True)
class Profile:
    """How a simulated worker errs. Shares are of boxes; jitter is relative to a box's width and height (1 sd)."""

    number: int
    jitter: float
    bias: tuple[float, float, float, float]
    missed: float
    false_positives: float
    confusion: float
    seconds_per_box: float
    spammer: bool


@dataclass
class Tally:
    """What the crowd did so far."""

    answers: int = 0
    declined: int = 0
    unknown_images: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def profiles(workers: int, spammers: int, seed: int) -> list[Profile]:
    """`workers` people of whom the last `spammers` answer at random. The spread of skill follows what real box crowds
    show: standard deviations of a few percent of the box, a tenth of the objects missed, a few false positives a
    hundred.
    """
    made = []
    for number in range(workers):
        rng = np.random.default_rng([seed, number, 1])
        low, high = rng.normal(0, 0.012, 2), rng.normal(0, 0.012, 2)
        made.append(
            Profile(
                number=number,
                jitter=float(rng.uniform(0.015, 0.06)),
                bias=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
                missed=float(rng.beta(2, 28)),
                false_positives=float(rng.beta(2, 60)),
                confusion=float(rng.beta(2, 60)),
                seconds_per_box=float(rng.lognormal(1.6, 0.3)),
                spammer=number >= workers - spammers,
            )
        )
    return made


def answer(profile: Profile, truth: TrueImage, labels: list[str], seed: int) -> tuple[list[dict[str, Any]], float]:
    """The boxes a worker draws on an image, as the crowd element's JSON, and the seconds it takes."""
    rng = np.random.default_rng([seed, profile.number, zlib.crc32(truth.name.encode())])
    if profile.spammer:
        return _spam(rng, truth, labels), float(rng.uniform(1, 3))
    boxes = []
    for box in truth.boxes:
        small = min(1.0, 12.0 / max(1.0, min(box.width, box.height)))
        if rng.random() < profile.missed * (1 + small):
            continue
        size = np.array([box.width, box.height, box.width, box.height])
        edges = np.array([box.left, box.top, box.left + box.width, box.top + box.height])
        edges = edges + size * (rng.normal(0, profile.jitter, 4) + np.array(profile.bias)) + rng.normal(0, 0.7, 4)
        label = box.label
        if len(labels) > 1 and rng.random() < profile.confusion:
            label = str(rng.choice([other for other in labels if other != box.label]))
        boxes.append(_box(edges, label, truth))
    for _ in range(rng.poisson(profile.false_positives)):
        boxes.append(_random_box(rng, truth, labels))
    drawn = [b for b in boxes if b is not None]
    seconds = 3 + profile.seconds_per_box * max(1, len(drawn)) * float(rng.lognormal(0, 0.2))
    return drawn, seconds


def _checked(
    profile: Profile, truth: TrueImage, begun: list[dict[str, Any]], drawn: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What a worker makes of the boxes they begin with; a spammer leaves them."""
    if profile.spammer:
        return begun
    sides = ("label", "left", "top", "width", "height")
    shown, said = ([Box(*(one[side] for side in sides)) for one in boxes] for boxes in (begun, drawn))
    true = [Box(one.label, one.left, one.top, one.width, one.height) for one in truth.boxes]
    return [
        {
            "label": one.label,
            "left": round(one.left),
            "top": round(one.top),
            "width": round(one.width),
            "height": round(one.height),
        }
        for one in checking.checked(shown, said, true)
    ]


def _claim(api: Api, job_id: int) -> dict[str, Any]:
    """Claim a task of the job; no task, with a reason, for a worker who holds as many as one may."""
    try:
        claimed: dict[str, Any] = api.post(f"/api/v1/labeling-jobs/{job_id}/claim")
    except ApiError as error:
        if error.problem.get("type") != "urn:waggle:problem:task-limit":
            raise
        return {"assignment": None, "reason": "task-limit"}
    return claimed


def _give_back(api: Api, assignment: dict[str, Any]) -> None:
    """Return a task, because the worker could claim none of a small job in the next run until its lease ends."""
    try:
        api.post(f"/api/v1/assignments/{assignment['id']}/return")
    except ApiError as error:
        if error.code != 409:
            raise  # 409: the job ended meanwhile, and the task with it


def _box(edges: np.ndarray, label: str, image: TrueImage) -> dict[str, Any] | None:
    left, right = sorted(np.clip(np.round(edges[[0, 2]]), 0, image.width))
    top, bottom = sorted(np.clip(np.round(edges[[1, 3]]), 0, image.height))
    if right - left < 2 or bottom - top < 2:
        return None
    return {
        "left": int(left),
        "top": int(top),
        "width": int(right - left),
        "height": int(bottom - top),
        "label": label,
    }


def _random_box(rng: np.random.Generator, image: TrueImage, labels: list[str]) -> dict[str, Any] | None:
    width, height = image.width * rng.uniform(0.05, 0.3), image.height * rng.uniform(0.05, 0.3)
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    return _box(np.array([left, top, left + width, top + height]), str(rng.choice(labels)), image)


def _spam(rng: np.random.Generator, image: TrueImage, labels: list[str]) -> list[dict[str, Any]]:
    drawn = [_random_box(rng, image, labels) for _ in range(int(rng.integers(0, 3)))]
    return [box for box in drawn if box is not None]


class Crowd:
    """Workers at work, each in a thread with a token of its own."""

    def __init__(
        self,
        *,
        base_url: str,
        tokens: list[str],
        truth: Truth | LabeledTruth,
        spammers: int,
        seed: int,
        pace: float = 0.0,
    ):
        """`pace`: real seconds slept per simulated second (0: as fast as the system allows)."""
        self.truth = truth
        self.seed = seed
        self.pace = pace
        self.tally = Tally()
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self.apis = [Api(base_url=base_url, token=token) for token in tokens]
        self.profiles = profiles(len(tokens), spammers, seed)
        self.threads: list[threading.Thread] = []

    def start(self, job_id: int) -> None:
        """Begin working on a job."""
        for api, profile in zip(self.apis, self.profiles, strict=True):
            thread = threading.Thread(target=self._guarded, args=(api, profile, job_id), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        """Stop after the answers under way."""
        self.stopping.set()

    def join(self) -> None:
        """Wait until all have stopped; raises the first error a worker met."""
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _guarded(self, api: Api, profile: Profile, job_id: int) -> None:
        try:
            self._work(api, profile, job_id)
        except Exception as error:  # noqa: BLE001 - join() raises it in the caller's thread
            self.errors.append(error)
            self.stopping.set()

    def _work(self, api: Api, profile: Profile, job_id: int) -> None:
        idle = 0.2
        claimed = _claim(api, job_id)
        while not self.stopping.is_set():
            assignment = claimed["assignment"]
            if assignment is None:
                if claimed.get("reason") in CLOSED:
                    return
                self.stopping.wait(idle)
                idle = min(2.0, idle * 1.5)
                claimed = _claim(api, job_id)
                continue
            idle = 0.2
            claimed = self._answer(api, profile, job_id, assignment)
        if claimed["assignment"] is not None:
            _give_back(api, claimed["assignment"])

    def _answer(self, api: Api, profile: Profile, job_id: int, assignment: dict[str, Any]) -> dict[str, Any]:
        said = self._said(profile, assignment, api.bytes(assignment["text_url"] or assignment["image_url"]))
        path = f"/api/v1/assignments/{assignment['id']}"
        if said is None:
            api.post(f"{path}/decline", {"reason": "the simulated crowd does not know this object"})
            with self.tally.lock:
                self.tally.declined += 1
                self.tally.unknown_images += 1
            return _claim(api, job_id)
        content, seconds = said
        content = with_attributes(content, assignment["labels"], [self.seed, profile.number, assignment["task_id"]])
        if self.pace:
            time.sleep(self.pace * seconds)
        try:
            done = api.post(f"{path}/submit?claim_next=true", {"answer": content, "seconds": seconds})
        except ApiError as error:
            if error.code != 409:
                raise
            # The lease ran out or the job ended while "drawing": nothing is owed; ask for the next task.
            return _claim(api, job_id)
        with self.tally.lock:
            self.tally.answers += 1
        return {"assignment": done["next_assignment"], "reason": done.get("reason")}

    def _said(self, profile: Profile, assignment: dict[str, Any], shown: bytes) -> tuple[dict[str, Any], float] | None:
        """The answer to what is shown, and the seconds it takes; None for what the truth does not hold."""
        labels = [entry["label"] for entry in assignment["labels"]]
        size = assignment["image_size"]
        if isinstance(self.truth, LabeledTruth):
            return self.truth.answer(
                number=profile.number,
                spammer=profile.spammer,
                seed=self.seed,
                content=shown,
                labels=labels,
                size=(size["width"], size["height"]),
                initial_value=assignment["initial_value"],
            )
        known = self.truth.find(shown)
        if known is None:
            return None
        boxes, seconds = answer(profile, known, labels, self.seed)
        if assignment["checks"]:
            boxes, seconds = _checked(profile, known, assignment["initial_value"], boxes), CHECKING * seconds
        inner = {"boundingBoxes": boxes, "inputImageProperties": {"height": size["height"], "width": size["width"]}}
        return {assignment["element"]["name"]: inner}, seconds
