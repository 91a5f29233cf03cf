"""A worker checks boxes that are proposed: sees them, corrects one, and is paid the price of checking."""

import os

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import Answer, Assignment, DataObject
from labeling.services.jobs import advancing, creation
from marketplace.models import Account, Worker
from marketplace.services import earnings
from tests import builders
from tests.browser import drawing
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZE = (480, 320)
RIGHT, OFF = (40, 40, 100, 80), (250, 150, 60, 60)


def test_a_worker_begins_with_the_boxes_corrects_one_and_is_paid_for_checking(
    visit: Visit, account: Account, workers: list[Worker]
) -> None:
    sides = ("left", "top", "width", "height")
    boxes = [{"class_id": 0, **dict(zip(sides, box, strict=True))} for box in (RIGHT, OFF)]
    (uri,) = builders.tiny_images(1, account=account, size=SIZE)
    line = {
        "source-ref": uri,
        "guess": {"annotations": boxes, "image_size": [{"width": SIZE[0], "height": SIZE[1], "depth": 3}]},
        "guess-metadata": {
            "type": "groundtruth/object-detection",
            "class-map": {"0": "bee"},
            "objects": [{"confidence": 0.8}, {"confidence": 0.7}],
        },
    }
    team = builders.a_team(account=account, workers=workers)
    job = creation.create_job(
        **stories.a_design(
            account,
            team,
            workers_per_object=1,
            input_manifest_uri=builders.a_manifest(account, [line]),
            prelabels={"source": "manifest", "attribute": "guess", "blind_share": 0.0},
        )
    )
    advancing.advance_job(job.pk)
    page = visit(workers[0].user, reverse("worker:jobs"))
    expect(page.get_by_text("to check")).to_be_visible()
    page.close()
    page = visit(workers[0].user, reverse("worker:task", args=[job.queue_id]))
    drawing.at_the_canvas(page)
    expect(page.get_by_text("Check and correct.")).to_be_visible()
    expect(page.get_by_text("to check")).to_be_visible()
    assert [[box[side] for side in sides] for box in drawing.boxes(page)] == [list(RIGHT), list(OFF)]
    if folder := os.environ.get("WAGGLE_CHECKING_PICTURES"):
        page.screenshot(path=f"{folder}/check-1280.png")
        page.set_viewport_size({"width": 390, "height": 844})
        drawing.steady(page)
        page.screenshot(path=f"{folder}/check-390.png")
        page.set_viewport_size({"width": 1280, "height": 800})
        drawing.steady(page)
    # The second box is off: it is moved to where the object is.
    page.mouse.click(*drawing.on_screen(page, 280, 180))
    drawing.drag(page, drawing.on_screen(page, 280, 180), drawing.on_screen(page, 330, 200))
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: Answer.objects.filter(assignment__queue=job.queue_id).exists())
    found = Answer.objects.get(assignment__queue=job.queue_id).content["boundingBox"]["boundingBoxes"]
    kept, moved = sorted(found, key=lambda box: box["left"])
    assert [kept[side] for side in sides] == list(RIGHT)
    assert [moved[side] for side in sides] == pytest.approx([300, 170, 60, 60], abs=1)
    assert Assignment.objects.get(queue=job.queue_id).paid_micros == 12_000
    assert earnings.balance(workers[0]) == 12_000
    advancing.advance_job(job.pk)
    assert DataObject.objects.get(job=job).state == "HumanLabeled"
