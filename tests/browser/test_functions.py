"""Functions of a requester in a real browser: from the wizard to the worker's page and to the label's page."""

import json
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from labeling import background
from labeling.models import Answer, DataObject, LabelingJob, ObjectLine
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories
from tests.labeling.function_stories import go_on
from tests.labeling.lambda_functions import __name__ as HERE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DETAILS = "Functions of your own, before and after people"
TEMPLATE = """<crowd-form><p>Taken at {{ task.input.place }}</p>
<crowd-input name="insect" label="Insect"></crowd-input></crowd-form>"""


@pytest.fixture
def job(settings: Any, account: Account, workers: list[Worker]) -> LabelingJob:
    """A custom job with both functions, one of whose objects the function before people knows to be blurred."""
    settings.FUNCTIONS = [f"{HERE}.prepare", f"{HERE}.most_votes"]
    job = stories.a_job(
        account,
        builders.a_team(account=account, workers=workers),
        task_type="Custom",
        labels=[],
        template=TEMPLATE,
        workers_per_object=1,
        objects=2,
        pre_human_task_function=settings.FUNCTIONS[0],
        annotation_consolidation_function=settings.FUNCTIONS[1],
    )
    for row, more in zip(DataObject.objects.order_by("index"), ({"place": "a pond"}, {"blurred": True}), strict=True):
        (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
        DataObject.objects.filter(pk=row.pk).update(source_ref=uri)
        ObjectLine.objects.filter(pk=row.pk).update(text=json.dumps({"source-ref": uri, **more}))
    return job


def summary_of(page: Page) -> Locator:
    """What opens the functions' part of the wizard's step."""
    return page.locator(f'wa-details[summary="{DETAILS}"]').locator("summary")


def test_functions_are_chosen_and_seen_at_work(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker], job: LabelingJob
) -> None:
    dataset = builders.a_dataset(account=account)
    page = visit(owner, f"{reverse('requester:job-new')}?dataset={dataset.pk}")
    page.get_by_label("Name").fill("insects")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Custom template").check()
    page.get_by_label("Worker template").fill(TEMPLATE)
    page.get_by_label("Title").fill("Insects")
    page.get_by_label("Description").fill("Which one is it?")
    expect(page.get_by_label("Signing secret")).to_be_hidden()
    summary_of(page).click()
    secret = page.get_by_label("Signing secret").input_value()
    assert secret.startswith("whsec_")
    page.get_by_label("Pre-annotation function").fill("os.remove")
    page.get_by_label("Post-annotation function").fill("https://functions.example/merge")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("not among those the operator allows")).to_be_visible()
    assert page.get_by_label("Signing secret").input_value() == secret
    for look in LOOKS:
        shown = visit(owner, reverse("requester:job-new-step", args=["task"]), **look)
        summary_of(shown).click()
        expect(shown.get_by_label("Signing secret")).to_be_visible()
        shown.screenshot(path=f"/tmp/w-functions-wizard-{look['viewport']['width']}.png", full_page=True)
        assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"]
    page.get_by_label("Pre-annotation function").fill(f"{HERE}.prepare")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Workforce")).to_be_visible()

    go_on(job)
    task = visit(workers[0].user, reverse("worker:task", args=[job.queue_id]))
    form = task.frame_locator("crowd-template iframe:not(.ahead)")
    expect(form.get_by_text("Taken at a pond")).to_be_visible()
    form.get_by_label("Insect").fill("bee")
    form.get_by_role("button", name="Submit").click()
    wait_until(lambda: Answer.objects.filter(assignment__queue=job.queue_id).exists())
    background.advance_job(job.pk)
    assert go_on(job).status == "Completed"

    address = reverse("requester:object", args=[job.pk, DataObject.objects.get(job=job, index=0).pk])
    for look in LOOKS:
        shown = visit(owner, address, **look)
        expect(shown.get_by_text(f"The function {HERE}.most_votes made this label", exact=False)).to_be_visible()
        shown.screenshot(path=f"/tmp/w-functions-object-{look['viewport']['width']}.png", full_page=True)
        check(shown, [live_server.url + address, live_server.url + reverse("requester:job", args=[job.pk])])
        assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"]
