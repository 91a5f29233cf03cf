"""A panel's study in a real browser: two participants come by link, work and leave with the code; the job is done."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import DataObject, LabelingJob, PanelSession
from labeling.services.jobs import advancing
from labeling.services.queue import due
from marketplace.models import Account, Panel, User
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import AXE, FOUND, LOOKS, RULES
from tests.labeling import panel_stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def panel(account: Account, live_server: Any, settings: Any) -> Panel:
    """A panel whose sessions have two tasks."""
    settings.PUBLIC_URL = live_server.url
    return panel_stories.a_panel(account, name="prolific-bees")


@pytest.fixture
def job(panel: Panel) -> LabelingJob:
    """Two pictures that two people each classify."""
    return panel_stories.a_job_of(panel, objects=2, pictures=True, task_type="ImageMultiClass")


def link(panel: Panel, job: LabelingJob, who: str) -> str:
    """The link as Prolific has filled it in."""
    query = f"PROLIFIC_PID={who}&STUDY_ID=S1&SESSION_ID=visit-{who}"
    return f"{reverse('study:join', args=[panel.link, job.queue_id])}?{query}"


def accessible(page: Page) -> None:
    """No serious violation of WCAG, and nothing is wider than the window."""
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def begin(page: Page) -> None:
    """Agree, and open the first task."""
    expect(page.get_by_text("You will draw boxes. You may stop at any time.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="I agree, begin").click()
    expect(page.locator("#progress")).to_have_text("0 of 2")
    accessible(page)
    page.get_by_role("link", name="Begin").click()
    expect(page.get_by_text("1 of 2")).to_be_visible()


def classify(page: Page) -> None:
    """Answer the task that is shown with the first class."""
    page.locator(".canvas img").wait_for()
    page.get_by_role("radio", name="bee").check()
    page.get_by_role("button", name="Submit").click()


def test_participants_come_work_and_leave_with_the_code(
    visit: Visit, live_server: Any, panel: Panel, job: LabelingJob, owner: User
) -> None:
    """Ana comes back to her link in the middle, Ben works on a phone; afterwards the requester sees both."""
    for who, look in zip(("ana", "ben"), LOOKS, strict=True):
        page = visit(None, link(panel, job, who), **look)
        begin(page)
        classify(page)
        expect(page.get_by_text("2 of 2")).to_be_visible()
        page.goto(live_server.url + link(panel, job, who))
        expect(page.locator("#progress")).to_have_text("1 of 2")
        page.get_by_role("link", name="Go on").click()
        classify(page)
        expect(page.get_by_role("heading", name="Thank you, you are done")).to_be_visible()
        expect(page.locator("#code")).to_have_text("DONE1")
        back = page.get_by_role("link", name="Back to Prolific")
        expect(back).to_have_attribute("href", "https://app.prolific.com/submissions/complete?cc=DONE1")
        accessible(page)
        page.goto(live_server.url + link(panel, job, who))
        expect(page.get_by_text("You have done this study before")).to_be_visible()
        expect(page.locator("#code")).to_have_text("OUT1")
        accessible(page)
    due.settle_due(job.queue)
    advancing.advance_or_give_up(job.pk)
    job.refresh_from_db()
    labels = DataObject.objects.filter(job=job, label__source="human").values_list("label__value", flat=True)
    assert job.status == "Completed" and [value["choice"] for value in labels] == ["bee", "bee"]
    assert set(PanelSession.objects.values_list("status", flat=True)) == {"Completed"}
    decides(visit, panel, owner)


def decides(visit: Visit, panel: Panel, owner: User) -> None:
    """The requester reads what it has cost, rejects a session, and takes the list to approve."""
    for look in LOOKS:
        accessible(visit(owner, reverse("requester:panel", args=[panel.pk]), **look))
        accessible(visit(owner, reverse("requester:panel-edit", args=[panel.pk]), **look))
    page = visit(owner, reverse("requester:panels"))
    accessible(page)
    page.get_by_role("link", name=panel.name).click()
    expect(page.locator("[data-link]")).to_contain_text("?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}")
    expect(page.get_by_text("$3.9999")).to_be_visible()
    page.locator("summary", has_text="Reject").first.click()
    page.get_by_label("Reason").first.fill("clicked without looking")
    page.get_by_role("button", name="Reject", exact=True).first.click()
    expect(page.get_by_text("clicked without looking")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Participants to approve").click()
    assert saved.value.path().read_text() == "ana\n"
