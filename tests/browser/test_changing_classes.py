"""Texts from a zip file are classified by keyboard while their classes change, as worker and requester see it."""

import io
import re
import zipfile
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Request, expect

from labeling.models import Answer, LabelingJob
from labeling.services.jobs import advancing, classes, creation
from labeling.services.qualifications import making
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import settles
from tests.browser.test_accessibility import LOOKS, check
from tests.browser.test_data_in import make
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
TEXTS = ["It is great.", "It does not work.", "How do I start it?", "It broke.", "Thank you!"]
LABELS = ["praise", "complaint", "question"]
WORDS = "crowd-classifier .words"


def zipped() -> dict[str, Any]:
    """The texts as a zip file, in the form in which a file chooser takes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, text in enumerate(TEXTS):
            archive.writestr(f"letters/{number}.txt", text)
        archive.writestr("letters/scan.pdf", b"%PDF-1.7")
    return {"name": "letters.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}


def test_classes_change_while_a_worker_labels_texts_by_keyboard(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker]
) -> None:
    """From files to labels: what is refused, what the worker's page asks of the server, what both read of a change."""
    page = visit(owner, reverse("requester:dataset-new"))
    dataset = make(page, "letters", "A zip file from this computer", [zipped()])
    assert (dataset.objects_total, dataset.bad_lines) == (len(TEXTS), 1), dataset.failure_reason
    page.goto(live_server.url + reverse("requester:dataset", args=[dataset.pk]))
    expect(page.get_by_text("The first texts")).to_be_visible()
    expect(page.locator("waggle-text-view").first).to_contain_text("It is great.")
    expect(page.get_by_text("is no text, whose name ends in .txt: it is a PDF document")).to_be_visible()

    team = builders.a_team(account=account, workers=workers)
    design = stories.a_design(account, team, task_type="TextMultiClass", labels=LABELS, workers_per_object=1)
    job = creation.create_job(**design | {"dataset": dataset, "input_manifest_uri": ""})
    advancing.advance_job(job.pk)
    _label(visit, job, workers[0])
    advancing.advance_job(job.pk)

    address = reverse("requester:job-classes", args=[job.pk])
    page.goto(live_server.url + address)
    expect(page.get_by_role("row", name="complaint renamed to problem")).to_be_visible()
    page.get_by_label("New name").fill("thanks")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("praise is called thanks now. 2 labels named it.")).to_be_visible()
    page.get_by_label("Class that goes").select_option("question")
    page.get_by_label("Class that stays").select_option("problem")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("question is a part of problem now. 1 label named it.")).to_be_visible()
    for look in LOOKS:
        shown = visit(owner, address, **look)
        check(shown, [live_server.url + address])
        assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"]
    page.goto(live_server.url + reverse("requester:job-gallery", args=[job.pk]))
    expect(page.locator(".chip b")).to_have_text(["thanks", "problem", "problem", "problem", "thanks"])
    _learn(visit, account, LabelingJob.objects.get(pk=job.pk), workers[1])


def _label(visit: Visit, job: LabelingJob, worker: Worker) -> None:
    """Every text by two keys; between them a class gets another name."""
    page = visit(worker.user, f"/work/{job.queue_id}/")
    expect(page.locator(WORDS)).to_have_text(TEXTS[0])
    sent: list[str] = []
    page.on("request", lambda one: sent.append(_said(one)))
    for number, key in enumerate("12321"):
        expect(page.locator(WORDS)).to_have_text(TEXTS[number])
        expect(page.get_by_role("radio", checked=False).first).to_be_focused()
        # The text after this one is here before the answer is sent.
        settles(lambda number=number: sent.count("text") >= min(number, len(TEXTS) - 2), True)
        page.keyboard.press(key)
        if number == 1:
            classes.rename(job=LabelingJob.objects.get(pk=job.pk), label="complaint", name="problem", by="user:1")
        expect(page.get_by_role("radio", checked=True)).to_have_count(1)
        page.keyboard.press("Enter")
        if number == 1:
            expect(page.get_by_role("radio", name="problem")).to_be_visible()
    expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    assert [one for one in sent if one != "text"] == ["submit"] * len(TEXTS), "one trip for each task, and no other"
    given = [row.content["crowd-classifier"]["label"] for row in Answer.objects.order_by("pk")]
    assert given == ["praise", "problem", "question", "problem", "praise"]


def _said(request: Request) -> str:
    if "/submit?claim_next=true" in request.url:
        return "submit"
    return "text" if "/api/v1/images/" in request.url else f"{request.method} {request.url}"


def _learn(visit: Visit, account: Account, job: LabelingJob, worker: Worker) -> None:
    """A test whose questions are these texts, taken by the other worker."""
    design = making.TestDesign(job=job, questions=1, training=1)
    values = {"name": "Reader", "description": "Reads letters", "granted_by": "Test", "mark": 50}
    row = making.create(account=account, by="user:1", test=design, **values)
    truth = {one.text: one.truth["choice"] for one in row.qualification_test.questions.all()}
    page = visit(worker.user, reverse("worker:qualification", args=[row.pk]))
    page.get_by_role("button", name="Train", exact=True).click()
    for place in range(2):
        expect(page.locator(WORDS)).to_contain_text(re.compile(r"\w"))
        text = page.locator(WORDS).text_content() or ""
        assert text in TEXTS
        page.get_by_role("radio", name=truth[text]).click()
        page.get_by_role("button", name="Submit").click()
        if place == 0:
            expect(page.get_by_text("Your last answer: 100 % right")).to_be_visible()
            expect(page.locator("waggle-text-view")).to_contain_text(text)
            page.get_by_role("link", name="Go on to the exam").click()
            page.get_by_role("button", name="Take the exam").click()
    expect(page.get_by_text("Passed with 100 %.")).to_be_visible()
