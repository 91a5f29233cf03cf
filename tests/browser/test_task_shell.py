"""The task shell in a real browser: no box is lost by a reload, a crash, an expired session or a lost network."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import PHONE, boxes, draw, on_screen, steady
from tests.browser.elements_site import Site, settles, task_page, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

BOX = {"left": 100, "top": 110, "width": 90, "height": 70, "label": "bee"}
SECOND = {"left": 300, "top": 200, "width": 50, "height": 60, "label": "flower"}


def draw_here(page: Page, box: dict[str, Any]) -> None:
    """Draw a box in the shell's tool and set its label by hotkey."""
    draw(page, box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"])
    page.keyboard.press({"bee": "1", "flower": "2"}[box["label"]])


@pytest.fixture
def work(site: Site) -> Site:
    """The website with the worker's page of a job that has three tasks."""
    site.pages["/task"] = task_page()
    return site


def test_a_worker_does_three_tasks_in_a_row(work: Site, open_page: Open) -> None:
    """Each answer has the drawn boxes, the response to it has the next task, and the earnings add up."""
    page = open_page("/task")
    wait_until(lambda: "GET /picture/2.png" in work.requests)  # prefetched before the first answer is submitted
    settles(lambda: work.claimed, [100])
    for number in (1, 2):
        draw_here(page, BOX)
        page.get_by_role("button", name="Submit").click()
        wait_until(lambda number=number: len(work.claimed) == number + 1)
        expect(page.locator(".list li")).to_have_count(0)
        page.locator(".canvas canvas").first.wait_for()
    page.get_by_role("checkbox", name="Nothing to label here").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You have done every task of this job")).to_be_visible()
    expect(page.get_by_text("$0.108")).to_be_visible()

    size = {"width": 640, "height": 480}
    assert work.answers == {
        100: {"boundingBox": {"boundingBoxes": [BOX], "inputImageProperties": size}},
        200: {"boundingBox": {"boundingBoxes": [BOX], "inputImageProperties": size}},
        300: {"boundingBox": {"boundingBoxes": [], "inputImageProperties": size}},
    }
    assert len({sent["key"] for sent in work.submits}) == 3
    assert all(0 <= sent["seconds"] < 60 for sent in work.submits)


def test_the_message_about_earnings_does_not_move_the_image(work: Site, open_page: Open) -> None:
    """It appears and disappears while the worker may be drawing the next box."""
    page = open_page("/task")
    before = on_screen(page, 0, 0)
    draw_here(page, BOX)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Here is the next task")).to_be_visible()
    during = on_screen(page, 0, 0)
    expect(page.get_by_text("Here is the next task")).to_be_hidden()
    assert before == during == on_screen(page, 0, 0)


def test_a_reload_keeps_the_boxes_and_the_task(work: Site, open_page: Open) -> None:
    """After a reload the same task is shown with its boxes; after a submit nothing of it is kept."""
    page = open_page("/task")
    draw_here(page, BOX)
    draw_here(page, SECOND)
    page.reload()
    page.locator(".list li").nth(1).wait_for()
    settles(lambda: boxes(page), [BOX, SECOND])
    settles(lambda: work.claimed, [100])

    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: 100 in work.answers)
    assert work.answers[100]["boundingBox"]["boundingBoxes"] == [BOX, SECOND]
    wait_until(lambda: work.claimed == [100, 200])
    # The server has leased the second task; the page knows it only when the response has arrived.
    wait_until(lambda: page.evaluate("localStorage.getItem('waggle-journal:200') !== null"))
    page.reload()
    page.locator(".canvas canvas").first.wait_for()
    settles(lambda: boxes(page), [])
    settles(lambda: work.claimed, [100, 200])


def test_a_crash_of_the_tab_keeps_the_boxes(work: Site, open_page: Open) -> None:
    """Because the journal is written at each change, not when the page is left."""
    page = open_page("/task")
    draw_here(page, BOX)
    kept = "Object.entries(localStorage).some(([k, v]) => k.startsWith('waggle-journal') && v.includes('\"bee\"'))"
    wait_until(lambda: page.evaluate(kept))
    other = page.context.new_page()
    page.context.new_cdp_session(page).send("Page.navigate", {"url": "about:blank"})
    other.goto(work.address + "/task")
    other.locator(".list li").first.wait_for()
    settles(lambda: boxes(other), [BOX])


def test_two_tabs_get_different_tasks(work: Site, open_page: Open) -> None:
    """The second tab claims another task while the first tab keeps its own."""
    page = open_page("/task")
    draw_here(page, BOX)
    other = page.context.new_page()
    other.goto(work.address + "/task")
    other.locator(".canvas canvas").first.wait_for()
    settles(lambda: work.claimed, [100, 200])
    settles(lambda: boxes(other), [])


def test_a_claim_whose_response_was_lost_takes_one_seat(work: Site, open_page: Open) -> None:
    """The page asks again with the same key, and gets the same task."""
    work.pages["/before"] = "<!doctype html><title>Before</title><p>Nothing is claimed yet.</p>"
    page = open_page("/before", ready="p")
    page.route("**/claim", lambda route: (route.fetch(), route.abort()))
    page.goto(work.address + "/task")
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    page.unroute("**/claim")
    page.get_by_role("button", name="Try now").click()
    page.locator(".canvas canvas").first.wait_for()
    settles(lambda: work.claimed, [100])


def test_a_task_claimed_by_a_page_that_was_closed_is_taken_up(work: Site, open_page: Open) -> None:
    """The next page knows no key of that claim and has no journal of it: it asks what the worker holds."""
    work.claim("a page that is gone")
    page = open_page("/task")
    draw_here(page, BOX)
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: 100 in work.answers)
    wait_until(lambda: work.claimed == [100, 200])


def test_an_answer_survives_an_expired_session(work: Site, open_page: Open) -> None:
    """A submit that was refused without a session is repeated with the same key after signing in."""
    page = open_page("/task")
    draw_here(page, BOX)
    work.fail_with = [(401, {"type": "urn:waggle:problem:not-authenticated", "title": "Not authenticated"})] * 20
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("link", name="Sign in again")).to_have_attribute("href", "/sign-in")
    assert work.answers == {}

    work.fail_with = []
    page.goto(work.address + "/task")  # as after signing in
    wait_until(lambda: 100 in work.answers)
    assert work.answers[100]["boundingBox"]["boundingBoxes"] == [BOX]
    wait_until(lambda: work.claimed == [100, 200])


def test_an_answer_whose_response_was_lost_is_stored_once(work: Site, open_page: Open) -> None:
    """The server stored the answer but its response never arrived; the repeated request has the same key."""
    page = open_page("/task")
    draw_here(page, BOX)
    page.route("**/submit*", lambda route: (route.fetch(), route.abort()))
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Your answer is kept on this device")).to_be_visible()
    page.unroute("**/submit*")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".list li")).to_have_count(0)
    wait_until(lambda: len(work.submits) >= 2)
    assert len({sent["key"] for sent in work.submits}) == 1
    assert list(work.answers) == [100]


def test_an_answer_given_offline_is_sent_later(work: Site, open_page: Open) -> None:
    """Without a network the worker can draw and submit; the answer is sent when the network is back."""
    page = open_page("/task")
    page.context.set_offline(True)
    draw_here(page, BOX)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Your answer is kept on this device")).to_be_visible()
    page.context.set_offline(False)
    wait_until(lambda: 100 in work.answers)
    assert work.answers[100]["boundingBox"]["boundingBoxes"] == [BOX]


def test_an_answer_to_a_task_that_others_got_is_refused(work: Site, open_page: Open) -> None:
    """The server's message is shown, and the worker continues with the next task."""
    page = open_page("/task")
    draw_here(page, BOX)
    work.state[100] = "Expired"
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("the task went to others")).to_be_visible()
    page.get_by_role("button", name="Next task").click()
    wait_until(lambda: work.claimed == [100, 200])
    expect(page.locator(".list li")).to_have_count(0)


def test_an_answer_refused_as_invalid_can_be_corrected(work: Site, open_page: Open) -> None:
    """The message names the field; the boxes are kept and can be submitted again."""
    page = open_page("/task")
    draw_here(page, BOX)
    work.fail_with = [
        (400, {"detail": "Invalid input.", "errors": [{"field": "answer.boundingBoxes.0", "reason": "too odd"}]})
    ]
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("answer.boundingBoxes.0: too odd")).to_be_visible()
    draw_here(page, SECOND)
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: 100 in work.answers)
    assert work.answers[100]["boundingBox"]["boundingBoxes"] == [BOX, SECOND]


def test_tasks_can_be_returned_and_declined(work: Site, open_page: Open) -> None:
    """Declining takes a reason; after both the next task is shown."""
    page = open_page("/task")
    page.get_by_role("button", name="Return").click()
    wait_until(lambda: work.claimed == [100, 200])
    wait_until(lambda: page.evaluate("localStorage.getItem('waggle-journal:200') !== null"))
    page.locator(".canvas canvas").first.wait_for()
    page.get_by_role("button", name="Decline", exact=True).click()
    page.get_by_label("The instructions are unclear").check()
    page.get_by_role("button", name="Decline the task").click()
    wait_until(lambda: work.claimed == [100, 200, 300])
    wait_until(lambda: {100: "Returned", 200: "Declined"}.items() <= work.state.items())


def test_preview_shows_the_task_and_sends_nothing(site: Site, open_page: Open) -> None:
    """The requester sees what a worker sees; Submit is disabled and the reason is shown."""
    site.pages["/task"] = task_page(preview=True, assignment=site.assignment(1))
    page = open_page("/task")
    draw_here(page, BOX)
    settles(lambda: boxes(page), [BOX])
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    expect(page.get_by_text("this is what a worker sees")).to_be_visible()
    assert not [request for request in site.requests if request.startswith("POST")]


def test_a_preview_on_a_phone_always_opens_the_instructions(site: Site, open_page: Open) -> None:
    """Each time, because the requester may have changed them."""
    site.instructions = {"short": "<p>Whole bees only.</p>"}
    site.pages["/task"] = task_page(preview=True, assignment=site.assignment(1) | {"id": 0})
    page = open_page("/task", **PHONE)
    for _ in range(2):
        expect(page.locator("full-instructions p")).to_be_visible()
        page.reload()


def test_scripts_in_instructions_never_run(work: Site, open_page: Open, tolerated: list[str]) -> None:
    """Scripts, handlers, styles and forms are removed from the instructions; the text is kept."""
    # DOMPurify parses them in an inert document; the browser still reports there what our policy would block.
    tolerated += ["Executing inline event handler", "Applying inline style", "Executing inline script"]
    evil = (
        "<p>Box <b>bees</b></p><script>window.hacked=1</script><img src=/none.png onerror='window.hacked=2'>"
        "<style>*{display:none}</style><form action=//evil><input name=password></form>"
        "<a href='javascript:window.hacked=3'>x</a>"
        "<svg onload='window.hacked=4'></svg><iframe srcdoc='<script>parent.hacked=5</script>'></iframe>"
    )
    work.instructions = {
        "short": evil,
        "full": evil,
        "good_examples": [{"image_url": "/picture/2.png", "caption": evil}],
    }
    page = open_page("/task")
    page.get_by_role("button", name="Full instructions").click()
    expect(page.locator("full-instructions b")).to_have_text("bees")
    inside = "full-instructions waggle-safe-html :is(script, style, form, input, iframe, svg, [onerror])"
    expect(page.locator(inside)).to_have_count(0)
    assert page.locator("full-instructions waggle-safe-html a").get_attribute("href") is None
    expect(page.locator("figcaption")).to_have_text(evil)
    assert page.evaluate("window.hacked") is None


def test_the_remaining_time_is_shown_and_announced(work: Site, open_page: Open) -> None:
    """The end is announced to screen readers, and afterwards the answer can still be submitted."""
    work.seconds_left = 2.5
    page = open_page("/task")
    expect(page.get_by_role("timer")).to_have_text("0:00")
    expect(page.locator("waggle-task-shell #say").first).to_have_text("Time is up.")
    expect(page.get_by_text("it counts as long as nobody else was given this task")).to_be_visible()
    draw_here(page, BOX)
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: 100 in work.answers)


def test_the_page_fits_a_phone(work: Site, open_page: Open) -> None:
    """On a screen 390 px wide nothing is cut off, and the buttons are large enough to touch.

    There is no room for the instructions beside the image: they open by themselves, once for each job.
    """
    work.instructions = {"short": "<p>Whole bees only.</p>"}
    page = open_page("/task", **PHONE)
    expect(page.locator("full-instructions p")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.reload()
    steady(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Submit", "Decline", "Return", "Undo", "bee"):
        frame = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert frame and frame["x"] >= 0 and frame["x"] + frame["width"] <= 390, name
        assert frame["height"] >= 40, name
        assert frame["y"] + frame["height"] <= 844, name
