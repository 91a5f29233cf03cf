"""The portal's pages in a real browser: the wizard by keyboard, layers and adjudication, a worker's payment.

That each page fits the screen is part of the walk over all of them in test_accessibility.py.
"""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import advancing
from labeling.services.queue import due
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import draw
from tests.browser.elements_site import wait_until
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job with two images: the first is labeled by two people, the second is open."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(account, team, workers_per_object=2, objects=2)
    stories.open_pictures(job)
    for worker in workers:
        stories.work(worker, job, most=1)
    due.settle_due(job.queue)
    return job


def tab_to(page: Page, field: Locator, *, most: int = 12) -> None:
    """Press Tab until this field has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if field.evaluate("field => field === document.activeElement"):
            return
    raise AssertionError(f"{most} times Tab do not lead to {field}")


def test_a_job_is_created_in_the_wizard_by_keyboard_alone(visit: Visit, account: Account, owner: User) -> None:
    """Four steps with an error beside its field, the price while typing, review, preview, launch."""
    dataset = builders.a_dataset(account=account, name="clover")
    builders.a_team(account=account, workers=stories.a_crowd(2), name="field-team")
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    page.get_by_label("Name").press("Enter")
    expect(page.locator(".field.invalid .field-error")).to_have_text("This field is required.")
    expect(page.get_by_label("Percent of a random sample")).to_be_hidden()
    page.get_by_label("Name").focus()
    page.keyboard.type("bees")
    page.keyboard.press("Enter")

    page.get_by_label("Labels", exact=True).focus()
    page.keyboard.type("bee\nwasp")
    # Attributes of the labels come in between.
    tab_to(page, page.get_by_label("Title", exact=True))
    page.keyboard.type("Box every insect")
    page.keyboard.press("Tab")
    page.keyboard.type("Bees and wasps on flowers")
    page.keyboard.press("Enter")

    page.get_by_label("Workforce").select_option(label="field-team")
    page.get_by_label("Workers per object").fill("3")
    # two images, three workers each, 3.6 cents and a fee of 20 %
    expect(page.get_by_text("$0.259", exact=False).first).to_be_visible()
    page.get_by_label("Workers per object").press("Enter")
    expect(page.get_by_label("Rounds at most")).to_be_visible()
    page.get_by_label("Automated labeling").uncheck()
    expect(page.get_by_label("Rounds at most")).to_be_hidden()
    page.get_by_role("button", name="Continue").press("Enter")

    page.get_by_role("link", name="Preview the task as a worker sees it").press("Enter")
    page.locator(".canvas canvas").first.wait_for()
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    page.go_back()
    page.get_by_role("button", name="Launch").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("bees")
    made = LabelingJob.objects.get(account=account, name="bees")
    assert (made.labels, made.workers_per_object, made.automated) == (["bee", "wasp"], 3, False)
    advancing.advance_job(made.pk)
    expect(page.locator(".legend .seg-todo")).to_contain_text("2")


def test_layers_can_be_switched_and_the_requesters_boxes_become_the_label(
    visit: Visit, job: LabelingJob, owner: User, workers: list[Worker]
) -> None:
    """The gallery shows each worker's boxes on demand; on the object's page the requester decides."""
    page = visit(owner, reverse("requester:job-gallery", args=[job.pk]))
    layer = page.get_by_role("button", name=workers[0].public_id[:6])
    shown = page.locator("waggle-boxes-view rect.over")
    first = layer.first
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(shown).to_have_count(1)  # the merged box of the only labeled image
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(shown).to_have_count(2)

    page.get_by_role("link", name=".png").first.click()
    expect(page.get_by_text("2 people answered. 1 box kept.").first).to_be_visible()
    page.locator(".canvas canvas").first.wait_for()
    expect(page.locator("crowd-bounding-box .list li")).to_have_count(1)
    page.locator(".canvas").scroll_into_view_if_needed()
    draw(page, 300, 200, 420, 330)
    expect(page.locator("crowd-bounding-box .list li")).to_have_count(2)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("are the label now")).to_be_visible()
    rows = DataObject.objects.select_related("label")
    wait_until(lambda: rows.get(job=job, index=0).label.source == "adjudicated")
    row = rows.get(job=job, index=0)
    drawn = [(box["left"], box["top"], box["width"], box["height"]) for box in row.label.value["boxes"]]
    assert drawn == [(100, 100, 50, 40), (300, 200, 120, 130)]


def test_a_worker_is_paid_for_a_box(visit: Visit, live_server: Any, job: LabelingJob, workers: list[Worker]) -> None:
    """From the list of jobs to the earnings."""
    page = visit(workers[0].user, reverse("worker:jobs"))
    page.get_by_role("link", name="Start").click()
    page.locator(".canvas canvas").first.wait_for()
    draw(page, 100, 100, 150, 140)
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: job.queue.assignments.filter(state="Submitted", worker=workers[0]).count() == 2)
    page.goto(live_server.url + reverse("worker:earnings"))
    expect(page.locator("waggle-money").first).to_have_text("$0.072")
