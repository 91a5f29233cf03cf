"""Reviews and appeals in a real browser: from the review tab to the worker's appeal and its answer, readable by axe."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import AnswerReview, Appeal, LabelingJob
from labeling.services.queue import due
from labeling.services.results import appeals, deciding
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import draw
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import check, each_look
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job with a review: the first image has an answer of each worker, the second is open."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(account, team, workers_per_object=2, objects=2, review_days=3)
    stories.open_pictures(job)
    for worker in workers:
        stories.work(worker, job, most=1)
    due.settle_due(job.queue)
    return job


def test_an_answer_goes_back_and_a_rejection_is_appealed(
    visit: Visit, live_server: Any, job: LabelingJob, owner: User, workers: list[Worker]
) -> None:
    """The requester accepts one answer and sends one back; the worker improves it, is rejected, appeals and is paid."""
    worker = workers[1]
    page = visit(owner, reverse("requester:job-answers", args=[job.pk]))
    expect(page.locator(".gallery-item")).to_have_count(2)
    page.get_by_role("button", name=f"Accept the answer of {workers[0].public_id}").click()
    expect(page.get_by_text("Accepted: the answer is paid.")).to_be_visible()
    item = page.locator(".gallery-item").filter(has_text=worker.public_id)
    item.get_by_role("textbox").fill("draw closer")
    item.get_by_role("checkbox").check()
    item.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("the same worker has the task again")).to_be_visible()

    tasks = visit(worker.user, reverse("worker:jobs"))
    expect(tasks.get_by_text("Paid after review, within 3 days")).to_be_visible()
    tasks.get_by_role("link", name="Continue").click()
    tasks.locator(".canvas canvas").first.wait_for()
    expect(tasks.get_by_text("draw closer")).to_be_visible()
    expect(tasks.get_by_text("after review, within 3 days")).to_be_visible()
    draw(tasks, 100, 100, 150, 140)
    tasks.get_by_role("button", name="Submit").click()
    wait_until(lambda: AnswerReview.objects.filter(worker=worker, state="Pending").exists())

    page.reload()
    item.get_by_role("textbox").fill("there is no bee")
    item.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected: the money came back.")).to_be_visible()

    tasks.goto(live_server.url + reverse("worker:history"))
    expect(tasks.get_by_text("Rejected because: there is no bee")).to_be_visible()
    tasks.get_by_role("textbox").fill("there is one, on the left")
    tasks.get_by_role("button", name="Appeal").click()
    expect(tasks.get_by_text("Your appeal was sent.")).to_be_visible()

    page.goto(live_server.url + reverse("requester:appeals"))
    expect(page.get_by_text("there is one, on the left")).to_be_visible()
    page.get_by_label("Your answer").fill("true, sorry")
    page.get_by_role("button", name="Uphold and pay").click()
    expect(page.get_by_text("The appeal was upheld.")).to_be_visible()

    tasks.goto(live_server.url + reverse("worker:earnings"))
    expect(tasks.locator("waggle-money").first).to_have_text("$0.036")
    assert Appeal.objects.get().state == "Upheld"


@each_look
def test_the_pages_of_reviews_are_accessible_and_fit_the_screen(
    visit: Visit,
    live_server: Any,
    job: LabelingJob,
    owner: User,
    workers: list[Worker],
    look: dict[str, Any],
) -> None:
    """With a pending, an accepted and a rejected answer, and an open appeal."""
    first, second = AnswerReview.objects.filter(queue=job.queue).select_related("queue", "worker").order_by("pk")
    deciding.reject_one(review=first, reason="the wing is outside of the box, see the instructions", by="user:1")
    appeals.file_appeal(review=first, worker=first.worker, text="The wing was folded in this picture.")
    mine = [
        reverse("requester:job-answers", args=[job.pk]) + "?state=all",
        reverse("requester:appeals"),
        reverse("requester:wallet"),
    ]
    page = visit(owner, mine[0], **look)
    check(page, [live_server.url + path for path in mine], fits=True)
    work = [reverse("worker:history"), reverse("worker:earnings"), reverse("worker:jobs")]
    for worker in (first.worker, second.worker):
        page = visit(worker.user, work[0], **look)
        check(page, [live_server.url + path for path in work], fits=True)
    operator = visit(builders.an_operator(), "/operator/appeals/", **look)
    check(operator, [f"{live_server.url}/operator/appeals/"], fits=True)
