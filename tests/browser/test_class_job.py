"""A classification job in a real browser: chosen in the wizard, answered by workers, decided by the requester."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Answer, DataObject, LabelingJob
from labeling.services.jobs import advancing
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def workers() -> list[Worker]:
    """Two people who label."""
    return stories.a_crowd(2)


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """Two real pictures, open to both workers."""
    team = builders.a_team(account=account, workers=workers)
    kind: dict[str, Any] = {"task_type": "ImageMultiClass", "labels": ["bee", "wasp", "fly"]}
    return stories.open_pictures(stories.a_job(account, team, workers_per_object=2, objects=2, **kind))


def radio(page: Page, name: str) -> Any:
    """One class of the element."""
    return page.get_by_role("radio", name=name, exact=True)


def chosen() -> list[str]:
    """The choices in the database, oldest first."""
    return [answer.content["crowd-image-classifier"]["label"] for answer in Answer.objects.order_by("pk")]


def test_what_workers_choose_is_stored_shown_and_can_be_corrected(
    visit: Visit, job: LabelingJob, owner: User, workers: list[Worker]
) -> None:
    """By mouse and by keys; both answers become chips in the gallery, and the requester's choice replaces the label."""
    page = visit(workers[0].user, reverse("worker:task", args=[job.pk]))
    for place, name in enumerate(("wasp", "fly")):
        page.locator(".canvas img").first.wait_for()
        radio(page, name).click()
        page.get_by_role("button", name="Submit").click()
        wait_until(lambda place=place: len(chosen()) == place + 1)
        expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page = visit(workers[1].user, reverse("worker:task", args=[job.pk]))
    for place, key in enumerate(("2", "1")):
        page.locator(".canvas img").first.wait_for()
        radio(page, "bee").focus()
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        wait_until(lambda place=place: len(chosen()) == place + 3)
        expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    assert chosen() == ["wasp", "fly", "wasp", "bee"]
    advancing.advance_job(job.pk)

    page = visit(owner, reverse("requester:job-gallery", args=[job.pk]))
    chips = page.locator("waggle-boxes-view .chip b")
    expect(chips.first).to_have_text("wasp")
    expect(chips).to_have_count(2)  # the merged label of each picture; the workers' are switched off

    page.get_by_role("link", name=".png").first.click()
    expect(page.get_by_text("2 people answered. 2 of them chose wasp.").first).to_be_visible()
    page.locator(".canvas img").first.wait_for()
    expect(radio(page, "wasp")).to_be_checked()
    radio(page, "bee").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Your choice for object 0 is the label now.")).to_be_visible()
    row = DataObject.objects.select_related("label").get(job=job, index=0)
    assert (row.label.source, row.label.value) == ("adjudicated", {"choice": "bee", "confidence": 1.0})


def test_the_wizard_shows_what_fits_the_chosen_type(visit: Visit, account: Account, owner: User) -> None:
    """The help for labels follows the choice, the prices are those of the type, and no model is offered."""
    dataset = builders.a_dataset(account=account, name="clover")
    builders.a_team(account=account, workers=stories.a_crowd(2), name="field-team")
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}")
    page.get_by_label("Name").fill("insects")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("One a line, at least two.")).to_be_hidden()
    page.get_by_label("Image classification (one class)").check()
    expect(page.get_by_text("One a line, at least two.")).to_be_visible()
    page.get_by_label("Labels").fill("bee\nwasp")
    page.get_by_label("Title").fill("Which insect is it?")
    page.get_by_label("Description").fill("Choose one")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#prices option").first).to_have_attribute("value", "0.012")
    page.get_by_label("Workers per object").fill("2")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("No model can learn this task type yet")).to_be_visible()
    expect(page.get_by_label("Automated labeling")).to_be_disabled()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Preview the task as a worker sees it").click()
    page.locator(".canvas img").first.wait_for()
    expect(radio(page, "wasp")).to_be_visible()
