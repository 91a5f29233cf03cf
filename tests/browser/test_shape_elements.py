"""Polygons, lines and key points in a real browser: drawn by mouse, keyboard or touch, exact to the pixel."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import PHONE, TOOL, answers, drag, frames, on_screen, steady, submit
from tests.browser.elements_site import HEIGHT, WIDTH, Site, drawing_harness, settles, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

SIZE = {"width": WIDTH, "height": HEIGHT}
AXE = Path(__file__).parents[2] / "frontend" / "elements" / "node_modules" / "axe-core" / "axe.min.js"
# the text of the element that has the focus, also within shadow roots
FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at?.textContent.trim() ?? "";
}"""
TRIANGLE = [(100, 100), (220, 110), (150, 200)]


def points(*found: tuple[int, int]) -> list[dict[str, int]]:
    """Vertices as they stand in an answer."""
    return [{"x": x, "y": y} for x, y in found]


def click(page: Page, *spots: tuple[int, int]) -> None:
    """Click points of the image one after the other."""
    for spot in spots:
        page.mouse.click(*on_screen(page, *spot))


def value(page: Page, key: str) -> Any:
    """What the element's answer holds under a key."""
    return page.evaluate(f"{TOOL}.value?.{key}")


def opened(site: Site, open_page: Open, tag: str, more: str = "", **options: Any) -> Page:
    """The page of a drawing element."""
    site.pages["/draw"] = drawing_harness(tag, labels="['bee', 'flower']", more=more)
    page = open_page("/draw", **options)
    steady(page)
    return page


def check_accessible(page: Page) -> None:
    """axe finds no violation of WCAG A or AA."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => r.violations"
        ".map(v => [v.id, v.help, v.nodes.map(n => [n.target.flat().join(' '), n.failureSummary])]))"
    )
    assert found == [], json.dumps(found, indent=1)


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


def at_the_canvas(page: Page) -> None:
    """Reach the canvas with the Tab key alone."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if "canvas" in page.evaluate(f"{TOOL}.shadowRoot.activeElement?.className ?? ''"):
            return
    raise AssertionError("the canvas cannot be reached with Tab")


def test_polygons_are_drawn_and_changed_by_mouse(site: Site, open_page: Open) -> None:
    """A polygon is closed on its first point, its neighbour shares two points, edges and points are dragged."""
    page = opened(site, open_page, "crowd-polygon", color_scheme="dark")
    click(page, *TRIANGLE, (101, 101))
    settles(lambda: value(page, "polygons"), [{"label": "bee", "vertices": points(*TRIANGLE)}])

    press(page, "Escape", "2")
    click(page, (221, 109), (300, 100), (300, 220), (151, 199), (221, 109))  # within reach of the neighbour's points
    second = points((220, 110), (300, 100), (300, 220), (150, 200))
    settles(lambda: value(page, "polygons")[1], {"label": "flower", "vertices": second})

    drag(page, on_screen(page, 300, 160), on_screen(page, 340, 160))  # the middle of an edge
    settles(lambda: value(page, "polygons")[1]["vertices"][2], {"x": 340, "y": 160})
    drag(page, on_screen(page, 250, 150), on_screen(page, 260, 170))  # the inside
    moved = points((230, 130), (310, 120), (350, 180), (310, 240), (160, 220))
    settles(lambda: value(page, "polygons")[1]["vertices"], moved)
    click(page, (350, 180))
    press(page, "Delete")
    settles(lambda: len(value(page, "polygons")[1]["vertices"]), 4)
    check_accessible(page)
    press(page, "Control+z", "Control+z", "Control+z")
    assert submit(page, "drawn") == {
        "polygons": [{"label": "bee", "vertices": points(*TRIANGLE)}, {"label": "flower", "vertices": second}],
        "inputImageProperties": SIZE,
    }


def test_a_polygon_is_drawn_and_submitted_by_keyboard_alone(site: Site, open_page: Open) -> None:
    """Points are set at the crosshair, one is inserted and moved, one deleted; the help lists the keys."""
    page = opened(site, open_page, "crowd-polygon")
    at_the_canvas(page)
    press(page, "b", "b", "Shift+ArrowRight", "b", "Shift+ArrowDown")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_contain_text("End the polygon that you are drawing")
    press(page, "b", "Enter")
    expect(page.locator("#say")).to_contain_text("Added polygon 1 of 1, bee, 3 points")
    press(page, ".", ".", "i", "ArrowLeft", ",", "Delete", "2")
    settles(
        lambda: value(page, "polygons"), [{"label": "flower", "vertices": points((320, 240), (329, 245), (330, 250))}]
    )
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("insert a point after the chosen one")
    check_accessible(page)
    press(page, "Escape", "Escape", "Escape")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(f"({FOCUSED})()") == "Submit":
            break
    page.keyboard.press("Enter")
    assert wait_until(lambda: answers(page))[-1]["drawn"]["polygons"][0]["label"] == "flower"


def test_a_polygon_is_drawn_by_finger(site: Site, open_page: Open) -> None:
    """On a phone, with the buttons over the image in place of keys; what is drawn so far survives in the draft."""
    page = opened(site, open_page, "crowd-polygon", **PHONE)
    for spot in [*TRIANGLE, (300, 400)]:
        page.touchscreen.tap(*on_screen(page, *spot))
    page.get_by_role("button", name="Take back the last point").tap()
    draft = page.evaluate(f"{TOOL}.draft")
    assert draft == {"paths": [], "nothing": False, "open": points(*TRIANGLE)}
    page.get_by_role("button", name="End the polygon").tap()
    settles(lambda: value(page, "polygons"), [{"label": "bee", "vertices": points(*TRIANGLE)}])
    check_accessible(page)


def test_polylines_by_mouse_and_by_keys(site: Site, open_page: Open) -> None:
    """A second click on the last point ends one, Enter the other; the answer says if the initial value was modified."""
    given = "{polylines: [{label: 'flower', vertices: [{x: 400, y: 300}, {x: 500, y: 301}]}]}"
    more = f"""initial-value="{given}" label-colors="['#ff0000', '#0000ff']" """
    page = opened(site, open_page, "crowd-polyline", more)
    first = {"label": "flower", "vertices": points((400, 300), (500, 301))}
    assert submit(page, "drawn") == {"polylines": [first], "initialValueModified": False, "inputImageProperties": SIZE}
    assert page.locator(".palette rect").first.get_attribute("fill") == "#ff0000"
    click(page, *TRIANGLE, TRIANGLE[-1])
    settles(lambda: value(page, "polylines"), [first, {"label": "bee", "vertices": points(*TRIANGLE)}])
    press(page, "b", "b", "Shift+ArrowRight", "b", "Enter")
    third = {"label": "bee", "vertices": points((320, 240), (330, 240))}
    check_accessible(page)
    assert submit(page, "drawn") == {
        "polylines": [first, {"label": "bee", "vertices": points(*TRIANGLE)}, third],
        "initialValueModified": True,
        "inputImageProperties": SIZE,
    }


def test_lines_by_mouse_and_by_keys(site: Site, open_page: Open) -> None:
    """A line is one drag, or two clicks, or two presses of B."""
    page = opened(site, open_page, "crowd-line", color_scheme="dark")
    drag(page, on_screen(page, 100, 100), on_screen(page, 200, 150))
    press(page, "Escape")
    click(page, (300, 100), (350, 150))
    press(page, "b", "b", "Shift+ArrowUp", "b")
    expect(page.locator("#say")).to_contain_text("Added line 3 of 3, bee, 2 points")
    check_accessible(page)
    assert submit(page, "drawn") == {
        "lines": [
            {"label": "bee", "vertices": points((100, 100), (200, 150))},
            {"label": "bee", "vertices": points((300, 100), (350, 150))},
            {"label": "bee", "vertices": points((320, 240), (320, 230))},
        ],
        "inputImageProperties": SIZE,
    }


def test_key_points_by_mouse_and_by_keys(site: Site, open_page: Open) -> None:
    """A click sets a point, a drag moves it, B sets one at the crosshair; the initial value is in the answer."""
    page = opened(site, open_page, "crowd-keypoint", """initial-value="[{label: 'flower', x: 50, y: 60}]" """)
    click(page, (100, 100))
    drag(page, on_screen(page, 100, 100), on_screen(page, 130, 140))
    settles(lambda: value(page, "keypoints")[-1], {"label": "bee", "x": 130, "y": 140})
    press(page, "b", "2", "ArrowLeft", "b", "ArrowDown")
    check_accessible(page)
    assert submit(page, "drawn") == {
        "keypoints": [
            {"label": "flower", "x": 50, "y": 60},
            {"label": "bee", "x": 130, "y": 140},
            {"label": "flower", "x": 319, "y": 241},
        ],
        "inputImageProperties": SIZE,
    }


def test_an_empty_answer_has_to_be_confirmed_and_a_bad_initial_value_is_said(site: Site, open_page: Open) -> None:
    """Nothing drawn is refused until the worker says that there is nothing to draw."""
    page = opened(site, open_page, "crowd-polygon")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_contain_text("Draw a polygon around each object, or tick")
    page.keyboard.press("Space")
    assert submit(page, "drawn") == {"polygons": [], "inputImageProperties": SIZE}

    site.pages["/draw"] = drawing_harness("crowd-line", labels="['bee']", more='initial-value="[{label: 1}]"')
    page.reload()
    page.get_by_text("Line 1 of the initial value lacks its vertices.").wait_for()


def test_a_gesture_does_not_redraw_two_thousand_polygons(site: Site, open_page: Open) -> None:
    """Moving points redraws the top layer only, panning moves what is drawn, zooming draws once at its end."""
    many = [
        {"label": "bee", "vertices": points((x, y), (x + 8, y), (x + 8, y + 6), (x, y + 6))}
        for x, y in ((k % 50 * 12, k // 50 * 11) for k in range(2000))
    ]
    page = opened(site, open_page, "crowd-polygon", f"initial-value='{json.dumps(many)}'")
    click(page, (304, 224))
    frames(page)
    draws = f"{TOOL}.bench.stage.restingDraws"
    before = page.evaluate(draws)
    drag(page, on_screen(page, 304, 223), on_screen(page, 330, 260))
    settles(lambda: value(page, "polygons")[1025]["vertices"][0]["x"] > 300, True)
    assert page.evaluate(draws) - before <= 3

    page.keyboard.press("Escape")
    frames(page)
    before = page.evaluate(draws)
    page.mouse.move(*on_screen(page, 320, 240))
    page.mouse.down(button="middle")
    for step in range(1, 15):
        page.mouse.move(on_screen(page, 320, 240)[0] + step, 300)
        frames(page)
    page.mouse.up(button="middle")
    assert page.evaluate(draws) == before
    page.mouse.wheel(0, -300)
    wait_until(lambda: page.evaluate(draws) > before)
    frames(page)
    assert page.evaluate(draws) - before <= 2
