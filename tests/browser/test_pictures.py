"""The README's pictures: pages of a job in the middle of its work, with scenes and answers as in the demo.

The test looks at what the pictures show. WAGGLE_WRITE_PICTURES=1 writes the pictures to docs/images as well.
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from frontend.demo import crowd, scenes
from frontend.demo.truth import TrueImage, Truth
from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments, due
from marketplace import settings_declared as declared
from marketplace import storage
from marketplace.models import Worker
from marketplace.services import boundaries
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import draw, frames
from tests.browser.elements_site import HEAD, Site
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST = 150_000
"""Bytes that a picture may have at most: every clone carries it."""
OBJECTS, ANSWERED, WORKERS = 16, 10, 3
LOOK = {"viewport": {"width": 1180, "height": 760}, "color_scheme": "light", "reduced_motion": "reduce"}


TEMPLATE = """
<h1>Which insect is it?</h1><crowd-alert type="info">Look at the whole picture before you answer.</crowd-alert>
<crowd-tabs><crowd-tab header="What you see">
  <crowd-input name="kind" label="Kind" placeholder="for instance honey bee" required></crowd-input>
  <crowd-checkbox name="on" value="flower" checked>On a flower</crowd-checkbox>
  <crowd-checkbox name="on" value="leaf">On a leaf</crowd-checkbox>
  <crowd-toggle-button name="sharp" value="sharp" checked>The picture is sharp</crowd-toggle-button>
  <crowd-radio-group><crowd-radio-button name="size" value="small" checked>Smaller than a coin</crowd-radio-button>
    <crowd-radio-button name="size" value="large">Larger than a coin</crowd-radio-button></crowd-radio-group>
  <crowd-slider name="sure" min="1" max="5" value="4"><crowd-slider-label position="1">a guess</crowd-slider-label>
    <crowd-slider-label position="5">certain</crowd-slider-label></crowd-slider>
  <crowd-text-area name="note" label="Anything else?" char-counter max-length="200"></crowd-text-area>
</crowd-tab><crowd-tab header="Who you are"></crowd-tab></crowd-tabs>
<crowd-instructions link-text="Instructions" link-type="button"></crowd-instructions>
<crowd-button form-action="submit" variant="primary" icon="send">Submit</crowd-button>"""


@dataclass
class Story:
    """A job on generated scenes, its workers and the true boxes."""

    job: LabelingJob
    workers: list[Worker]
    truth: Truth

    def answer(self, worker: Worker, *, profile: crowd.Profile) -> bool:
        """Claim one task and answer it as a simulated worker. Returns False when there is no task."""
        seat = assignments.claim(worker=worker, queue=self.job.queue)
        if seat is None:
            return False
        row = seat.task.data_object
        drawn, seconds = crowd.answer(profile, self.scene(row), list(self.job.labels), seed=3)
        size = {"width": row.width, "height": row.height}
        content = {"boundingBox": {"boundingBoxes": drawn, "inputImageProperties": size}}
        assignments.submit(assignment=seat, worker=worker, content=content, seconds=seconds, key=f"key:{seat.pk}")
        return True

    def scene(self, row: DataObject) -> TrueImage:
        """The true boxes of an object."""
        found = self.truth.find(storage.read(row.source_ref, limit=10_000_000))
        assert found is not None
        return found


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Scenes of which some are labeled by three people each."""
    account = builders.an_account(name="Meadow Research")
    scenes.write_dataset(tmp_path / "scenes", count=OBJECTS, seed=11)
    base = storage.join(boundaries.base_of(account), "uploads", "garden")
    lines: list[dict[str, str] | bytes] = []
    for path in sorted((tmp_path / "scenes" / "images").iterdir()):
        storage.write(storage.join(base, path.name), path.read_bytes(), content_type="image/jpeg")
        lines.append({"source-ref": storage.join(base, path.name)})
    truth = Truth(tmp_path / "scenes" / "annotations.coco.json")
    workers = stories.a_crowd(WORKERS + 1)
    team = builders.a_team(account=account, workers=workers, name="field-team")
    manifest = builders.a_manifest(account, lines)
    design = stories.a_design(account, team, name="garden-insects", input_manifest_uri=manifest)
    job = creation.create_job(**design | {"labels": truth.labels, "workers_per_object": WORKERS})
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    made = Story(job, workers, truth)
    for worker, profile in zip(workers, crowd.profiles(WORKERS, 0, seed=5), strict=False):
        for _ in range(ANSWERED):
            assert made.answer(worker, profile=profile)
    due.settle_due(job.queue)
    advancing.advance_job(job.pk)
    return made


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Page, str], None]:
    """A function that takes a picture of what the window shows, as WebP, so that the file is small."""
    folder = FOLDER if declared.WRITE_PICTURES.read(os.environ) else tmp_path

    def keep_(page: Page, name: str) -> None:
        frames(page)
        page.evaluate("document.fonts.ready")
        taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.webp"
        taken.save(path, quality=90, method=6)
        assert path.stat().st_size < LARGEST, f"{name}: {path.stat().st_size} bytes"

    return keep_


@pytest.mark.slow
def test_pages_of_a_job_in_the_middle_of_its_work(
    visit: Visit, story: Story, keep: Callable[[Page, str], None]
) -> None:
    """One job for all pictures, because making it takes longer than looking at its pages."""
    job, owner = story.job, story.job.account.members.get()
    page = visit(owner, reverse("requester:job", args=[job.pk]), **LOOK)
    expect(page.get_by_role("heading", level=1)).to_contain_text("garden-insects")
    expect(page.locator(".legend .seg-human")).to_contain_text(str(ANSWERED))
    expect(page.locator(".legend .seg-todo")).to_contain_text(str(OBJECTS - ANSWERED))
    keep(page, "job")

    rows = DataObject.objects.filter(job=job, label__isnull=False).select_related("label")
    row = max(rows, key=lambda one: len(one.label.value["boxes"]))
    page = visit(owner, reverse("requester:object", args=[job.pk, row.pk]), **LOOK)
    expect(page.get_by_text("3 people answered", exact=False).first).to_be_visible()
    page.locator(".canvas canvas").first.wait_for()
    keep(page, "object")

    worker = story.workers[-1]
    page = visit(worker.user, reverse("worker:task", args=[job.queue_id]), **LOOK)
    page.locator(".canvas canvas").first.wait_for()
    seat = worker.assignments.exclude(state="Submitted").get()
    scene = story.scene(seat.task.data_object)
    for box in scene.boxes:
        draw(page, round(box.left), round(box.top), round(box.left + box.width), round(box.top + box.height))
        page.keyboard.press(str(story.job.labels.index(box.label) + 1))
    page.mouse.move(0, 0)
    expect(page.locator(".list li")).to_have_count(len(scene.boxes))
    for label in {box.label for box in scene.boxes}:
        count = sum(box.label == label for box in scene.boxes)
        expect(page.locator(".list li").filter(has_text=label)).to_have_count(count)
    keep(page, "worker")


def test_the_controls_of_templates(
    site: Site, open_page: Callable[..., Page], keep: Callable[[Page, str], None], tolerated: list[str]
) -> None:
    """A template of controls, filled in, with the message that a submit without the required field gives."""
    tolerated += ["Applying inline style"]
    site.pages["/form"] = (
        f'{HEAD}<body><main class="app-main"><crowd-form class="card">{TEMPLATE}</crowd-form></main></body></html>'
    )
    page = open_page("/form", ready="crowd-button", **LOOK | {"viewport": {"width": 860, "height": 800}})
    page.get_by_label("Anything else?").fill("It carries pollen.")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#form-refusal")).to_have_text("Kind: Fill this in.")
    page.mouse.move(0, 0)
    keep(page, "controls")
