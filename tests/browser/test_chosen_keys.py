"""The keys that a worker has chosen, in a real browser: they go with the worker, and into the sandbox of a template."""

import pytest
from playwright.sync_api import Page, expect

from marketplace.models import Worker
from marketplace.services import chosen_keys
from tests import builders
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import AXE, FOUND, RULES
from tests.browser.test_templates import FRAME, a_job, open_task
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PHONE_SIZE = {"width": 390, "height": 844}
BOXES = """<crowd-form><crowd-bounding-box name="drawn" src="{{ task.input.taskObject | grant_read_access }}"
  header="Box them" labels="{{ task.input.labels | to_json | escape }}"></crowd-bounding-box></crowd-form>"""
SEIZE = """window.addEventListener("message", ({ data }) => {
  if (data.waggle !== "disabled") return;
  const keys = { "crowd-bounding-box": { next: "y" } };
  const answer = { waggle: "key-answer", id: 1, refused: "" };
  for (const said of [{ waggle: "keys", keys }, answer]) parent.postMessage(said, "*");
});"""


@pytest.fixture
def workers() -> list[Worker]:
    """Two workers at the same jobs."""
    return stories.a_crowd(2)


def change(page: Page, key: str, to: str) -> None:
    """Choose another key in the open list of keys."""
    page.get_by_role("button", name=f"Change the key {key}", exact=True).click()
    page.keyboard.press(to)


def test_keys_that_a_worker_has_chosen_go_with_them_into_every_page(
    open_page, live_server, workers, tolerated, tmp_path
):
    """Chosen in the list of keys of the page around a template, kept on the server; in the browser while that fails."""
    tolerated += ["500", "Failed to load resource"]
    job = a_job(workers, f"{BOXES}<script>{SEIZE}</script>")
    page = open_task(open_page, live_server, workers[0], job)
    frame = page.frame_locator(FRAME)
    frame.locator(".canvas canvas").first.wait_for()
    frame.locator(".canvas").first.click(position={"x": 5, "y": 5})
    page.keyboard.press("?")
    said = page.locator(".keys-said")
    expect(said).to_contain_text("kept with your account")
    assert chosen_keys.of(workers[0]) == {}, "a page chooses no keys by itself"
    change(page, "N", "d")
    expect(said).to_have_text("D is the key for “duplicate” already.")
    page.keyboard.press("q")
    expect(said).to_have_text("Q: next box.")
    expect(page.get_by_role("button", name="Change the key Q", exact=True)).to_be_visible()
    assert wait_until(lambda: chosen_keys.of(workers[0]) == {"crowd-bounding-box": {"next": "q"}})
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == []

    page.route("**/api/v1/chosen-keys/*", lambda route: route.fulfill(status=500, body="{}"))
    change(page, "P", "w")
    expect(page.locator(".keys-problem")).to_contain_text("kept on this device only for now")
    assert chosen_keys.of(workers[0]) == {"crowd-bounding-box": {"next": "q"}}
    page.screenshot(path=tmp_path / "keys-wide.png")
    page.unroute("**/api/v1/chosen-keys/*")
    page.reload()
    assert wait_until(lambda: chosen_keys.of(workers[0]) == {"crowd-bounding-box": {"next": "q", "previous": "w"}})

    # At another machine, on a phone's screen, and in a job without a template.
    account = builders.an_account()
    plain = stories.a_job(account, builders.a_team(account=account, workers=workers), objects=1)
    stories.open_pictures(plain)
    there = open_task(open_page, live_server, workers[0], plain, ready=".canvas canvas", viewport=PHONE_SIZE)
    there.locator(".canvas").click(position={"x": 5, "y": 5})
    there.keyboard.press("?")
    for key in ("Q", "W"):
        expect(there.get_by_role("button", name=f"Change the key {key}", exact=True)).to_be_visible()
    assert there.evaluate("document.documentElement.scrollWidth") <= 390
    there.screenshot(path=tmp_path / "keys-narrow.png")
    there.get_by_role("button", name="Use the usual keys").click()
    assert wait_until(lambda: chosen_keys.of(workers[0]) == {"crowd-bounding-box": {}})
    assert chosen_keys.of(workers[1]) == {}
