"""Jobs of polygons, polylines and key points in the portal with a real browser: wizard, two workers, the label, a
decision; the labels of polylines have an attribute, given in the wizard."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import background
from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.queue import due
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE, at_the_canvas, on_screen
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import AXE, FOUND, LOOKS, RULES, check
from tests.browser.wizard import launch
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# The first worker's on a large screen, the second one's on a phone; then what the requester adds.
POLYGONS = (
    [(100, 100), (300, 110), (200, 300)],
    [(104, 100), (300, 114), (200, 300)],
    [(400, 300), (500, 300), (450, 400)],
)
POLYLINES = (
    [(100, 100), (300, 110), (200, 300)],
    [(104, 100), (300, 114), (200, 304)],
    [(400, 300), (500, 300), (450, 400)],
)
POINTS = ([(100, 100)], [(108, 104)], [(400, 300)])
END = re.compile("^End the (polygon|polyline)")
LANE, KEY = "lane", "label-category-attributes"


def previewed(page: Page) -> None:
    """At the task as a worker sees it, and back."""
    page.get_by_role("link", name="Preview the task as a worker sees it").click()
    page.locator(".canvas canvas").first.wait_for()
    page.go_back()


def with_an_attribute(tmp_path: Path, page: Page) -> None:
    """Give the label "bee" an attribute in the wizard, on a large screen and on a phone."""
    page.locator("wa-details[summary^='Attributes of labels'] summary").click()
    page.get_by_role("button", name="Add an attribute").click()
    page.keyboard.type(LANE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("group", name=LANE)).to_be_visible()
    page.get_by_label("Of", exact=True).select_option("bee")
    page.get_by_label("Choices", exact=True).fill("solid, dashed")
    page.get_by_label("Required").check()
    page.get_by_role("button", name="Add an attribute").click()
    page.get_by_label("Kind").last.select_option(label="A number")
    page.get_by_label("Minimum").fill("1")
    page.get_by_role("button", name="Remove attribute 2").click()
    config = json.loads(page.get_by_label("Label category configuration").input_value())
    asked = {"name": LANE, "type": "string", "enum": ["solid", "dashed"], "isRequired": True}
    assert config["labels"] == [{"label": "bee", "categoryAttributes": [asked]}]
    accessible(page)
    page.screenshot(path=tmp_path / "attributes-wide.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "attributes-narrow.png", full_page=True)


def launched(
    visit: Visit, account: Account, owner: User, title: str, name: str, on_task: Callable[[Page], None] | None
) -> LabelingJob:
    """A job of one image for two workers, made in the wizard after a look at its preview."""
    (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
    dataset = builders.a_dataset(account=account, uri=uri.rsplit("/", 1)[0], name=f"set-{name}")
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    said = {"title": "Mark every insect", "description": "Bees and wasps on flowers"}
    launch(page, name, title, **said, on_task=on_task, on_review=previewed)
    job = LabelingJob.objects.get(account=account, name=name)
    background.advance_job(job.pk)
    return job


def accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == []


def answered(page: Page, spots: list[tuple[int, int]], *, touch: bool, lane: str = "") -> dict[str, Any]:
    """Draw one shape through these points and hand it in; returns the answer as it is stored."""
    at_the_canvas(page)
    for spot in spots:
        place = on_screen(page, *spot)
        page.touchscreen.tap(*place) if touch else page.mouse.click(*place)
    if len(spots) > 1:
        page.get_by_role("button", name=END).click()
    if lane:
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_text(f"Say what “{LANE}” is of").first).to_be_visible()
        page.get_by_label(LANE).select_option(lane)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = Answer.objects.count()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    assert wait_until(lambda: Answer.objects.count() > before)
    found: dict[str, Any] = Answer.objects.order_by("-pk")[0].content["annotatedResult"]
    return found


@pytest.mark.parametrize(
    ("title", "member", "drawn", "mark"),
    [
        pytest.param("Polygons", "polygons", POLYGONS, "polygon.over", id="polygons"),
        pytest.param("Polylines", "polylines", POLYLINES, "polyline.over", id="polylines"),
        pytest.param("Key points", "keypoints", POINTS, "path.over", id="keypoints"),
    ],
)
def test_outlines_and_points_from_the_wizard_to_a_decision(
    visit: Visit,
    live_server: Any,
    account: Account,
    owner: User,
    workers: list[Worker],
    tolerated: list[str],
    tmp_path: Path,
    title: str,
    member: str,
    drawn: tuple[list[tuple[int, int]], ...],
    mark: str,
) -> None:
    """What two workers draw is stored to the pixel and merged; the pages draw it, and the requester adds a shape."""
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    builders.a_team(account=account, workers=workers, name="field-team")
    lane = "dashed" if member == "polylines" else ""
    job = launched(visit, account, owner, title, member, partial(with_an_attribute, tmp_path) if lane else None)
    for worker, spots, options in zip(workers, drawn, ({}, PHONE), strict=False):
        page = visit(worker.user, f"/work/{job.queue_id}/", **options)
        (shape,) = answered(page, spots, touch=bool(options), lane=lane)[member]
        near = shape.get("vertices", [shape])
        assert shape["label"] == "bee" and len(near) == len(spots)
        for point, (x, y) in zip(near, spots, strict=True):
            assert abs(point["x"] - x) <= 2 and abs(point["y"] - y) <= 2
        page.context.close()
    due.settle_due(job.queue)
    background.advance_job(job.pk)

    row = DataObject.objects.select_related("label").get(job=job)
    (merged,) = row.label.value[member]
    assert merged.get(KEY, {}) == ({LANE: lane} if lane else {})
    assert merged["label"] == "bee" and 0.7 < merged["confidence"] == row.label.confidence < 0.84
    shown = reverse("requester:object", args=[job.pk, row.pk])
    paths = [reverse("requester:job-gallery", args=[job.pk]), shown]
    for number, look in enumerate(LOOKS):
        page = visit(owner, shown, **look)
        check(page, [live_server.url + path for path in paths], fits=True)
        expect(page.get_by_text("2 people answered. 1 ").first).to_be_visible()
        assert (f"{LANE} dashed (majority, 2 of 2)" in page.content()) == bool(lane)
        view = page.locator("waggle-boxes-view")
        expect(view.locator(mark)).to_have_count(1)
        view.get_by_role("button", name=workers[0].public_id).click()
        expect(view.locator(mark)).to_have_count(2)
        accessible(page)
        page.screenshot(path=tmp_path / f"{member}-{number}.png", full_page=True)

    page.locator(".canvas").scroll_into_view_if_needed()
    for spot in drawn[2]:
        page.mouse.click(*on_screen(page, *spot))
    if len(drawn[2]) > 1:
        page.get_by_role("button", name=END).click()
    if lane:
        page.get_by_label(LANE).select_option("solid")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("for object 0 are the label now.")).to_be_visible()
    row.refresh_from_db()
    assert row.label.source == "adjudicated" and len(row.label.value[member]) == 2
    expect(view.locator(mark)).to_have_count(2)
    page.context.close()
