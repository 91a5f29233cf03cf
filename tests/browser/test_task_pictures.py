"""The pictures of the task types in the docs: each worker's page with a task half done, at a desk and on a phone.

The test looks at what the pictures show. WAGGLE_WRITE_PICTURES=1 writes the pictures to docs/images as well.
"""

import base64
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from labeling import task_types
from learning.scenes import garden
from marketplace import settings_declared as declared
from marketplace.models import Account, User
from tests.browser.conftest import Visit
from tests.browser.drawing import frames
from tests.browser.elements_site import Site, task_page
from tests.browser.test_pictures import FOLDER

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LARGEST = 60_000
"""Bytes that a picture may have at most."""
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    **DESK,
    "viewport": {"width": 390, "height": 760},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
COLOURS = ("#ffb000", "#56b4e9", "#00c48c", "#f0568c", "#ff7043", "#b39dff")
CLASSES = list(garden.CLASSES)
TEXT = "Ada Lovelace met Charles Babbage in London in 1833, at a party that Mary Somerville gave."
NAMES = (("Ada Lovelace", "person"), ("Charles Babbage", "person"), ("London", "place"), ("1833", "year"))


@dataclass(frozen=True)
class Seen:
    """A generated picture and the true boxes in it: (left, top, right, bottom, class)."""

    image: Image.Image
    boxes: list[tuple[int, int, int, int, str]]

    @property
    def size(self) -> dict[str, int]:
        """Width and height in pixels."""
        return {"width": self.image.width, "height": self.image.height}

    def png(self) -> bytes:
        """The picture as a file."""
        return _png(self.image)

    def mask(self, colours: list[str]) -> str:
        """An ellipse in each box, in the colours given, as the address of a picture."""
        drawn = Image.new("RGB", self.image.size, "#ffffff")
        pen = ImageDraw.Draw(drawn)
        for (*box, _), colour in zip(self.boxes, colours, strict=True):
            pen.ellipse(box, fill=colour)
        return "data:image/png;base64," + base64.b64encode(_png(drawn)).decode()


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def scene() -> Seen:
    """The same garden on every machine, with four insects or more."""
    studio = garden.open_studio(np.random.default_rng(11))
    for number in range(1, 200):
        made = garden.compose(np.random.default_rng([11, number]), studio)
        if len(made.boxes) >= 4 and len(set(made.kinds.tolist())) == 2:
            placed = zip(made.boxes.astype(int).tolist(), made.kinds.tolist(), strict=True)
            return Seen(made.image, [(*box, CLASSES[kind]) for box, kind in placed])
    raise AssertionError("no garden has four insects of two kinds")


def outlines(scene: Seen) -> list[dict[str, Any]]:
    """A polygon of ten corners around each insect."""
    found = []
    for left, top, right, bottom, label in scene.boxes:
        turns = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        xs = (left + right) / 2 + (right - left) / 2 * np.cos(turns)
        ys = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turns)
        vertices = [{"x": round(x), "y": round(y)} for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
        found.append({"label": label, "vertices": vertices})
    return found


def paths(scene: Seen) -> list[dict[str, Any]]:
    """A line through each insect."""
    return [
        {
            "label": label,
            "vertices": [
                {"x": left, "y": bottom},
                {"x": (left + right) // 2, "y": (top + bottom) // 2},
                {"x": right, "y": top},
            ],
        }
        for left, top, right, bottom, label in scene.boxes
    ]


def boxes(scene: Seen) -> list[dict[str, Any]]:
    """Ground Truth's boxes."""
    return [
        {"left": left, "top": top, "width": right - left, "height": bottom - top, "label": label}
        for left, top, right, bottom, label in scene.boxes
    ]


@dataclass(frozen=True)
class Task:
    """One picture of the docs: how the task is told, what it starts with, and how often `listed` has to be there.

    `listed` is looked for at a desk, where nothing is folded; `ready` says that the task is shown.
    """

    tag: str
    title: str
    initial: Callable[[Seen], Any]
    listed: str
    number: Callable[[Seen], int]
    attributes: Callable[[Seen], dict[str, str]] = lambda scene: {}
    short: str = "Mark every bee and every ladybird, however small."
    labels: list[str] = field(default_factory=lambda: CLASSES)
    text: str = ""
    ready: str = ".canvas canvas"


def every(scene: Seen) -> int:
    return len(scene.boxes)


def semantic(scene: Seen) -> dict[str, Any]:
    colours = dict(zip(CLASSES, COLOURS, strict=False))
    return {
        "labelMappings": {label: {"color": colours[label]} for label in CLASSES},
        "src": scene.mask([colours[box[4]] for box in scene.boxes]),
    }


def instances(scene: Seen) -> dict[str, Any]:
    colours = list(COLOURS[: len(scene.boxes)])
    listed = [{"label": box[4], "color": colour} for box, colour in zip(scene.boxes, colours, strict=True)]
    return {"instances": listed, "src": scene.mask(colours)}


def overlay(scene: Seen) -> dict[str, str]:
    element = task_types.get("VerificationBoundingBox").element
    return {**element.attributes, "overlay": json.dumps({"boundingBox": {"labels": CLASSES, "value": boxes(scene)}})}


def entities() -> list[dict[str, Any]]:
    return [
        {"startOffset": TEXT.index(words), "endOffset": TEXT.index(words) + len(words), "label": label}
        for words, label in NAMES
    ]


TASKS = {
    "bounding-box": Task("crowd-bounding-box", "Draw a box around each insect", boxes, ".list li", every),
    "polygon": Task("crowd-polygon", "Outline each insect", outlines, ".list li", every),
    "polyline": Task("crowd-polyline", "Draw a line through each insect", paths, ".list li", every),
    "keypoint": Task(
        "crowd-keypoint",
        "Mark the middle of each insect",
        lambda scene: [
            {"label": label, "x": (left + right) // 2, "y": (top + bottom) // 2}
            for left, top, right, bottom, label in scene.boxes
        ],
        ".list li",
        every,
    ),
    "instance-segmentation": Task(
        "crowd-instance-segmentation", "Paint each insect by itself", instances, ".boxes li", every
    ),
    "semantic-segmentation": Task(
        "crowd-semantic-segmentation", "Paint every bee and every ladybird", semantic, ".boxes li", lambda scene: 2
    ),
    "image-classification": Task(
        "crowd-image-classifier",
        "Which insect is it?",
        lambda scene: {"label": CLASSES[0]},
        "[role=radio][aria-checked=true]",
        lambda scene: 1,
        short="Choose the insect that is nearest to the middle.",
        labels=[*CLASSES, "something else"],
        ready=".canvas img",
    ),
    "named-entities": Task(
        "crowd-entity-annotation",
        "Mark names, places and years",
        lambda scene: entities(),
        ".list li",
        lambda scene: len(NAMES),
        short="Mark whole names.",
        labels=["person", "place", "year"],
        text=TEXT,
        ready=".text mark",
    ),
    "label-verification": Task(
        "crowd-image-classifier",
        "Are the boxes right?",
        lambda scene: None,
        "[role=radio]",
        lambda scene: 2,
        attributes=overlay,
        short="Bad: an insect has no box, or a box is more than a finger too wide.",
        labels=["good", "bad"],
        ready=".canvas img",
    ),
}


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Page, str], None]:
    """A function that keeps what the window shows as a picture of at most LARGEST bytes."""
    folder = FOLDER if declared.WRITE_PICTURES.read(os.environ) else tmp_path

    def keep_(page: Page, name: str) -> None:
        page.mouse.move(0, 0)
        frames(page)
        page.evaluate("document.fonts.ready")
        taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.webp"
        for quality in (88, 80, 70, 60, 45):
            taken.save(path, quality=quality, method=6)
            if path.stat().st_size < LARGEST:
                return
        raise AssertionError(f"{name}: {path.stat().st_size} bytes")

    return keep_


def whole(page: Page) -> None:
    """Nothing is cut off at the side, and on a phone what is to be touched is large enough."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def open_task(site: Site, open_page: Callable[..., Page], task: Task, scene: Seen, look: dict[str, Any]) -> Page:
    """The worker's page with this task."""
    site.title, site.labels, site.instructions = task.title, task.labels, {"short": task.short, "full": ""}
    site.element = {"tag": task.tag, "name": "annotatedResult", "attributes": task.attributes(scene)}
    site.pictures |= {f"/picture/{number}.png": scene.png() for number in (1, 2, 3)}
    site.pages |= {"/task": task_page(), "/text.txt": task.text}
    site.text_url = "/text.txt" if task.text else None
    usual = site.assignment
    site.assignment = lambda number: usual(number) | {"initial_value": task.initial(scene), "image_size": scene.size}  # type: ignore[method-assign]
    page = open_page("/task", ready=task.ready, **look)
    if look is PHONE:  # where the instructions are not beside the task, they come before it
        page.get_by_role("button", name="Close").click()
    return page


ON_PHONES = ("bounding-box", "semantic-segmentation", "image-classification", "named-entities")
"""Whose pictures the docs have on a phone as well."""


@pytest.mark.parametrize(
    ("name", "phone"), [(name, False) for name in TASKS] + [(name, True) for name in ON_PHONES], ids=str
)
def test_the_page_of_a_task(
    site: Site, open_page: Callable[..., Page], keep: Callable[[Page, str], None], scene: Seen, name: str, phone: bool
) -> None:
    task, look = TASKS[name], PHONE if phone else DESK
    page = open_task(site, open_page, task, scene, look)
    if not phone:
        expect(page.locator(task.listed)).to_have_count(task.number(scene))
    whole(page)
    keep(page, f"task-{name}-phone" if phone else f"task-{name}")


def test_the_keys_of_a_tool_on_a_phone(
    site: Site, open_page: Callable[..., Page], keep: Callable[[Page, str], None], scene: Seen
) -> None:
    page = open_task(site, open_page, TASKS["bounding-box"], scene, PHONE)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    whole(page)
    keep(page, "keys-phone")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("look", [DESK, PHONE], ids=["desk", "phone"])
def test_the_editor_of_templates(
    visit: Visit, owner: User, account: Account, keep: Callable[[Page, str], None], look: dict[str, Any]
) -> None:
    page = visit(owner, reverse("requester:template-new") + "?start=text-classification", **look)
    expect(page.locator("[data-part=state]")).to_contain_text("Nothing found that would not work.")
    frame = page.frame_locator("[data-part=frame] iframe:not(.coming)")
    frame.get_by_role("radio").first.wait_for()
    whole(page)
    keep(page, "template-editor-phone" if look is PHONE else "template-editor")
