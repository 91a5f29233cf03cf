"""Golds in a real browser: made and kept by the requester, told to the worker afterwards, readable by axe."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import DataObject, Gold, LabelingJob
from labeling.services.golds import scoring
from labeling.services.jobs import advancing, creation
from labeling.services.jobs.batches import open_batch
from labeling.services.results import adjudication
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, each_look
from tests.labeling import stories
from tests.labeling.golds import WRONG

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A running job of five pictures, of which a member has decided the first."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(account, team, workers_per_object=2, objects=5, golds={"rate": 50})
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    for row, uri in zip(rows, builders.tiny_images(len(rows), account=account, size=stories.SIZE), strict=True):
        row.source_ref = uri
    DataObject.objects.bulk_update(rows, ["source_ref"])
    adjudication.adjudicate(data_object=rows[0], content=stories.ONE_BEE, by="user:1")
    return job


@each_look
def test_a_gold_from_its_making_to_the_history_of_a_worker(
    visit: Visit,
    live_server: Any,
    job: LabelingJob,
    owner: User,
    workers: list[Worker],
    look: dict[str, Any],
    tmp_path: Path,
) -> None:
    """A member makes a gold, keeps it although it is suspected, and the worker who missed it sees both answers."""
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    shown = reverse("requester:object", args=[job.pk, rows[0].pk])
    page = visit(owner, shown, **look)
    page.get_by_role("button", name="Use it as a gold").click()
    expect(page.get_by_text("This object is a gold now")).to_be_visible()

    open_batch(job=job, object_ids=[row.pk for row in rows[1:]], by="system")
    stories.work(workers[0], job)
    stories.work(workers[1], job, WRONG)
    assert scoring.score_new(job) == 2
    Gold.objects.update(state="Suspect", reason="2 of 6 answers of reliable workers agree with it")
    people = reverse("requester:job-people", args=[job.pk])
    check(page, [live_server.url + path for path in (people, shown)], fits=True)
    page.goto(live_server.url + people)
    expect(page.get_by_text("1 gold may be wrong")).to_be_visible()
    page.get_by_role("button", name="It is right: gold 0").click()
    expect(page.get_by_text("Kept: the gold is given out again.")).to_be_visible()
    page.get_by_label("Percent of the tasks").fill("30")
    page.locator("#golds").get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds from the next task on.")).to_be_visible()

    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    history = reverse("worker:history")
    page = visit(workers[1].user, history, **look)
    check(page, [live_server.url + history], fits=True)
    page.goto(live_server.url + history)
    page.get_by_text("Yours did not pass").wait_for()
    page.get_by_role("link", name="and the true one").click()
    expect(page.get_by_text("too little to pass")).to_be_visible()
    page.locator(".canvas canvas, waggle-boxes-view").first.wait_for()
    page.screenshot(path=tmp_path / "both.png", full_page=True)
    check(page, [page.url])
