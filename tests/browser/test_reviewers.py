"""Trusted workers as reviewers in a real browser: named by the requester, deciding on pages that axe can read."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import LabelingJob
from labeling.services.queue import due
from labeling.services.results import reviewers
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, each_look
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job with a review: the first of two workers has answered both images, the second has done nothing."""
    team = builders.a_team(account=account, workers=workers)
    told = {"short": "<p>Whole bees only</p>", "full": ""}
    job = stories.a_job(account, team, workers_per_object=1, objects=2, review_days=3, instructions=told)
    stories.open_pictures(job)
    stories.work(workers[0], job)
    due.settle_due(job.queue)
    return job


def test_a_requester_names_a_worker_who_accepts_and_rejects(
    visit: Visit, live_server: Any, job: LabelingJob, owner: User, workers: list[Worker]
) -> None:
    """The worker is told, sees the answers beside the instructions, and the requester sees who decided."""
    author, trusted = workers
    page = visit(owner, reverse("requester:job-answers", args=[job.pk]))
    page.get_by_text("Reviewers").click()
    page.get_by_label("Worker's id").fill(trusted.public_id)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Add the reviewer").click()
    expect(page.get_by_text("reviews the answers from now on, and was told.")).to_be_visible()

    theirs = visit(trusted.user, reverse("person:notices"))
    expect(theirs.get_by_text("asks you to review the answers to")).to_be_visible()
    theirs.get_by_role("link", name="Review", exact=True).click()
    theirs.get_by_role("link", name=f"Review the answers to {job.title}").click()
    expect(theirs.locator(".gallery-item")).to_have_count(2)
    theirs.get_by_text("The instructions of this job").click()
    expect(theirs.get_by_text("Whole bees only")).to_be_visible()
    theirs.get_by_role("button", name=f"Accept the answer of {author.public_id}").first.click()
    expect(theirs.get_by_text("Accepted: the answer is paid.")).to_be_visible()
    theirs.locator(".gallery-item").get_by_role("textbox").fill("there is no bee")
    theirs.locator(".gallery-item").get_by_role("button", name="Reject").click()
    expect(theirs.get_by_text("Rejected: the money came back.")).to_be_visible()
    expect(theirs.get_by_text("No such answers")).to_be_visible()

    page.goto(live_server.url + reverse("requester:job-answers", args=[job.pk]) + "?state=all")
    expect(page.get_by_text(f"decided by reviewer {trusted.public_id}")).to_have_count(2)
    page.get_by_text("Reviewers (1)").click()
    page.get_by_role("button", name=f"Remove reviewer {trusted.public_id}").click()
    expect(page.get_by_text("Removed. What they decided stands.")).to_be_visible()
    theirs.goto(live_server.url + reverse("worker:reviews"))
    expect(theirs.get_by_text("Nothing to review")).to_be_visible()


@each_look
def test_the_pages_of_reviewers_are_accessible_and_fit_the_screen(
    visit: Visit,
    live_server: Any,
    job: LabelingJob,
    owner: User,
    workers: list[Worker],
    look: dict[str, Any],
) -> None:
    """The requester's tab with a reviewer, and the reviewer's two pages."""
    reviewers.add(queue=job.queue, worker=workers[1], by="user:1")
    for user, paths in (
        (owner, [reverse("requester:job-answers", args=[job.pk])]),
        (workers[1].user, [reverse("worker:reviews"), reverse("worker:review", args=[job.queue_id])]),
    ):
        page = visit(user, paths[0], **look)
        check(page, [live_server.url + path for path in paths], fits=True)
