"""Simulated people who answer human loops over the public API: they read the page of a task as a browser gets it.

A task of a human loop is a page of the requester's own, so what it shows is only known from its elements.
"""

import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import json5
from lxml import html

from frontend.demo.api import Api, ApiError
from frontend.demo.crowd import Profile, Tally, answer, profiles
from frontend.demo.truth import TrueImage, Truth
from labeling.formats.crowd_elements import BOUNDING_BOX, IMAGE_CLASSIFIER

IDLE_SECONDS = 1.0


class Unanswerable(RuntimeError):
    """A page that nobody here knows an answer to; the message says why."""


class Reviewers:
    """People at work on one work queue, each in a thread with a token of their own."""

    def __init__(self, *, base_url: str, tokens: list[str], truth: Truth, seed: int):
        """`truth`: of the images that the pages show, found by their bytes."""
        self.truth, self.seed = truth, seed
        self.tally = Tally()
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self.apis = [Api(base_url=base_url, token=token) for token in tokens]
        self.profiles = profiles(len(tokens), 0, seed)

    def work(self, queue_id: int, *, idle_seconds: float) -> None:
        """Answer whatever comes until nothing has come for so long, or `stopping` is set. Raises what a worker met."""
        threads = [
            threading.Thread(target=self._guarded, args=(api, profile, queue_id, idle_seconds), daemon=True)
            for api, profile in zip(self.apis, self.profiles, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _guarded(self, api: Api, profile: Profile, queue_id: int, idle_seconds: float) -> None:
        try:
            self._work(api, profile, queue_id, idle_seconds)
        except Exception as error:  # noqa: BLE001 - work() raises it in the caller's thread
            self.errors.append(error)
            self.stopping.set()

    def _work(self, api: Api, profile: Profile, queue_id: int, idle_seconds: float) -> None:
        since = time.monotonic()
        while not self.stopping.is_set() and time.monotonic() - since < idle_seconds:
            claimed = api.post(f"/api/v1/work-queues/{queue_id}/claim")
            if claimed["assignment"] is None:
                self.stopping.wait(IDLE_SECONDS)
                continue
            self._answer(api, profile, claimed["assignment"])
            since = time.monotonic()

    def _answer(self, api: Api, profile: Profile, assignment: dict[str, Any]) -> None:
        path = f"/api/v1/assignments/{assignment['id']}"
        try:
            said, seconds = self._said(api, profile, assignment["frame_url"])
        except Unanswerable as error:
            api.post(f"{path}/decline", {"reason": str(error)})
            with self.tally.lock:
                self.tally.declined += 1
            return
        try:
            api.post(f"{path}/submit", {"answer": said, "seconds": seconds})
        except ApiError as error:
            if error.code != 409:
                raise
            return  # The loop was stopped meanwhile.
        with self.tally.lock:
            self.tally.answers += 1

    def _said(self, api: Api, profile: Profile, frame_url: str) -> tuple[dict[str, Any], float]:
        page = html.fromstring(api.bytes(frame_url).decode())
        element = next(iter(page.xpath(f"//{BOUNDING_BOX} | //{IMAGE_CLASSIFIER}")), None)
        if element is None:
            raise Unanswerable(f"{BOUNDING_BOX} or {IMAGE_CLASSIFIER} expected on the page")
        image = api.bytes(urljoin(api.base_url, element.get("src", "")))
        known = self.truth.find(image)
        if known is None:
            raise Unanswerable("the simulated people do not know this image")
        return reviewed(profile, known, element, self.seed)


def reviewed(profile: Profile, known: TrueImage, element: Any, seed: int) -> tuple[dict[str, Any], float]:
    """What a person answers in an element (boxes, or a class) about a known image, and in how many seconds.

    The class of an image is that of its largest true box, or the last category where it has none of the others.
    Raises Unanswerable for an element without labels.
    """
    try:
        labels = [str(one) for one in json5.loads(element.get("labels") or element.get("categories") or "[]")]
    except ValueError as error:
        raise Unanswerable(f"the labels of the element cannot be read: {error}") from None
    if not labels:
        raise Unanswerable("the element has no labels")
    if element.tag == IMAGE_CLASSIFIER:
        largest = max(known.boxes, key=lambda box: box.width * box.height, default=None)
        found = largest.label if largest is not None and largest.label in labels else labels[-1]
        return {element.get("name"): {"label": found}}, profile.seconds_per_box
    nameable = tuple(box for box in known.boxes if box.label in labels)
    boxes, seconds = answer(profile, replace(known, boxes=nameable), labels, seed)
    size = {"height": known.height, "width": known.width}
    return {element.get("name"): {"boundingBoxes": boxes, "inputImageProperties": size}}, seconds
