"""A qualification in a real browser: made out of labeled objects, trained for, examined, and then the work it opens."""

import os
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import DataObject, LabelingJob
from labeling.services.results import adjudication
from marketplace.models import Account, QualificationType, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import check, each_look
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def labeled(account: Account, workers: list[Worker]) -> LabelingJob:
    """A classification job whose owner has decided all objects: each shows a bee."""
    team = builders.a_team(account=account, workers=workers, name="field-team")
    job = stories.a_job(account, team, objects=4, task_type="ImageMultiClass", name="meadow")
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    for row, uri in zip(rows, builders.tiny_images(4, account=account, size=stories.SIZE), strict=True):
        row.source_ref = uri
        row.save()
        content = {"crowd-image-classifier": {"label": "bee"}}
        adjudication.adjudicate(data_object=row, content=content, by="system")
    return job


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page where a person asks for them."""
    if folder := os.environ.get("WAGGLE_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def make(page: Page) -> None:
    """Fill in the form of a new qualification."""
    page.get_by_label("Name").fill("Bee or wasp")
    page.get_by_label("Description").fill("Tells bees from wasps")
    page.get_by_label("Mark").fill("100")
    page.get_by_label("Questions from the labels of a job").select_option("meadow")
    page.get_by_label("Questions of an exam").fill("2")
    page.get_by_label("Training questions").fill("1")
    shot(page, "new")
    page.get_by_role("button", name="Make it").click()


def choose(page: Page, label: str) -> None:
    """Answer the question that is shown."""
    page.locator(".canvas img").wait_for()
    page.get_by_role("radio", name=label).click()
    page.get_by_role("button", name="Submit").click()


@each_look
def test_a_test_is_made_and_taken_and_opens_the_work(
    visit: Visit, labeled: LabelingJob, owner: User, workers: list[Worker], look: dict[str, Any]
) -> None:
    """The owner makes it of a job; the worker finds out why a job is closed, trains, passes, and sees the job."""
    page = visit(owner, reverse("requester:qualification-new"), **look)
    make(page)
    expect(page.get_by_text("2 questions in 30 min, unpaid")).to_be_visible()
    shot(page, f"type-{look['viewport']['width']}")
    check(page, [page.url])
    row = QualificationType.objects.get()
    asked = [{"qualification_type": row.pk}]
    job = stories.a_job(labeled.account, labeled.workteam, title="More insects", qualification_requirements=asked)
    stories.open_pictures(job)

    theirs = visit(workers[0].user, reverse("worker:jobs"), **look)
    theirs.get_by_role("link", name="Why not others?").click()
    expect(theirs.get_by_text("it asks for 'Bee or wasp': you do not have it yet")).to_be_visible()
    shot(theirs, f"closed-{look['viewport']['width']}")
    check(theirs, [theirs.url])
    theirs.get_by_role("link", name="Take the test for More insects").click()
    expect(theirs.get_by_text("Not now: do the training first.")).to_be_visible()
    expect(theirs.get_by_text("none: training and exam are not paid")).to_be_visible()
    shot(theirs, f"standing-{look['viewport']['width']}")
    check(theirs, [theirs.url])
    theirs.get_by_role("button", name="Train").click()
    choose(theirs, "wasp")
    expect(theirs.get_by_role("heading", name="Your last answer: 0 % right")).to_be_visible()
    expect(theirs.locator("waggle-boxes-view")).to_contain_text("bee")
    picture = theirs.locator("waggle-boxes-view img").first
    wait_until(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"))
    shot(theirs, f"feedback-{look['viewport']['width']}")
    check(theirs, [theirs.url])
    theirs.get_by_role("link", name="Go on to the exam").click()
    theirs.get_by_role("button", name="Take the exam").click()
    shot(theirs, f"exam-{look['viewport']['width']}")
    choose(theirs, "bee")
    expect(theirs.get_by_text("1 of 2 answered.")).to_be_visible()
    choose(theirs, "bee")
    expect(theirs.get_by_text("Passed with 100 %.")).to_be_visible()
    theirs.get_by_role("link", name="See the tasks").click()
    expect(theirs.get_by_role("link", name="More insects")).to_be_visible()
    page.reload()
    expect(page.locator("td.mono")).to_contain_text(workers[0].public_id)
    shot(page, f"holders-{look['viewport']['width']}")
