"""The task page in German, wide and on a phone: the elements, the shell and amounts speak the reader's language."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import builders
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_task_page_speaks_german_and_fits(visit: Callable[..., Page], width: int) -> None:
    worker = builders.a_worker()
    account = builders.an_account()
    job = stories.a_job(account, builders.a_team(account=account, workers=[worker]), workers_per_object=1)
    stories.open_pictures(job)
    page = visit(worker.user, f"/work/{job.queue_id}/", locale="de-DE", viewport={"width": width, "height": 844})
    page.locator(".canvas canvas").first.wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Absenden")).to_be_visible()
    expect(page.get_by_role("button", name="Zurückgeben")).to_be_visible()
    expect(page.get_by_text("0,036\u00a0$")).to_be_visible()
    assert page.evaluate(OVERFLOW) <= 0
    page.get_by_role("button", name="Ablehnen").click()
    expect(page.get_by_role("heading", name="Diese Aufgabe ablehnen?")).to_be_visible()
    # The requester reads the reason in English.
    assert page.locator("input[name=reason]").first.get_attribute("value") == ("The picture does not show or is broken")
