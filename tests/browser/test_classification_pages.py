"""Image classification in the portal with a real browser: wizard, worker's page, gallery, adjudication."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.queue import due
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAME = "crowd-image-classifier"
PICTURE = ".canvas img"


def classified(label: str) -> dict[str, Any]:
    """The element's answer in Ground Truth's format."""
    return {NAME: {"label": label}}


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A classification job with two images: the first answered by two workers, the second open."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(account, team, workers_per_object=2, objects=2, task_type="ImageMultiClass")
    stories.open_pictures(job)
    for worker in workers:
        stories.work(worker, job, classified("bee"), most=1)
    return job


def test_a_worker_classifies_by_keyboard_alone(visit: Visit, job: LabelingJob, workers: list[Worker]) -> None:
    """The task is shown in the classifier; a digit and Enter answer it, and the answer is stored."""
    page = visit(workers[0].user, f"/work/{job.queue_id}/")
    page.locator(PICTURE).wait_for()
    expect(page.get_by_role("radio", name="bee")).to_be_focused()
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="wasp")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    assert Answer.objects.order_by("-pk").values_list("content", flat=True)[0] == classified("wasp")


def test_the_gallery_shows_the_class_and_the_requester_changes_it(visit: Visit, job: LabelingJob, owner: User) -> None:
    """The label is shown on the image; on the object's page the requester chooses another, which becomes the label."""
    due.settle_due(job.queue)
    page = visit(owner, reverse("requester:job-gallery", args=[job.pk]))
    expect(page.locator(".chip b")).to_have_text(["bee"])
    page.get_by_role("link", name=".png").first.click()
    page.locator(PICTURE).wait_for()
    expect(page.get_by_role("radio", name="bee")).to_be_checked()
    page.get_by_role("radio", name="wasp").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("is the label now")).to_be_visible()
    rows = DataObject.objects.select_related("label")
    wait_until(lambda: rows.get(job=job, index=0).label.source == "adjudicated")
    assert rows.get(job=job, index=0).label.value["choice"] == "wasp"


def test_the_wizard_depends_on_the_chosen_task_type(visit: Visit, account: Account, owner: User) -> None:
    """The help for labels, the prices and what automated labeling promises are those of the type."""
    dataset = builders.a_dataset(account=account, name="clover")
    builders.a_team(account=account, workers=stories.a_crowd(2), name="field-team")
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    page.get_by_label("Name").fill("insects")
    page.get_by_role("button", name="Continue").click()
    hint = page.locator(".hint[data-shown-when='task_type=ImageMultiClass']", has_text="One a line, at least two.")
    expect(hint).to_be_hidden()
    page.get_by_label("Image classification (one class)").check()
    expect(hint).to_be_visible()
    page.get_by_label("Labels", exact=True).fill("bee\nwasp")
    page.get_by_label("Title").fill("Which insect is it?")
    page.get_by_label("Description").fill("Choose one")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#prices option").first).to_have_attribute("value", "0.012")
    page.get_by_label("Workers per object").fill("2")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Promised accuracy of machine labels")).to_have_value("0.9")
    expect(page.get_by_label("Model").locator("option").first).to_have_attribute("value", "resnet18")
    page.get_by_label("Automated labeling").uncheck()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Preview the task as a worker sees it").click()
    page.locator(PICTURE).first.wait_for()
    expect(page.get_by_role("radio", name="wasp")).to_be_visible()
