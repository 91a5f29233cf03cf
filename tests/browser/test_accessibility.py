"""axe-core finds no serious violation of WCAG A or AA on the portal's pages, with and without data, light and dark.

With data, each also fits the screen, has one main heading and its entry in the navigation, and logs no error.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import DataObject, LabelingJob
from labeling.services.output import exports
from labeling.services.queue import due
from learning.models import AuditedObject, LearningLoop, LoopAudit, Model, Round, TrainingJob
from marketplace.models import Account, User, Worker
from tests import builders
from tests.browser import people_stories
from tests.browser.chromium import ELEMENTS
from tests.browser.conftest import Visit
from tests.browser.drawing import frames
from tests.labeling import label_files, stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = Path(ELEMENTS) / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FOUND = """rules => axe.run(document, {runOnly: rules}).then(r => r.violations
    .filter(v => ["serious", "critical"].includes(v.impact))
    .map(v => [v.id, v.help, v.nodes.map(n => [n.target.flat().join(" "), n.failureSummary])]))"""
LABELED = [{"bbox": [10, 10, 20, 20]}, {"bbox": [90, 10, 30, 20]}, {"bbox": [1, 1, 0, 0]}]
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", "reduced_motion": "reduce"},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "reduced_motion": "reduce"},
]
each_look = pytest.mark.parametrize(
    "look", [pytest.param(LOOKS[0], id="light", marks=pytest.mark.slow), pytest.param(LOOKS[1], id="dark-phone")]
)
"""A test for each of the looks; `make test` runs it for the phone, where the least fits."""


AUDITED = {
    "labels": 3, "asked": 1, "note": "", "answered": 1, "wrong": 1, "error": 1.0, "error_low": 0.1, "error_high": 1.0,
    "quality": 0.2, "quality_low": 0.0, "quality_high": 0.5, "confidence": 0.9, "promised_error": None,
    "promised_quality": 0.6, "broken": True, "withdrawn": 2, "withdrawn_rounds": [1],
}  # fmt: skip


def _half_done(account: Account) -> TrainingJob:
    return TrainingJob.objects.create(account=account, name="bees-2", progress=0.5)


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job with two labeled images, one open task, a learning loop with a model, and an export."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(account, team, workers_per_object=2, objects=3, automated_labeling={"enabled": True})
    stories.open_pictures(job)
    for worker in workers:
        stories.work(worker, job, most=2)
    due.settle_due(job.queue)
    model = Model.objects.create(
        account=account,
        name="bees-1",
        architecture="compact",
        labels=job.labels,
        metrics={"mAP_50": 0.6},
        artifact_uri="file:///nowhere/model.tar.gz",
        parts_uri="file:///nowhere",
    )
    loop = LearningLoop.objects.create(job=job, settings={"target_iou": 0.6, "confidence": 0.9}, final_model=model)
    trained = TrainingJob.objects.create(account=account, name="bees-1", status="Completed", model=model, progress=1)
    figures = {"human_labels": 2, "mAP_50": 0.6, "auto_labeled": 1, "counters": {"HumanLabeled": 2}, "human_boxes": 2}
    figures |= {"validation_images": 9, "quality_all": 0.4}
    curve = [{"threshold": 0.5, "quality": 0.4, "coverage": 0.5}, {"threshold": 0.1, "quality": 0.3, "coverage": 1.0}]
    Round.objects.create(loop=loop, number=1, status="Finished", training_job=trained, curve=curve, figures=figures)
    Round.objects.create(loop=loop, number=2, status="Training", training_job=_half_done(account))
    LoopAudit.objects.create(loop=loop, number=1, status="Broken", last_round=1, figures=AUDITED)
    audited = DataObject.objects.filter(job=job, label__isnull=False)[0]
    AuditedObject.objects.create(
        audit=loop.audits.get(), data_object=audited, label=audited.label, round_number=1, loss=1.0
    )
    exports.run_export(exports.create_export(job=job, kind="coco", by="user:1").pk)
    return job


def check(page: Page, addresses: list[str], *, fits: bool = False) -> None:
    """Run axe on each page, and `check_frame` where it `fits`; a failure names the rule and the element."""
    for address in addresses:
        page.goto(address)
        expect(page.locator("main, waggle-task-shell").first).to_be_visible()
        page.evaluate(AXE.read_text())
        found = page.evaluate(FOUND, RULES)
        assert found == [], f"{address}\n{json.dumps(found, indent=1)}"
        if fits:
            check_frame(page)


def check_frame(page: Page) -> None:
    """The width of the page, its main heading and its entry in the navigation."""
    # collapsed sections have to fit too
    page.evaluate("document.querySelectorAll('wa-details, details').forEach((one) => (one.open = true))")
    frames(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    path = urlsplit(page.url).path
    # The page of a task is all canvas.
    if page.locator("waggle-task-shell").count() == 0:
        assert page.evaluate("document.querySelectorAll('main h1').length") == 1, path
    if path.count("/") == 2 and path not in ("/sign-in/", "/account/"):
        expect(page.locator(".app-nav [aria-current=page]")).to_have_count(1)


@each_look
def test_pages_of_a_job_are_accessible(
    visit: Visit, live_server: Any, job: LabelingJob, owner: User, workers: list[Worker], look: dict[str, Any]
) -> None:
    """The pages of requesters, workers and operators, with data."""
    names = ("overview", "jobs", "datasets", "dataset-new", "models", "wallet", "teams", "settings", "job-new",
             "dataset-imports", "dataset-import-new")  # fmt: skip
    imported = label_files.of_zip(job.account, {"i.json": label_files.coco(*LABELED), "a.jpg": label_files.picture()})
    tabs = ("job", "job-gallery", "job-loop", "job-people", "job-downloads", "job-preview")
    row = DataObject.objects.filter(job=job, label__isnull=False)[0]
    dataset = builders.a_dataset(account=job.account)
    paths = [reverse(f"requester:{name}") for name in names]
    paths += [reverse(f"requester:{tab}", args=[job.pk]) for tab in tabs]
    paths += [
        reverse("requester:object", args=[job.pk, row.pk]),
        reverse("requester:job-gallery", args=[job.pk]) + "?which=audited",
        reverse("requester:dataset", args=[dataset.pk]),
        reverse("requester:dataset-import", args=[imported.pk]),
        reverse("requester:model", args=[Model.objects.get().pk]),
        reverse("requester:team", args=[job.workteam_id]),
        reverse("requester:job-new") + f"?dataset={dataset.pk}",
    ]
    check(visit(owner, paths[0], **look), [live_server.url + path for path in paths], fits=True)
    work = [reverse("worker:jobs"), reverse("worker:earnings"), reverse("worker:task", args=[job.queue_id])]
    check(visit(workers[0].user, work[0], **look), [live_server.url + path for path in work], fits=True)
    operators = [f"{live_server.url}{path}" for path in ("/operator/", "/operator/payouts/")]
    check(visit(builders.an_operator(), "/operator/", **look), operators, fits=True)
    check(visit(None, "/sign-in/", **look), [f"{live_server.url}/sign-in/"], fits=True)


@each_look
def test_pages_of_people_are_accessible(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker], look: dict[str, Any]
) -> None:
    """Members, teams, suspensions, one's own page, the operator's pages and those of links, with data."""
    seen = people_stories.everything(account, owner, workers)
    for user, paths in seen.items():
        check(visit(user, paths[0], **look), [live_server.url + path for path in paths], fits=True)


def test_errors_of_password_forms_are_accessible(visit: Visit, live_server: Any, owner: User) -> None:
    """The errors stand beside their fields."""
    page = visit(owner, reverse("person:password-change"), **LOOKS[1])
    page.get_by_label("Old password").fill("wrong")
    page.get_by_label("New password", exact=True).fill("1")
    page.get_by_label("New password, again").fill("1")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_label("Old password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("New password, again")).to_have_accessible_description(re.compile("too short"))
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == []


def test_the_wizard_and_its_errors_are_accessible(
    visit: Visit, live_server: Any, account: Account, owner: User
) -> None:
    """Every step, with and without errors beside the fields."""
    dataset = builders.a_dataset(account=account)
    builders.a_team(account=account, workers=1)
    page = visit(owner, reverse("requester:job-new") + f"?dataset={dataset.pk}", **LOOKS[0])
    given: list[dict[str, str]] = [
        {"Name": "bees"},
        {"Labels": "bee", "Title": "Bees", "Description": "Box them"},
        {},
        {},
    ]
    for fields in given:
        for label, text in fields.items():
            page.get_by_label(label, exact=True).fill(text)
        page.evaluate(AXE.read_text())
        found = page.evaluate(FOUND, RULES)
        assert found == [], f"{page.url}\n{json.dumps(found, indent=1)}"
        before = page.url
        page.get_by_role("button", name="Continue").click()
        expect(page).not_to_have_url(before)
    check(page, [page.url])
    page.goto(live_server.url + reverse("requester:job-new"))
    page.get_by_label("Name").fill("no name!")
    page.get_by_role("button", name="Continue").click()
    field = page.get_by_label("Name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("at most 63.*Letters, digits and hyphens", re.S))
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == []


def test_pages_without_data_are_accessible(visit: Visit, live_server: Any, owner: User) -> None:
    """The pages of a new account."""
    names = ("overview", "jobs", "datasets", "models", "wallet", "teams", "settings", "job-new", "dataset-imports")
    check(visit(owner, "/", **LOOKS[1]), [live_server.url + reverse(f"requester:{name}") for name in names])
    tasks = reverse("worker:jobs")
    check(visit(builders.a_worker().user, tasks, **LOOKS[1]), [live_server.url + tasks])
