"""Accuracy and conduct in a real browser: instructions read again, an appeal answered, readable by axe."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from labeling.models import AnswerActivity, ConductFinding, LabelingJob
from labeling.services.queue import due
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import draw
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import check, each_look
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job whose first image two workers have labeled; the first of them is to read the instructions again."""
    team = builders.a_team(account=account, workers=workers)
    told = {"short": "<p>Whole bees only</p>", "full": ""}
    job = stories.a_job(account, team, workers_per_object=2, objects=2, instructions=told)
    stories.open_pictures(job)
    for worker in workers:
        stories.work(worker, job, most=1)
    due.settle_due(job.queue)
    for worker, action in zip(workers, ("Retrain", "Block"), strict=False):
        ConductFinding.objects.create(
            worker=worker, queue=job.queue, rule="uniform-times", action=action, found_by="system",
            reason="your last 15 answers took the same time, to within 3%", found_at=timezone.now(),
        )  # fmt: skip
    return job


def test_a_job_opens_after_the_instructions_and_after_an_appeal(
    visit: Visit, live_server: Any, job: LabelingJob, owner: User, workers: list[Worker]
) -> None:
    """The worker reads the instructions, works on, and what the page counts arrives; the other one appeals."""
    page = visit(workers[0].user, reverse("worker:jobs"))
    expect(page.get_by_text("Nothing to do right now")).to_be_visible()
    page.goto(live_server.url + reverse("worker:conduct"))
    expect(page.get_by_text("Whole bees only")).to_be_visible()
    page.get_by_role("button", name="I have read the instructions again").click()
    expect(page.get_by_text("The job is open to you again.")).to_be_visible()
    page.goto(live_server.url + reverse("worker:jobs"))
    page.get_by_role("link", name="Start").click()
    page.locator(".canvas canvas").first.wait_for()
    draw(page, 100, 100, 150, 140)
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: AnswerActivity.objects.exists())
    counted = AnswerActivity.objects.get()
    assert counted.moves > 0 and counted.trusted > counted.moves and counted.untrusted == 0

    other = visit(workers[1].user, reverse("worker:conduct"))
    other.get_by_label("Why is this wrong?").fill("I wear a watch")
    other.get_by_role("button", name="Appeal").click()
    expect(other.get_by_text("Your appeal was sent.")).to_be_visible()
    requester = visit(owner, reverse("requester:conduct"))
    section = requester.locator("section").filter(has_text="I wear a watch")
    section.get_by_label("Your answer to the appeal").fill("Fair enough")
    section.get_by_role("button", name="Take it back").click()
    expect(requester.get_by_text("Taken back: the job is open to the worker.")).to_be_visible()
    other.goto(live_server.url + reverse("worker:jobs"))
    expect(other.get_by_role("link", name="Start")).to_be_visible()


@each_look
def test_the_pages_of_conduct_are_accessible_and_fit_the_screen(
    visit: Visit,
    live_server: Any,
    job: LabelingJob,
    owner: User,
    workers: list[Worker],
    look: dict[str, Any],
) -> None:
    """With findings, accuracies, and the rules."""
    mine = [reverse("requester:conduct"), reverse("requester:job-people", args=[job.pk])]
    for user, paths in (
        (owner, mine),
        (workers[0].user, [reverse("worker:conduct")]),
        (builders.an_operator(), [reverse("operator:flags")]),
    ):
        page = visit(user, paths[0], **look)
        check(page, [live_server.url + path for path in paths], fits=True)
