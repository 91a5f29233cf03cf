"""The image classifier in a real browser: by mouse, by keys alone, by touch; in a form, in the shell, in galleries."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import PHONE, answers
from tests.browser.elements_site import HEAD, Site, classifier_harness, settles, task_page, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

AXE = Path(__file__).parents[2] / "frontend" / "elements" / "node_modules" / "axe-core" / "axe.min.js"
NAME = "crowd-image-classifier"
PICTURE = ".canvas img"


@pytest.fixture
def form(site: Site) -> Site:
    """The site with a page that has the classifier in a form."""
    site.pages["/form"] = classifier_harness(categories="['dog', 'cat', 'bird']")
    return site


@pytest.fixture
def work(site: Site) -> Site:
    """The site with the worker's page of a classification job of three tasks."""
    site.task_type, site.title = "ImageMultiClass", "Which insect is it?"
    site.element = {"tag": NAME, "name": NAME}
    site.pages["/task"] = task_page()
    return site


def radio(page: Page, name: str) -> Any:
    """One label of the group."""
    return page.get_by_role("radio", name=name, exact=True)


def chosen(page: Page) -> list[str]:
    """The labels that are marked as chosen."""
    return page.get_by_role("radio", checked=True).locator(".name").all_inner_texts()


def at_the_labels(page: Page, first: str = "bee") -> None:
    """Wait until a fresh task's picture is shown and its first label has the focus: earlier keys are lost."""
    expect(page.locator(PICTURE)).to_be_visible()
    expect(radio(page, first)).to_be_focused()


def scale(page: Page) -> float:
    """How large the picture is shown, read from the picture itself."""
    found: float = page.locator(PICTURE).evaluate("image => image.getBoundingClientRect().width / image.naturalWidth")
    return found


def test_mouse_chooses_and_submits(form: Site, open_page: Open) -> None:
    """A click chooses, another click chooses anew, the answer is Ground Truth's."""
    page = open_page("/form", ready=PICTURE)
    radio(page, "cat").click()
    radio(page, "bird").click()
    settles(lambda: chosen(page), ["bird"])
    page.get_by_role("button", name="Submit").click()
    assert wait_until(lambda: answers(page)) == [{NAME: {"label": "bird"}}]

    page.get_by_role("button", name="Undo").click()
    settles(lambda: chosen(page), ["cat"])
    page.get_by_role("button", name="Undo").click()
    settles(lambda: chosen(page), [])
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("button", name="Redo").click()
    settles(lambda: chosen(page), ["cat"])


def test_keyboard_alone(form: Site, open_page: Open) -> None:
    """Tab reaches the group once; digits and arrows choose, Enter submits, Ctrl+Z takes back."""
    page = open_page("/form", ready=PICTURE)
    stops = []
    for _ in range(20):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(f"document.querySelector('{NAME}').shadowRoot.activeElement?.role"))
        if stops[-1] == "radio":
            break
    expect(radio(page, "dog")).to_be_focused()
    page.keyboard.press("ArrowDown")
    settles(lambda: chosen(page), ["cat"])
    expect(radio(page, "cat")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    settles(lambda: chosen(page), ["dog"])  # round and round
    page.keyboard.press("ArrowUp")
    settles(lambda: chosen(page), ["bird"])
    page.keyboard.press("2")
    settles(lambda: chosen(page), ["cat"])
    page.keyboard.press("Control+z")
    settles(lambda: chosen(page), ["bird"])
    page.keyboard.press("Control+Shift+z")
    settles(lambda: chosen(page), ["cat"])
    expect(radio(page, "cat")).to_be_focused()
    page.keyboard.press("Enter")
    assert wait_until(lambda: answers(page)) == [{NAME: {"label": "cat"}}]


def test_an_answer_without_a_choice_is_refused(form: Site, open_page: Open) -> None:
    """The worker is told what is missing, by Enter as by the button, and the message goes with the choice."""
    page = open_page("/form", ready=PICTURE)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_have_text("Choose the label that fits the picture.")
    expect(radio(page, "dog")).to_be_focused()
    page.keyboard.press("Enter")
    assert answers(page) == []
    page.keyboard.press("1")
    expect(page.locator("#refusal")).to_have_text("")


def test_touch_on_a_phone(form: Site, open_page: Open) -> None:
    """At 390 px every label is under the thumb, two fingers zoom the picture, and a tap chooses."""
    page = open_page("/form", ready=PICTURE, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("dog", "cat", "bird"):
        frame = radio(page, name).bounding_box()
        assert frame and frame["x"] >= 0 and frame["x"] + frame["width"] <= 390 and frame["height"] >= 44, name
    finger = page.context.new_cdp_session(page)
    area = page.locator(".canvas").bounding_box()
    assert area
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    before = scale(page)
    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in (40, 60, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    wait_until(lambda: scale(page) > before * 2)
    settles(lambda: chosen(page), [])

    radio(page, "cat").tap()
    page.get_by_role("button", name="Submit").tap()
    assert wait_until(lambda: answers(page)) == [{NAME: {"label": "cat"}}]


def test_the_picture_is_zoomed_and_moved(form: Site, open_page: Open) -> None:
    """By wheel, drag, double click, buttons and keys; F shows the whole picture again."""
    page = open_page("/form", ready=PICTURE)
    whole = scale(page)
    area = page.locator(".canvas").bounding_box()
    assert area
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    wait_until(lambda: scale(page) > whole * 1.5)
    before = page.locator(PICTURE).bounding_box()
    page.mouse.down()
    page.mouse.move(x - 40, y - 25)
    page.mouse.up()
    after = page.locator(PICTURE).bounding_box()
    assert before and after
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((-40, -25), abs=1)
    radio(page, "dog").focus()
    page.keyboard.press("Shift+ArrowLeft")
    wait_until(lambda: (moved := page.locator(PICTURE).bounding_box()) and moved["x"] > after["x"] + 30)
    settles(lambda: chosen(page), [])
    page.keyboard.press("f")
    settles(lambda: round(scale(page), 4), round(whole, 4))
    page.keyboard.press("+")
    wait_until(lambda: scale(page) > whole * 1.2)
    page.get_by_role("button", name="See the whole picture").click()
    settles(lambda: round(scale(page), 4), round(whole, 4))
    page.mouse.dblclick(x, y)
    wait_until(lambda: scale(page) > whole * 2)


def test_many_labels_are_found_by_typing(site: Site, open_page: Open) -> None:
    """Sixty labels: the search field narrows them, Enter chooses the first, and the keyboard goes on from there."""
    labels = json.dumps([f"kind {number}" for number in range(60)]).replace('"', "&quot;")
    site.pages["/form"] = classifier_harness(categories=labels)
    page = open_page("/form", ready=PICTURE)
    page.keyboard.press("Tab")
    radio(page, "kind 0").focus()
    page.keyboard.press("Shift+Digit3")
    settles(lambda: chosen(page), ["kind 28"])
    page.keyboard.press("/")
    page.keyboard.type("kind 57")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.keyboard.press("Enter")
    settles(lambda: chosen(page), ["kind 57"])
    expect(page.get_by_role("radio")).to_have_count(60)
    expect(radio(page, "kind 57")).to_be_focused()
    expect(radio(page, "kind 57")).to_be_in_viewport()


def test_hostile_labels_stay_text_and_wrong_ones_are_named(site: Site, open_page: Open) -> None:
    """Markup in a label is shown as it is written; an attribute that cannot be read says so."""
    evil = "<img src=x onerror=window.hacked=1>"
    written = json.dumps([evil, "b"]).replace('"', "&quot;").replace("<", "&lt;")
    site.pages["/form"] = classifier_harness(categories=written)
    site.pages["/bad"] = classifier_harness(categories="[dog")
    site.pages["/lost"] = classifier_harness(categories="['dog']", src="/picture/none.png")
    page = open_page("/form", ready=PICTURE)
    expect(page.get_by_role("radio").first).to_contain_text(evil)
    assert page.evaluate("window.hacked") is None
    page.goto(site.address + "/bad")
    page.get_by_text('The attribute "categories" cannot be read').wait_for()
    page.goto(site.address + "/lost")
    page.get_by_text("The picture cannot be loaded.").wait_for()
    page.get_by_role("button", name="Submit").click()
    assert answers(page) == []


def test_a_reload_goes_on_with_the_choice_and_its_history(work: Site, open_page: Open) -> None:
    """The shell's journal gives the choice back, also what can be undone; Enter hands in and brings the next task."""
    page = open_page("/task", ready=PICTURE)
    at_the_labels(page)
    page.keyboard.press("1")
    page.keyboard.press("3")
    settles(lambda: chosen(page), ["leaf"])
    wait_until(lambda: "leaf" in (page.evaluate("localStorage.getItem('waggle-journal:100')") or ""))
    page.reload()
    settles(lambda: chosen(page), ["leaf"])
    settles(lambda: work.claimed, [100])
    page.keyboard.press("Control+z")
    settles(lambda: chosen(page), ["bee"])
    page.keyboard.press("Enter")
    wait_until(lambda: work.claimed == [100, 200])
    assert work.answers == {100: {NAME: {"label": "bee"}}}
    settles(lambda: chosen(page), [])
    at_the_labels(page)
    page.keyboard.press("2")
    settles(lambda: chosen(page), ["flower"])
    page.keyboard.press("Enter")
    wait_until(lambda: work.claimed == [100, 200, 300])
    assert work.answers[200] == {NAME: {"label": "flower"}}


def test_the_shell_lists_the_classifiers_keys(work: Site, open_page: Open) -> None:
    """By the question mark from within the element, and after it is closed, from anywhere else on the page."""
    page = open_page("/task", ready=PICTURE)
    expect(radio(page, "bee")).to_be_focused()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("choose the label next to it")
    help_.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Return").focus()
    page.keyboard.press("?")
    expect(help_).to_be_visible()


def test_a_preview_submits_nothing(site: Site, work: Site, open_page: Open) -> None:
    """Enter does what the button does: nothing."""
    site.pages["/task"] = task_page(preview=True, assignment=site.assignment(1))
    page = open_page("/task", ready=PICTURE)
    expect(radio(page, "bee")).to_be_focused()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    settles(lambda: chosen(page), ["flower"])
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    assert not [request for request in site.requests if request.startswith("POST")]


def test_the_worker_page_fits_a_phone(work: Site, open_page: Open) -> None:
    """At 390 px with many labels the picture, the labels and the buttons are all there; only the labels scroll."""
    work.labels = [f"a kind of insect, number {number}" for number in range(30)]
    page = open_page("/task", ready=PICTURE, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture = page.locator(".canvas").bounding_box()
    assert picture and picture["height"] >= 240
    for name in ("Submit", "Decline", "Return", "Undo"):
        frame = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert frame and frame["x"] + frame["width"] <= 390 and frame["y"] + frame["height"] <= 844, name
    page.get_by_role("radio").last.scroll_into_view_if_needed()
    page.get_by_role("radio").last.tap()
    page.get_by_role("button", name="Submit").tap()
    wait_until(lambda: work.answers.get(100) == {NAME: {"label": "a kind of insect, number 29"}})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(work: Site, open_page: Open, tolerated: list[str], scheme: str) -> None:
    """The whole worker's page with a choice and a refusal, in both colour schemes."""
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    work.instructions = {"short": "<p>Whole insects only.</p>", "full": "<p>More.</p>"}
    page = open_page("/task", ready=PICTURE, color_scheme=scheme)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).not_to_be_empty()
    page.evaluate(AXE.read_text())
    for _ in range(2):
        rules = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']"
        found = page.evaluate(f"axe.run(document, {{runOnly: {rules}}})")["violations"]
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        radio(page, "flower").click()
        settles(lambda: chosen(page), ["flower"])


def test_a_form_of_the_portal_gets_the_decision(site: Site, open_page: Open) -> None:
    """An owner who decides an object starts from its label; the form is sent with the answer as JSON."""
    attributes = f"name='{NAME}' src='/picture/1.png' categories=\"['dog', 'cat']\" initial-value=\"{{label: 'dog'}}\""
    site.pages["/decide"] = (
        HEAD.replace("</head>", '<script type="module" src="/static/dist/portal.js"></script></head>')
        + '<body><main><form method="get" action="/decided" data-crowd-answer="answer">'
        + '<input type="hidden" name="answer">'
        + f"<crowd-form><{NAME} {attributes}></{NAME}></crowd-form></form></main></body></html>"
    )
    site.pages["/decided"] = HEAD + "<body><main>Decided</main></body></html>"
    page = open_page("/decide", ready=PICTURE)
    settles(lambda: chosen(page), ["dog"])
    radio(page, "cat").click()
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("Decided").wait_for()
    sent = parse_qs(urlsplit(page.url).query)["answer"][0]
    assert json.loads(sent) == {NAME: {"label": "cat"}}


def test_a_gallery_shows_classes_as_chips(site: Site, open_page: Open) -> None:
    """Each layer's class is a chip in its colour; workers start switched off beside a merged label."""
    layers = [
        {"name": "Merged", "kind": "merged", "choice": "dog", "confidence": 0.93},
        {"name": "Ana", "kind": "worker", "choice": "<b>cat</b>", "color": "#0072b2"},
        {"name": "Bo", "kind": "worker", "choice": None, "confidence": None},
    ]
    data = json.dumps({"layers": layers}).replace("<", "\\u003c")
    site.pages["/gallery"] = (
        HEAD.replace("worker.js", "portal.js")
        + '<body><main><waggle-boxes-view src="/picture/1.png" width="640" height="480" alt="one">'
        + f'<script type="application/json">{data}</script></waggle-boxes-view></main></body></html>'
    )
    page = open_page("/gallery", ready=".chip")
    expect(page.locator(".chip")).to_have_text(["dog 93 %"])
    expect(page.locator(".chip rect")).to_have_attribute("fill", "#ffb000")
    expect(page.get_by_role("img", name="Merged: dog, 93 % sure")).to_be_visible()
    page.get_by_role("button", name="Ana: <b>cat</b>").click()
    expect(page.locator(".chip b")).to_have_text(["dog", "<b>cat</b>"])
    page.get_by_role("button", name="Merged: dog").click()
    expect(page.locator(".chip b")).to_have_text(["<b>cat</b>"])
    page.get_by_role("button", name="Bo: –").click()
    expect(page.get_by_role("img", name="Ana: <b>cat</b>; Bo: no class")).to_be_visible()
