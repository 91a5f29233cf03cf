"""The worker's page of the portal in a real browser: what is drawn is stored with exact pixels, and is paid."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from labeling.models import Answer, LabelingJob
from marketplace.models import Worker
from tests import builders
from tests.browser.drawing import PHONE, at_the_canvas, boxes, draw, on_screen
from tests.browser.elements_site import settles, wait_until
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]


@pytest.fixture
def worker() -> Worker:
    """A worker who can sign in."""
    return builders.a_worker()


@pytest.fixture
def job(worker: Worker) -> LabelingJob:
    """A job with four images, open to the worker."""
    account = builders.an_account()
    job = stories.a_job(account, builders.a_team(account=account, workers=[worker]), workers_per_object=1)
    return stories.open_pictures(job)


@pytest.fixture
def open_task(open_page: Open, live_server: Any, worker: Worker, job: LabelingJob) -> Callable[..., Page]:
    """A function that opens the job's task page for the worker."""
    client = Client()
    client.force_login(worker.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "localhost", "path": "/"}
    cookie |= {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}

    def open_(**options: Any) -> Page:
        address = f"{live_server.url}/work/{job.queue_id}/"
        return open_page(address, storage_state={"cookies": [cookie], "origins": []}, **options)

    return open_


def stored(job: LabelingJob) -> list[dict[str, Any]]:
    """The answers in the database, in the order in which they were submitted."""
    return [answer.content for answer in Answer.objects.filter(assignment__queue=job.queue).order_by("pk")]


def hand_in(page: Page, job: LabelingJob, *, by_key: bool = False) -> dict[str, Any]:
    """Submit, and return the answer that is then in the database."""
    before = len(stored(job))
    button = page.get_by_role("button", name="Submit")
    if by_key:
        button.press("Enter")
    else:
        button.click()
    wait_until(lambda: len(stored(job)) > before)
    expect(page.locator(".list li")).to_have_count(0)
    at_the_canvas(page)
    return stored(job)[-1]


def crowd_answer(*drawn: dict[str, Any]) -> dict[str, Any]:
    """Ground Truth's JSON for these boxes on an image of this job."""
    size = {"width": stories.SIZE[0], "height": stories.SIZE[1]}
    return {"boundingBox": {"boundingBoxes": list(drawn), "inputImageProperties": size}}


def test_answers_by_mouse_by_keyboard_and_without_boxes_are_stored_and_paid(
    open_task: Open, job: LabelingJob, worker: Worker
) -> None:
    """Three tasks of one worker: one by mouse, one by keyboard alone, one with nothing to label."""
    page = open_task()
    draw(page, 101, 53, 333, 207)
    draw(page, 400, 300, 640, 480)
    page.keyboard.press("2")
    first = {"left": 101, "top": 53, "width": 232, "height": 154, "label": "bee"}
    second = {"left": 400, "top": 300, "width": 240, "height": 180, "label": "wasp"}
    assert hand_in(page, job) == crowd_answer(first, second)

    for key in ("b", "b", *["Shift+ArrowRight"] * 3, *["ArrowDown"] * 7, "b"):
        page.keyboard.press(key)
    assert hand_in(page, job, by_key=True) == crowd_answer(
        {
            "left": 320,
            "top": 240,
            "width": 30,
            "height": 7,
            "label": "bee",
        }  # each task starts with the first label selected
    )

    page.get_by_role("checkbox", name="Nothing to label here").check()
    assert hand_in(page, job) == crowd_answer()
    expect(page.get_by_text("$0.108")).to_be_visible()


def test_a_box_drawn_by_touch_is_stored_exactly(open_task: Open, job: LabelingJob) -> None:
    """On a phone 390 px wide."""
    page = open_task(**PHONE)
    finger = page.context.new_cdp_session(page)
    for kind, point in (("touchStart", (120, 90)), ("touchMove", (200, 200)), ("touchMove", (411, 333))):
        x, y = on_screen(page, *point)
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settles(lambda: len(boxes(page)), 1)
    assert hand_in(page, job) == crowd_answer({"left": 120, "top": 90, "width": 291, "height": 243, "label": "bee"})


def test_an_answer_survives_the_end_of_the_session(
    open_task: Open, job: LabelingJob, worker: Worker, live_server: Any
) -> None:
    """The session ends while the worker draws; after signing in again the answer is stored once."""
    page = open_task()
    draw(page, 10, 20, 110, 220)
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Email").fill(worker.user.email)
    page.get_by_label("Password").fill(builders.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    wait_until(lambda: stored(job))
    settles(lambda: stored(job), [crowd_answer({"left": 10, "top": 20, "width": 100, "height": 200, "label": "bee"})])
    settles(lambda: page.url, f"{live_server.url}/work/{job.queue_id}/")


def test_returned_and_declined_tasks_reach_the_server(open_task: Open, job: LabelingJob, worker: Worker) -> None:
    """Both give up the seat, a declined one with its reason, and the next task is shown."""
    page = open_task()
    page.get_by_role("button", name="Return").click()
    seats = job.queue.assignments.order_by("pk")
    wait_until(lambda: list(seats.values_list("state", flat=True)) == ["Returned", "Leased"])
    page.locator(".canvas canvas").first.wait_for()
    page.get_by_role("button", name="Decline", exact=True).click()
    page.get_by_label("The instructions are unclear").check()
    page.get_by_role("button", name="Decline the task").click()
    wait_until(lambda: list(seats.values_list("state", flat=True)) == ["Returned", "Declined", "Leased"])


def test_a_reload_keeps_the_task_and_its_boxes(open_task: Open, job: LabelingJob) -> None:
    """The worker still has the same seat and no second one."""
    page = open_task()
    draw(page, 10, 20, 110, 220)
    page.reload()
    page.locator(".list li").first.wait_for()
    settles(lambda: boxes(page), [{"left": 10, "top": 20, "width": 100, "height": 200, "label": "bee"}])
    settles(lambda: job.queue.assignments.count(), 1)
