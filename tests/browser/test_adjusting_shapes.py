"""Others' polygons are verified, and the bad one adjusted, in a real browser; and so are the marks in a text."""

import json
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import task_types
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Drawing, ImageSize, Polygon, Span
from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.jobs import creation
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser import drawing
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, each_look
from tests.browser.test_earlier_labels import accessible, advanced, launched, lines, submitted
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SIZE = (480, 320)
DRAWN = (((50.5, 40), (150, 45), (100, 140)), ((300, 200), (400, 200), (350, 280)))
TEXT = "A bee met a wasp in the rain."


def over(account: Account, workers: list[Worker], kind: str, labels: list[Any], objects: list[dict[str, str]]) -> Any:
    """A job of objects that came with these labels under "seen", and so was over at once."""
    task_type, context = task_types.get(kind), LabelContext(
        labels=["bee", "wasp"], image_size=ImageSize(*SIZE), job_name="before"
    )  # fmt: skip
    given = [
        json.loads(label_line(json.dumps(one), "seen", *task_type.manifest_label(label, context)))
        for one, label in zip(objects, labels, strict=True)
    ]
    team = builders.a_team(account=account, workers=workers, name="field-team")
    design = stories.a_design(account, team, name="insects", labels=["bee", "wasp"], task_type=kind)
    design |= {"label_attribute_name": "seen", "input_manifest_uri": builders.a_manifest(account, given)}
    return advanced(creation.create_job(**design))


def judged(page: Page, verdict: str, job: LabelingJob, number: int) -> None:
    """Choose how good the earlier label is, and hand it in."""
    expect(page.get_by_role("radiogroup", name="How good is the label")).to_be_visible()
    page.get_by_role("radio", name=verdict).click()
    accessible(page)
    submitted(page, job, number)


@each_look
def test_polygons_are_verified_and_the_bad_one_adjusted(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker], look: dict[str, Any]
) -> None:
    uris = builders.tiny_images(2, account=account, size=SIZE)
    labels = [Drawing((Polygon("bee", corners),), SIZE) for corners in DRAWN]
    job = over(account, workers, "Polygon", labels, [{"source-ref": uri} for uri in uris])
    requester = visit(owner, reverse("requester:job", args=[job.pk]), **look)
    accessible(requester)

    verified = launched(requester, "Verify polygons", "insects-2", "seen")
    worker = visit(workers[0].user, f"/work/{verified.queue_id}/", **look)
    for number, verdict in enumerate(("good", "bad")):
        worker.locator(".canvas img").wait_for()
        expect(worker.locator("svg.over path.outline")).to_have_count(1)
        expect(worker.get_by_role("list", name="Shown on the picture")).to_have_text("bee (1)")
        judged(worker, verdict, verified, number + 1)
    assert advanced(verified).status == "Completed"
    assert [line["insects-2"] for line in lines(verified)] == ["0", "1"]

    requester.goto(live_server.url + reverse("requester:job", args=[verified.pk]))
    adjusted = launched(requester, "Adjust polygons", "insects-3", "seen")
    assert [row.index for row in DataObject.objects.filter(job=adjusted)] == [1], "the bad one"
    worker = visit(workers[0].user, f"/work/{adjusted.queue_id}/")
    drawing.at_the_canvas(worker)
    worker.mouse.click(*drawing.on_screen(worker, 350, 220))
    drawing.drag(worker, drawing.on_screen(worker, 350, 280), drawing.on_screen(worker, 360, 300))
    accessible(worker)
    submitted(worker, adjusted, 1)
    (answer,) = Answer.objects.filter(assignment__queue=adjusted.queue_id)
    assert answer.content["annotatedResult"]["initialValueModified"] is True
    assert advanced(adjusted).status == "Completed"
    (line,) = lines(adjusted)
    assert line["insects-3-metadata"]["adjustment-status"] == "adjusted"
    corners = [(v["x"], v["y"]) for v in line["insects-3"]["polygons"][0]["vertices"]]
    assert corners == [(300, 200), (400, 200), (360, 300)]
    assert line["seen"]["polygons"][0]["vertices"][2] == {"x": 350, "y": 280}, "the earlier label stays as it is"

    row = DataObject.objects.get(job=adjusted)
    requester.goto(live_server.url + reverse("requester:object", args=[adjusted.pk, row.pk]))
    expect(requester.get_by_role("button", name="Earlier")).to_be_visible()
    expect(requester.get_by_text("Somebody changed the earlier label.").first).to_be_visible()
    accessible(requester)


def test_marks_in_a_text_and_its_class_are_shown_to_who_judges_them(
    visit: Visit, account: Account, owner: User, workers: list[Worker]
) -> None:
    marks = [(Span("bee", 2, 5), Span("wasp", 12, 16))]
    job = over(account, workers, "NamedEntityRecognition", marks, [{"source": TEXT}])
    requester = visit(owner, reverse("requester:job", args=[job.pk]))
    verified = launched(requester, "Verify named entities", "insects-2", "seen")
    worker = visit(workers[0].user, f"/work/{verified.queue_id}/", **LOOKS[1])
    expect(worker.locator("mark")).to_have_text(["bee", "wasp"])
    worker.get_by_role("button", name="Say why").click()
    worker.locator("#comment textarea").fill("“rain” is missing")
    worker.locator("#comment").get_by_role("button", name="Close").click()
    judged(worker, "bad", verified, 1)
    assert advanced(verified).status == "Completed"
    (line,) = lines(verified)
    assert line["insects-2-metadata"]["worker-feedback"] == [{"comment": "“rain” is missing"}]
