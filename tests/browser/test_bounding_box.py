"""The box tool in a real browser: boxes drawn by mouse, keyboard or touch are in the answer with exact pixels."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import (
    PHONE,
    TOOL,
    answers,
    boxes,
    drag,
    draw,
    find_target,
    frames,
    on_screen,
    steady,
    submit,
)
from tests.browser.elements_site import HEIGHT, WIDTH, Site, harness, settles, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

# the black rectangle that /target.svg shows on white, in pixels
TARGET = {"left": 203, "top": 117, "width": 241, "height": 158}
AXE = Path(__file__).parents[2] / "frontend" / "elements" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def target(site: Site) -> Site:
    """The website with a test page that shows the target."""
    site.pages["/box"] = harness(labels="['bee', 'flower', 'leaf']", src="/target.svg")
    side = TARGET
    site.pages["/target.svg"] = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="100%" height="100%" fill="#fff"/><rect x="{side["left"]}" y="{side["top"]}" '
        f'width="{side["width"]}" height="{side["height"]}" fill="#000"/></svg>'
    )
    return site


@pytest.fixture
def plain(site: Site) -> Site:
    """The website with a test page that shows an image of bees."""
    site.pages["/box"] = harness(labels="['bee', 'flower', 'leaf']")
    return site


def test_a_box_drawn_by_mouse_is_exact(target: Site, open_page: Open) -> None:
    """Dragging from corner to corner of the visible target gives the box of the target."""
    page = open_page("/box")
    drag(page, *find_target(page))

    assert submit(page) == {
        "boundingBoxes": [TARGET | {"label": "bee"}],
        "inputImageProperties": {"width": WIDTH, "height": HEIGHT},
    }


def test_a_box_drawn_when_zoomed_in_is_the_same(target: Site, open_page: Open) -> None:
    """The wheel and the middle button change the view, not the pixels of the answer."""
    page = open_page("/box")
    scale = f"{TOOL}.bench.view.scale"
    before = page.evaluate(scale)
    page.mouse.move(*on_screen(page, 320, 200))
    page.mouse.wheel(0, -200)
    wait_until(lambda: page.evaluate(scale) > before * 1.2)
    corner = on_screen(page, 0, 0)
    page.mouse.down(button="middle")
    page.mouse.move(on_screen(page, 320, 200)[0] + 30, on_screen(page, 320, 200)[1] + 20)
    page.mouse.up(button="middle")
    wait_until(lambda: on_screen(page, 0, 0) != corner)
    page.mouse.move(5, 5)  # removes the guide lines from the image
    frames(page)
    drag(page, *find_target(page))

    settles(lambda: boxes(page), [TARGET | {"label": "bee"}])


def test_a_box_is_moved_resized_and_restored_by_undo(plain: Site, open_page: Open) -> None:
    """The selected box is moved by its inside and resized by its handles; undo goes back step by step."""
    page = open_page("/box")
    draw(page, 100, 100, 200, 160)
    drag(page, on_screen(page, 150, 130), on_screen(page, 190, 150))
    settles(lambda: boxes(page), [{"left": 140, "top": 120, "width": 100, "height": 60, "label": "bee"}])
    drag(page, on_screen(page, 240, 180), on_screen(page, 300, 260))
    drag(page, on_screen(page, 140, 190), on_screen(page, 90, 190))
    settles(lambda: boxes(page), [{"left": 90, "top": 120, "width": 210, "height": 140, "label": "bee"}])

    for _ in range(3):
        page.keyboard.press("Control+z")
    settles(lambda: boxes(page), [{"left": 100, "top": 100, "width": 100, "height": 60, "label": "bee"}])
    page.keyboard.press("Control+z")
    settles(lambda: boxes(page), [])
    for _ in range(4):
        page.keyboard.press("Control+Shift+z")
    settles(lambda: boxes(page), [{"left": 90, "top": 120, "width": 210, "height": 140, "label": "bee"}])


def test_a_box_ends_at_the_edge_of_the_image(plain: Site, open_page: Open) -> None:
    """Also when the mouse is dragged far outside."""
    page = open_page("/box")
    drag(page, on_screen(page, 600, 440), (on_screen(page, 640, 480)[0] + 15, on_screen(page, 640, 480)[1] + 12))
    settles(lambda: boxes(page), [{"left": 600, "top": 440, "width": 40, "height": 40, "label": "bee"}])


def test_boxes_are_selected_relabeled_copied_and_deleted(plain: Site, open_page: Open) -> None:
    """By a click, hotkeys, D and Delete; the list of boxes is kept up to date."""
    page = open_page("/box")
    draw(page, 50, 50, 350, 350)
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    draw(page, 360, 100, 420, 160)
    page.mouse.click(*on_screen(page, 200, 200))
    page.keyboard.press("3")
    settles(lambda: [box["label"] for box in boxes(page)], ["leaf", "flower"])

    page.keyboard.press("n")
    page.keyboard.press("d")
    settles(lambda: [(box["left"], box["top"]) for box in boxes(page)], [(50, 50), (360, 100), (375, 115)])
    page.keyboard.press("Delete")
    page.keyboard.press("p")
    page.keyboard.press("Backspace")
    settles(lambda: [box["label"] for box in boxes(page)], ["leaf"])
    settles(lambda: page.locator(".list li").count(), 1)
    page.get_by_role("button", name="Delete box 1, leaf").click()
    settles(lambda: boxes(page), [])


def test_a_click_selects_the_smallest_box_first(plain: Site, open_page: Open) -> None:
    """Of nested boxes the first click selects the smallest, the next click the larger one."""
    page = open_page("/box")
    draw(page, 300, 200, 360, 260)
    page.keyboard.press("Escape")
    draw(page, 100, 100, 500, 400)
    page.keyboard.press("Escape")
    chosen = f"{TOOL}.editor.shape.width"
    page.mouse.click(*on_screen(page, 330, 230))
    settles(lambda: page.evaluate(chosen), 60)
    page.mouse.click(*on_screen(page, 330, 230))
    settles(lambda: page.evaluate(chosen), 400)


def test_boxes_are_drawn_and_submitted_by_keyboard_alone(plain: Site, open_page: Open) -> None:
    """From the top of the page: draw two boxes, move one, resize it, submit."""
    page = open_page("/box")
    canvas = f"{TOOL}.shadowRoot.activeElement?.className ?? ''"
    for _ in range(30):
        page.keyboard.press("Tab")
        if "canvas" in page.evaluate(canvas):
            break
    assert "canvas" in page.evaluate(canvas)
    steady(page)
    page.keyboard.press("b")  # shows the crosshair in the middle of the image
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("b")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Alt+Shift+ArrowRight")
    page.keyboard.press("b")
    page.keyboard.press("2")
    page.keyboard.press("b")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("b")
    expect(page.locator("#say")).to_contain_text("Added box 2 of 2, flower")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(f"{TOOL}.shadowRoot.activeElement?.textContent === 'Submit'"):
            break
    page.keyboard.press("Enter")

    assert wait_until(lambda: answers(page))[0]["boundingBox"]["boundingBoxes"] == [
        {"left": 280, "top": 239, "width": 70, "height": 61, "label": "bee"},
        {"left": 330, "top": 291, "width": 10, "height": 10, "label": "flower"},
    ]


def test_a_box_drawn_by_touch_is_exact(target: Site, open_page: Open) -> None:
    """On a phone 390 px wide a finger draws the box of the target; another touch corrects it."""
    page = open_page("/box", **PHONE)
    start, end = find_target(page, ratio=3)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", start)
    touch("touchMove", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    touch("touchMove", end)
    touch("touchEnd")
    settles(lambda: boxes(page), [TARGET | {"label": "bee"}])

    middle = on_screen(page, 320, 200)
    touch("touchStart", middle)
    touch("touchMove", (middle[0] + 15, middle[1]))
    touch("touchMove", on_screen(page, 340, 220))
    touch("touchEnd")
    settles(lambda: boxes(page), [TARGET | {"left": 223, "top": 137, "label": "bee"}])
    page.get_by_role("button", name="Delete", exact=True).tap()
    wait_until(lambda: boxes(page) == [])


def test_two_fingers_zoom_and_draw_no_box(target: Site, open_page: Open) -> None:
    """A pinch that begins with one finger, like drawing, only changes the view."""
    page = open_page("/box", **PHONE)
    finger = page.context.new_cdp_session(page)
    x, y = on_screen(page, 320, 240)
    scale = f"{TOOL}.bench.view.scale"
    before = page.evaluate(scale)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", (x - 20, y))
    touch("touchMove", (x - 35, y))
    touch("touchStart", (x - 35, y), (x + 20, y))
    for spread in (40, 60, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")

    wait_until(lambda: page.evaluate(scale) > before * 1.5)
    settles(lambda: boxes(page), [])
    drag_to = on_screen(page, 340, 260)
    touch("touchStart", on_screen(page, 300, 220))
    touch("touchMove", (drag_to[0] - 10, drag_to[1] - 10))
    touch("touchMove", drag_to)
    touch("touchEnd")
    settles(lambda: boxes(page), [{"left": 300, "top": 220, "width": 40, "height": 40, "label": "bee"}])


def test_an_empty_answer_has_to_be_confirmed(plain: Site, open_page: Open) -> None:
    """It is refused with a message until the worker checks that there is nothing to label."""
    page = open_page("/box")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_contain_text("Nothing to label here")
    assert answers(page) == []

    page.get_by_role("checkbox", name="Nothing to label here").check()
    settles(lambda: page.locator("#refusal").inner_text(), "")
    assert submit(page)["boundingBoxes"] == []
    draw(page, 100, 100, 200, 200)
    settles(lambda: page.evaluate(f"{TOOL}.draft.nothing"), False)
    expect(page.get_by_role("checkbox", name="Nothing to label here")).to_be_disabled()


def test_many_labels_are_found_by_search_and_by_shift_hotkeys(site: Site, open_page: Open) -> None:
    """Sixty labels: the worker types part of a name, or presses Shift and a key."""
    labels = json.dumps([f"kind {number}" for number in range(60)]).replace('"', "&quot;")
    site.pages["/box"] = harness(labels=labels)
    page = open_page("/box")
    draw(page, 100, 100, 200, 200)
    page.keyboard.press("Shift+Digit3")
    settles(lambda: [box["label"] for box in boxes(page)], ["kind 28"])
    page.keyboard.press("/")
    page.keyboard.type("kind 57")
    page.keyboard.press("Enter")
    settles(lambda: [box["label"] for box in boxes(page)], ["kind 57"])
    page.keyboard.press("ArrowRight")
    settles(lambda: [box["left"] for box in boxes(page)], [101])


def test_initial_boxes_are_shown_and_changes_are_reported(site: Site, open_page: Open) -> None:
    """A review starts with given boxes, and its answer says whether they were changed."""
    given = "[{left: 40, top: 50, width: 60, height: 70, label: 'bee'}]"
    site.pages["/box"] = harness(labels="['bee']", more=f'initial-value="{given}"')
    page = open_page("/box")
    assert submit(page)["initialValueModified"] is False
    page.locator(".list .go").click()
    page.keyboard.press("ArrowRight")
    value = submit(page)
    assert value["initialValueModified"] is True
    assert value["boundingBoxes"] == [{"left": 41, "top": 50, "width": 60, "height": 70, "label": "bee"}]


def test_html_in_labels_is_shown_as_text(site: Site, open_page: Open) -> None:
    """HTML in labels and headers is shown as written and never runs."""
    evil = "<img src=x onerror=window.hacked=1>"
    labels = json.dumps([evil, "</script><script>window.hacked=2</script>"]).replace('"', "&quot;").replace("<", "&lt;")
    site.pages["/box"] = harness(labels=labels, more='title="&lt;b onclick=hacked()&gt;"')
    page = open_page("/box")
    draw(page, 100, 100, 200, 200)
    page.locator("crowd-bounding-box").screenshot()
    settles(lambda: page.locator(".palette .name").first.inner_text(), evil)
    settles(lambda: [box["label"] for box in boxes(page)], [evil])
    assert page.evaluate("window.hacked") is None
    assert page.evaluate(f"{TOOL}.shadowRoot.querySelector('img, script')") is None


def test_an_unreadable_image_or_labels_show_an_error(site: Site, open_page: Open) -> None:
    """The worker sees the error instead of an empty canvas and cannot submit an answer."""
    site.pages["/lost"] = harness(labels="['bee']", src="/picture/none.png")
    site.pages["/bad"] = harness(labels="[bee")
    page = open_page_without_canvas(open_page, site, "/lost")
    page.get_by_text("The picture cannot be loaded.").wait_for()
    page.get_by_role("button", name="Submit").click()
    assert answers(page) == []
    page.goto(site.address + "/bad")
    page.get_by_text('The attribute "labels" cannot be read').wait_for()


def open_page_without_canvas(open_page: Open, site: Site, path: str) -> Page:
    """Open a page whose tool shows no canvas, from a page that does, so that errors are watched in the same way."""
    site.pages["/good"] = harness(labels="['bee']")
    page = open_page("/good")
    page.goto(site.address + path)
    return page


def test_moving_one_box_does_not_redraw_a_thousand_others(site: Site, open_page: Open) -> None:
    """Moving and drawing redraw the top layer only, whatever the number of boxes."""
    many = [{"left": k % 40 * 16, "top": k // 40 * 19, "width": 12, "height": 14, "label": "bee"} for k in range(1000)]
    site.pages["/box"] = harness(labels="['bee']", more=f"initial-value='{json.dumps(many)}'")
    page = open_page("/box")
    page.mouse.click(*on_screen(page, 326, 240))
    frames(page)
    draws = f"{TOOL}.bench.stage.restingDraws"
    before = page.evaluate(draws)
    start = on_screen(page, 326, 235)
    page.mouse.move(*start)
    frames(page)
    ready = page.evaluate(draws)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(start[0] + step * 4, start[1] + step * 2)
        frames(page)
    moving = page.evaluate(draws)
    page.mouse.up()
    assert moving - ready <= 1, f"{moving - ready} redraws of all boxes in 20 moves"
    assert before <= ready
    settles(lambda: len(boxes(page)), 1000)
    assert boxes(page) != many


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tool_is_accessible(plain: Site, open_page: Open, scheme: str) -> None:
    """axe finds no violation of WCAG A or AA with boxes on the image, in light and dark."""
    page = open_page("/box", color_scheme=scheme)
    draw(page, 100, 100, 200, 200)
    draw(page, 300, 100, 400, 200)
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => r.violations"
        ".map(v => [v.id, v.help, v.nodes.map(n => [n.target.flat().join(' '), n.failureSummary])]))"
    )
    assert found == [], json.dumps(found, indent=1)
