"""From boxes to their verification, and on to the adjustment of those called bad, all of it in a real browser."""

import json
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.jobs import advancing, creation
from labeling.services.output import manifests
from marketplace import storage
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser import drawing
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import AXE, FOUND, RULES, each_look
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SIZE = (480, 320)
PICTURE = ".canvas img"


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job of three pictures with nobody's boxes yet, one answer each."""
    team = builders.a_team(account=account, workers=workers, name="field-team")
    lines = [{"source-ref": uri} for uri in builders.tiny_images(3, account=account, size=SIZE)]
    design = stories.a_design(account, team, name="insects", labels=["bee", "wasp"], workers_per_object=1)
    design |= {"label_attribute_name": "boxes", "input_manifest_uri": builders.a_manifest(account, lines)}
    return advanced(creation.create_job(**design))


def advanced(job: LabelingJob) -> LabelingJob:
    """The job after every step that was possible."""
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    return job


def lines(job: LabelingJob) -> list[dict[str, Any]]:
    """Those of its output manifest."""
    return [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).decode().split("\n") if line]


def submitted(page: Page, job: LabelingJob, number: int) -> None:
    """Submit, and wait until so many answers to the job have arrived."""
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: Answer.objects.filter(assignment__queue=job.queue_id).count() == number)


def accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate(FOUND, RULES)
    assert found == [], f"{page.url}\n{json.dumps(found, indent=1)}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"


def launched(page: Page, action: str, name: str, looked_at: str = "boxes") -> LabelingJob:
    """Press an action of the job's page, and go through the wizard as it is filled in."""
    page.get_by_role("button", name=action).click()
    expect(page.get_by_label("Name")).to_have_value(name)
    accessible(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Labels to look at")).to_have_value(looked_at)
    accessible(page)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Workforce").select_option(label="field-team")
    page.get_by_label("Workers per object").fill("1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text(f"The labeling job {name} is starting.")).to_be_visible()
    return advanced(LabelingJob.objects.get(name=name))


def the_boxes_are_drawn(page: Page, job: LabelingJob) -> None:
    """One on the first picture, a wrong one on the second, none on the third, which is said expressly."""
    for number, box in enumerate(((50, 40, 150, 120), (300, 200, 400, 300))):
        drawing.at_the_canvas(page)
        drawing.draw(page, *box)
        submitted(page, job, number + 1)
    drawing.at_the_canvas(page)
    page.keyboard.press("x")
    submitted(page, job, 3)


def the_verdicts_are_given(page: Page, job: LabelingJob) -> None:
    """The earlier box lies over the picture; the second one is bad, with a comment."""
    for number, (verdict, boxes) in enumerate((("good", 1), ("bad", 1), ("good", 0))):
        page.locator(PICTURE).wait_for()
        expect(page.get_by_role("radiogroup", name="How good is the label on the picture?")).to_be_visible()
        radio = page.get_by_role("radio", name=verdict)
        expect(page.locator("svg.over rect")).to_have_count(boxes)
        radio.click()
        if verdict == "bad":
            accessible(page)
            page.get_by_role("button", name="Say why").click()
            page.locator("#comment textarea").fill("nothing is there")
            page.locator("#comment").get_by_role("button", name="Close").click()
        submitted(page, job, number + 1)


@each_look
def test_boxes_are_drawn_verified_and_the_bad_ones_adjusted(
    visit: Visit, live_server: Any, job: LabelingJob, owner: User, workers: list[Worker], look: dict[str, Any]
) -> None:
    worker = visit(workers[0].user, f"/work/{job.queue_id}/")
    the_boxes_are_drawn(worker, job)
    assert advanced(job).status == "Completed"
    requester = visit(owner, reverse("requester:job", args=[job.pk]), **look)
    accessible(requester)

    verified = launched(requester, "Verify bounding boxes", "insects-2")
    worker = visit(workers[0].user, f"/work/{verified.queue_id}/", **look)
    the_verdicts_are_given(worker, verified)
    assert advanced(verified).status == "Completed"
    output = lines(verified)
    assert [line["insects-2"] for line in output] == ["0", "1", "0"]
    assert output[1]["insects-2-metadata"]["worker-feedback"] == [{"comment": "nothing is there"}]
    assert [line["boxes"] for line in output] == [line["boxes"] for line in lines(job)]

    requester.goto(live_server.url + reverse("requester:job", args=[verified.pk]))
    adjusted = launched(requester, "Adjust bounding boxes", "insects-3")
    assert adjusted.labels == ["bee"], "the class that occurs"
    assert [row.index for row in DataObject.objects.filter(job=adjusted)] == [1]
    worker = visit(workers[0].user, f"/work/{adjusted.queue_id}/")
    drawing.at_the_canvas(worker)
    assert drawing.boxes(worker) == [{"height": 100, "label": "bee", "left": 300, "top": 200, "width": 100}]
    worker.mouse.click(*drawing.on_screen(worker, 350, 250))
    drawing.drag(worker, drawing.on_screen(worker, 350, 250), drawing.on_screen(worker, 330, 240))
    submitted(worker, adjusted, 1)
    (answer,) = Answer.objects.filter(assignment__queue=adjusted.queue_id)
    assert answer.content["boundingBox"]["initialValueModified"] is True
    assert advanced(adjusted).status == "Completed"
    (line,) = lines(adjusted)
    assert line["insects-3-metadata"]["adjustment-status"] == "adjusted"
    assert [line["insects-3"]["annotations"][0][side] for side in ("left", "top", "width", "height")] == [
        280, 190, 100, 100,
    ]  # fmt: skip
    assert line["boxes"]["annotations"][0]["left"] == 300

    row = DataObject.objects.get(job=adjusted)
    requester.goto(live_server.url + reverse("requester:object", args=[adjusted.pk, row.pk]))
    expect(requester.get_by_role("button", name="Earlier")).to_be_visible()
    expect(requester.get_by_text("Somebody changed the earlier label.").first).to_be_visible()
    accessible(requester)
