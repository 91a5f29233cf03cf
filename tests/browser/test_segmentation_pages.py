"""Both kinds of segmentation in the portal with a real browser: wizard, worker's page, gallery, deciding, manifest."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import background
from labeling.formats.masks import read_palette_png
from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.output import manifests
from labeling.services.queue import due
from marketplace import storage
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE, TOOL, on_screen, steady
from tests.browser.elements_site import settles, wait_until
from tests.browser.test_shape_elements import check_accessible, press
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

CASES = {
    "crowd-semantic-segmentation": ("SemanticSegmentation", "Semantic segmentation of an image", "city-ref"),
    "crowd-instance-segmentation": ("InstanceSegmentation", "Instance segmentation of an image", "city-ref"),
}
FIRST, SECOND = (100, 100, 200, 160), (300, 240, 400, 300)
"""Left, top, right and bottom of what people paint, in pixels of the image."""


def paint(page: Page, area: tuple[int, int, int, int], *, label: str, touch: bool = False) -> None:
    """Paint a rectangle by polygon, as a new instance where there are instances."""
    left, top, right, bottom = area
    new = page.get_by_role("button", name="New instance")
    if new.is_visible():
        new.tap() if touch else new.click()
    press(page, label)
    page.get_by_role("button", name="Polygon").first.click()
    for spot in [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]:
        at = on_screen(page, *spot)
        page.touchscreen.tap(*at) if touch else page.mouse.click(*at)


def hand_in(page: Page) -> None:
    before = Answer.objects.count()
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: Answer.objects.count() > before)


def used(page: Page) -> list[list[Any]]:
    found: list[list[Any]] = page.evaluate(f"{TOOL}.editor.used.map(({{entry, pixels}}) => [entry.label, pixels])")
    return found


def shown(page: Page) -> int:
    """How many pixels the masks of the first picture's layers have, once they are painted."""
    count = """view => [...view.shadowRoot.querySelectorAll("canvas:not([hidden])")].map((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let painted = 0;
      for (let at = 3; at < data.length; at += 4) painted += data[at] > 0;
      return painted;
    }).reduce((sum, one) => sum + one, 0)"""
    view = page.locator("waggle-boxes-view").first
    view.locator("canvas[data-ready]").first.wait_for()
    found: int = view.evaluate(count)
    return found


def in_the_wizard(page: Page, title: str) -> None:
    """The type is offered, with its own help for labels, and its element is in the preview."""
    page.get_by_label("Name").fill("streets")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label(title).check()
    expect(page.locator(".hint:visible", has_text="attribute's name ends in -ref")).to_have_count(1)
    page.get_by_label("Labels", exact=True).fill("bee\nwasp")
    page.get_by_label("Title").fill("Paint every insect")
    page.get_by_label("Description").fill("Pixel by pixel")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Workers per object").fill("2")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Preview the task as a worker sees it").click()
    steady(page)


def answered(visit: Visit, job: LabelingJob, workers: list[Worker], tag: str) -> None:
    """One worker paints by mouse, the other by finger; on the second picture there is nothing."""
    for worker, options in zip(workers, ({}, PHONE), strict=True):
        page = visit(worker.user, f"/work/{job.queue_id}/", **options)
        steady(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        paint(page, FIRST, label="1", touch=bool(options))
        paint(page, SECOND, label="2", touch=bool(options))
        settles(lambda p=page: used(p), [["bee", 6000], ["wasp", 6000]])
        check_accessible(page)
        hand_in(page)
        expect(page.get_by_role("button", name="Delete")).to_have_count(0)
        steady(page)
        settles(lambda p=page: used(p), [])
        page.get_by_role("checkbox", name="Nothing to label here").check()
        hand_in(page)
        expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    first = Answer.objects.order_by("pk").first()
    assert first is not None and first.content[tag]["inputImageProperties"] == {"height": 480, "width": 640}


@pytest.mark.parametrize("tag", CASES)
def test_from_the_wizard_to_the_manifest(
    visit: Visit, tolerated: list[str], account: Account, owner: User, workers: list[Worker], tag: str, tmp_path: Path
) -> None:
    """What two people paint alike is the label; the requester sees it, paints something else, and gets that as PNG."""
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    kind, title, attribute = CASES[tag]
    dataset = builders.a_dataset(account=account, name="clover")
    team = builders.a_team(account=account, workers=workers, name="field-team")
    in_the_wizard(visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}"), title)
    job = stories.a_job(account, team, objects=2, workers_per_object=2, task_type=kind, label_attribute_name=attribute)
    stories.open_pictures(job)
    answered(visit, job, workers, tag)
    due.settle_due(job.queue)
    rows = DataObject.objects.select_related("label").filter(job=job).order_by("index")
    assert [[one["label"] for one in row.label.value["segments"]] for row in rows] == [["bee", "wasp"], []]
    assert 0.8 < rows[0].label.confidence <= 1 and rows[1].label.confidence == 1
    assert len(json.dumps(rows[0].label.value)) < 5_000

    for options in ({}, PHONE):
        page = visit(owner, reverse("requester:job-gallery", args=[job.pk]), **options)
        assert shown(page) == 12_000
        expect(page.locator(".chip b").first).to_have_text("bee")
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        check_accessible(page)
    page = visit(owner, reverse("requester:object", args=[job.pk, rows[0].pk]))
    view = page.locator("waggle-boxes-view").first
    view.get_by_role("button", name=workers[0].public_id).click()
    settles(lambda: shown(page), 24_000)
    page.screenshot(path=tmp_path / "object.png", full_page=True)
    settles(lambda: used(page), [["bee", 6000], ["wasp", 6000]])
    page.get_by_role("button", name="Delete", exact=False).filter(visible=True).first.click()
    settles(lambda: used(page), [["wasp", 6000]])
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("for object 0 are the label now.")).to_be_visible()

    background.advance_job(job.pk)
    manifests.refresh_output(job.pk)
    lines = [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]
    number = "2" if kind == "SemanticSegmentation" else "1"
    entries = lines[0][f"{attribute}-metadata"]["internal-color-map"]
    assert entries.keys() == {"0", number} and entries[number]["class-name"] == "wasp"
    assert entries[number]["confidence"] == 1
    values, colors = read_palette_png(storage.read(lines[0][attribute]))
    left, top, right, bottom = SECOND
    assert (values[top:bottom, left:right] == int(number)).all() and np.count_nonzero(values) == 6_000
    assert colors[int(number)] == entries[number]["hex-color"]
    values, _colors = read_palette_png(storage.read(lines[1][attribute]))
    assert not values.any() and lines[1][f"{attribute}-metadata"]["internal-color-map"].keys() == {"0"}
