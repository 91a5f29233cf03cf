"""What all drawing tools have around the drawing: copies, hidden and locked shapes, chosen keys, long lists."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.drawing import PHONE, TOOL, draw, frames, on_screen, steady, submit
from tests.browser.elements_site import HEIGHT, WIDTH, Site, drawing_harness, settles, wait_until
from tests.browser.test_shape_elements import TRIANGLE, check_accessible, click, opened, points, press, value

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_shapes_are_copied_to_the_next_picture(site: Site, open_page: Open) -> None:
    """Ctrl+C and Ctrl+V put a polygon where it was on the last picture, and beside an equal one."""
    page = opened(site, open_page, "crowd-polygon")
    click(page, *TRIANGLE, TRIANGLE[0])
    press(page, "2", "Control+c")
    expect(page.locator("#say")).to_contain_text("Copied 1 polygon")
    page.evaluate(f"{TOOL}.src = '/picture/2.png'")
    settles(lambda: value(page, "polygons"), [])
    page.evaluate(f"{TOOL}.focus()")
    press(page, "Control+v", "Control+v")
    shifted = points(*((x + 25, y + 25) for x, y in TRIANGLE))
    settles(lambda: len(value(page, "polygons")), 2)
    press(page, "Control+z")
    settles(lambda: value(page, "polygons"), [{"label": "flower", "vertices": points(*TRIANGLE)}])
    press(page, "Control+y")
    assert submit(page, "drawn")["polygons"] == [
        {"label": "flower", "vertices": points(*TRIANGLE)},
        {"label": "flower", "vertices": shifted},
    ]
    site.pages["/draw"] = drawing_harness("crowd-line", labels="['bee']")
    page.reload()
    steady(page)
    page.evaluate(f"{TOOL}.focus()")
    press(page, "Control+v")
    expect(page.locator("#say")).to_contain_text("There are no copied lines to paste")


def test_shapes_are_hidden_and_locked(site: Site, open_page: Open) -> None:
    """By the list and by keys: a locked box lets the pointer through and refuses changes, a hidden one is not seen."""
    page = opened(site, open_page, "crowd-bounding-box")
    draw(page, 100, 100, 300, 300)
    press(page, "Shift+F")
    expect(page.locator("#say")).to_contain_text("Box 1 is locked")
    press(page, "Delete")
    expect(page.locator("#say")).to_contain_text("Box 1 is locked")
    press(page, "Escape")
    draw(page, 150, 150, 200, 200)  # through the locked one
    settles(lambda: len(value(page, "boundingBoxes")), 2)
    press(page, "Escape")
    click(page, (250, 250))
    assert page.evaluate(f"{TOOL}.editor.selected") is None
    page.get_by_role("button", name="Lock box 1, bee").click()
    page.get_by_role("button", name="Hide box 2, bee").click()
    click(page, (175, 175))
    settles(lambda: page.evaluate(f"{TOOL}.editor.shape?.width"), 200)
    check_accessible(page)
    page.get_by_role("button", name="Hide all boxes").click()
    expect(page.get_by_role("button", name="Hide box 1, bee")).to_have_attribute("aria-pressed", "true")
    page.locator(".canvas").focus()
    press(page, "Shift+V", "n")
    settles(lambda: page.evaluate(f"{TOOL}.editor.shape?.width"), 200)
    assert len(submit(page, "drawn")["boundingBoxes"]) == 2


def test_a_worker_chooses_other_keys(site: Site, open_page: Open) -> None:
    """In the list of keys, by keyboard; a key in use is refused in words, and the choice outlasts the page."""
    page = opened(site, open_page, "crowd-bounding-box")
    draw(page, 100, 100, 200, 200)
    draw(page, 300, 100, 400, 200)
    press(page, "?")
    change = page.get_by_role("button", name="Change the key N", exact=True)
    change.focus()
    press(page, "Enter", "d")
    expect(page.locator(".keys-said")).to_have_text("D is the key for “duplicate” already.")
    press(page, "q")
    expect(page.locator(".keys-said")).to_have_text("Q: next box.")
    check_accessible(page)
    press(page, "Escape")
    page.locator(".canvas").focus()
    press(page, "Escape", "q")
    settles(lambda: page.evaluate(f"{TOOL}.editor.shape?.left"), 100)
    press(page, "n")
    settles(lambda: page.evaluate(f"{TOOL}.editor.shape?.left"), 100)

    page.reload()
    steady(page)
    draw(page, 100, 100, 200, 200)
    press(page, "Escape", "q")
    settles(lambda: page.evaluate(f"{TOOL}.editor.shape?.left"), 100)
    press(page, "?")
    page.get_by_role("button", name="Use the usual keys").click()
    expect(page.locator(".keys dt").filter(has_text="Q")).to_have_count(0)


def test_a_list_of_a_thousand_shapes_has_only_the_rows_that_are_seen(site: Site, open_page: Open) -> None:
    """Also on a phone; scrolled, it shows the others, each with its place in the whole list."""
    many = [{"label": "bee", "x": k % 40 * 15, "y": k // 40 * 15} for k in range(1000)]
    options: list[dict[str, Any]] = [{}, PHONE]
    for each in options:
        page = opened(site, open_page, "crowd-keypoint", f"initial-value='{json.dumps(many)}'", **each)
        if each:
            page.get_by_role("button", name="Key points 1000").tap()
        rows = page.locator(".list li:not([aria-hidden])")
        expect(rows.first).to_have_attribute("aria-posinset", "1")
        assert rows.count() < 100
        last = page.get_by_role("button", name="Delete key point 1000, bee")
        page.locator(".boxes" if each else ".side").evaluate("(element) => element.scrollTo(0, 1e6)")
        expect(last).to_be_visible()
        assert rows.count() < 100
        last.click()
        settles(lambda page=page: len(value(page, "keypoints")), 999)
        check_accessible(page)


def canvas_at_rest(page: Page) -> bytes:
    """A picture of the canvas once nothing of it is still to be drawn and the browser shows the same twice."""
    wait_until(lambda: page.evaluate(f"{TOOL}.bench.stage.settled && {TOOL}.bench.frame === 0"))
    frames(page)
    pictures = [page.locator(".canvas").screenshot()]

    def same_twice() -> bool:
        frames(page)
        pictures.append(page.locator(".canvas").screenshot())
        return pictures[-1] == pictures[-2]

    wait_until(same_twice)
    return pictures[-1]


def assert_look_alike(one: bytes, other: bytes) -> None:
    """Nothing lies elsewhere; the brightness of an edge may be rounded otherwise, by where the drawing began."""
    first, second = (np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), dtype=int) for each in (one, other))
    assert first.shape == second.shape
    assert np.abs(first - second).max() <= 32


def test_the_picture_and_its_shapes_are_drawn_where_they_are_after_every_movement(site: Site, open_page: Open) -> None:
    """After panning far, back and zooming, the canvas looks as if it had been drawn there at once."""
    boxes = [
        {"label": "bee", "left": x, "top": y, "width": 9, "height": 9}
        for x in range(0, WIDTH - 9, 32)
        for y in range(0, HEIGHT - 9, 30)
    ]
    page = opened(site, open_page, "crowd-bounding-box", f"initial-value='{json.dumps(boxes)}'")
    page.mouse.move(*on_screen(page, 320, 240))
    page.mouse.wheel(0, -1000)
    canvas_at_rest(page)  # what is moved now has been drawn at this size
    for by in [(300, 0), (170, 90), (-500, 30), (0, -420), (35, 7)]:
        start = (500.0, 400.0)
        page.mouse.move(*start)
        page.mouse.down(button="middle")
        for step in range(1, 6):
            page.mouse.move(start[0] + by[0] * step / 5, start[1] + by[1] * step / 5)
            page.wait_for_timeout(30)
        page.mouse.up(button="middle")
    frames(page)
    bench = f"{TOOL}.bench"
    page.evaluate(f"{bench}.gestures.hooks.pan(20.4, -7.3)")  # as fingers do, by parts of a pixel
    page.mouse.move(5, 5)
    moved = canvas_at_rest(page)
    page.evaluate(f"{TOOL}.bench.onResize()")
    assert_look_alike(canvas_at_rest(page), moved)


def test_the_attributes_of_a_label_are_asked_of_each_shape(site: Site, open_page: Open) -> None:
    """A label category configuration gives each shape a small form; what is required has to be said."""
    config = {
        "labels": [
            {"label": "bee", "categoryAttributes": [{"name": "caste", "enum": ["worker", "queen"], "isRequired": True}]}
        ],
        "categoryGlobalAttributes": [{"name": "age", "type": "number", "minimum": 0, "maximum": 40}],
    }
    site.pages["/draw"] = drawing_harness("crowd-bounding-box", labels=json.dumps(config).replace('"', "&quot;"))
    page = open_page("/draw")
    draw(page, 100, 100, 200, 200)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_contain_text("Say what “caste” is of box 1, bee.")
    page.get_by_label("age (0 to 40)").focus()
    press(page, "5", "0", "Tab")
    expect(page.locator("#refusal")).to_contain_text("“age” is a number (0 to 40).")
    press(page, "ArrowDown", "ArrowDown", "Shift+Tab", "7", "Tab")
    check_accessible(page)
    press(page, "Escape")
    draw(page, 300, 300, 340, 340)
    page.get_by_label("caste").select_option("worker")
    press(page, "Escape", "Control+z", "Control+y")
    found = submit(page, "drawn")["boundingBoxes"]
    assert [box["label-category-attributes"] for box in found] == [{"age": 7, "caste": "queen"}, {"caste": "worker"}]


def shade(page: Page, x: float, y: float) -> int:
    """How bright the canvas is at a point of the image."""
    frame = page.locator(".canvas").bounding_box()
    assert frame
    at = on_screen(page, x, y)
    shot = Image.open(io.BytesIO(page.locator(".canvas").screenshot())).convert("L")
    found = shot.getpixel((int(at[0] - frame["x"]), int(at[1] - frame["y"])))
    assert isinstance(found, int)
    return found


def test_a_picture_of_sixteen_bits_is_seen_through_a_window(site: Site, open_page: Open) -> None:
    """Its two halves are black to a browser and told apart by window and level; a usual picture has no such sliders."""
    values = np.full((HEIGHT, WIDTH), 1000, np.uint16)
    values[:, WIDTH // 2 :] = 1400
    out = io.BytesIO()
    Image.fromarray(values).save(out, "PNG")
    site.pictures["/deep.png"] = out.getvalue()
    site.pages["/draw"] = drawing_harness("crowd-polygon", labels="['bee']", src="/deep.png")
    page = open_page("/draw")
    assert abs(shade(page, 100, 440) - shade(page, 600, 440)) < 3
    page.get_by_role("button", name="Brightness and contrast").click()
    page.get_by_role("button", name="Fit the window to the picture").click()
    settles(lambda: (shade(page, 100, 440), shade(page, 600, 440)), (0, 255))
    level = page.get_by_label("Level")
    expect(level).to_have_value("1200")
    level.focus()
    press(page, "End")
    settles(lambda: shade(page, 600, 440), 0)
    check_accessible(page)
    page.get_by_role("button", name="Reset").click()
    settles(lambda: shade(page, 600, 440), shade(page, 100, 440) + 1)

    page.evaluate(f"{TOOL}.src = '/picture/1.png'")
    steady(page)
    page.get_by_role("button", name="Brightness and contrast").click()
    page.get_by_role("button", name="Brightness and contrast").click()
    page.get_by_label("Contrast", exact=True).wait_for()
    expect(page.get_by_label("Level")).to_have_count(0)


def test_one_of_hundreds_of_labels_is_found_by_typing(site: Site, open_page: Open) -> None:
    """What is typed filters the labels, and a digit chooses one of the first that are left."""
    labels = [f"{kind} {size}" for kind in ("bee", "wasp", "fly", "moth") for size in ("small", "large")]
    labels += [f"species {number}" for number in range(400)]
    page = opened_with(site, open_page, labels)
    draw(page, 100, 100, 200, 200)
    press(page, "/")
    page.keyboard.type("wasp")
    expect(page.locator(".palette .label")).to_have_text(["wasp small1", "wasp large2"])
    press(page, "2")
    settles(lambda: value(page, "boundingBoxes")[0]["label"], "wasp large")
    press(page, "/")
    page.keyboard.type("species 39")  # also 139, 239 and 339
    expect(page.locator(".palette .label")).to_have_count(14)
    press(page, "Alt+3")
    settles(lambda: value(page, "boundingBoxes")[0]["label"], "species 239")
    check_accessible(page)


def opened_with(site: Site, open_page: Open, labels: list[str]) -> Page:
    """The page of the box tool with these labels."""
    site.pages["/draw"] = drawing_harness("crowd-bounding-box", labels=json.dumps(labels).replace('"', "&quot;"))
    page = open_page("/draw")
    steady(page)
    return page


def test_a_palm_beside_a_pen_neither_draws_nor_moves_the_picture(site: Site, open_page: Open) -> None:
    """While a pen draws, and shortly after, a touch is the hand that holds it; later a finger draws again."""
    page = opened(site, open_page, "crowd-bounding-box", has_touch=True)
    view = page.evaluate(f"{TOOL}.bench.view")
    spots = {
        name: on_screen(page, *at) for name, at in {"from": (100, 100), "to": (200, 180), "palm": (400, 300)}.items()
    }
    devtools = page.context.new_cdp_session(page)

    def pen(kind: str, spot: str) -> None:
        x, y = spots[spot]
        pressed = {"button": "left", "buttons": 1} if kind != "mouseReleased" else {"button": "left"}
        devtools.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "pointerType": "pen", **pressed})

    def palm(kind: str, by: float = 0) -> None:
        touching = [] if kind == "touchEnd" else [{"x": spots["palm"][0] + by, "y": spots["palm"][1] + by}]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touching})

    pen("mousePressed", "from")
    palm("touchStart")
    palm("touchMove", 60)
    pen("mouseMoved", "to")
    pen("mouseReleased", "to")
    palm("touchEnd")
    box = {"label": "bee", "left": 100, "top": 100, "width": 100, "height": 80}
    settles(lambda: value(page, "boundingBoxes"), [box])
    assert page.evaluate(f"{TOOL}.bench.view") == view

    press(page, "Escape")
    page.wait_for_timeout(700)
    palm("touchStart")
    palm("touchMove", -80)
    palm("touchMove", -160)
    palm("touchEnd")
    settles(lambda: len(value(page, "boundingBoxes")), 2)
