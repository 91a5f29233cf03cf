"""Semantic and instance segmentation in a real browser: what is painted is in the PNG of the answer, pixel by pixel."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.drawing import PHONE, TOOL, answers, drag, on_screen, steady, submit
from tests.browser.elements_site import HEIGHT, WIDTH, Site, drawing_harness, settles, task_page, wait_until
from tests.browser.test_shape_elements import at_the_canvas, check_accessible, click, press

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

SIZE = {"width": WIDTH, "height": HEIGHT}
BEE, FLOWER = "#ff7f0e", "#1f77b4"
LABELS = f"[{{label: 'bee', color: '{BEE}'}}, {{label: 'flower', color: '{FLOWER}'}}]"


def pixels(answer: dict[str, Any]) -> dict[str, list[tuple[int, int]]]:
    """The pixels of each colour (#rrggbb) of the PNG in an answer."""
    image = Image.open(io.BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"]))).convert("RGBA")
    assert image.size == (WIDTH, HEIGHT)
    found: dict[str, list[tuple[int, int]]] = {}
    raw = image.tobytes()
    for place in range(WIDTH * HEIGHT):
        red, green, blue, alpha = raw[place * 4 : place * 4 + 4]
        if alpha:
            found.setdefault(f"#{red:02x}{green:02x}{blue:02x}", []).append((place % WIDTH, place // WIDTH))
    return found


def block(left: int, top: int, right: int, bottom: int) -> list[tuple[int, int]]:
    """All pixels of a rectangle, row by row."""
    return [(x, y) for y in range(top, bottom) for x in range(left, right)]


def painted(site: Site, open_page: Open, tag: str, more: str = "", **options: Any) -> Page:
    """The page of an element for masks."""
    site.pages["/draw"] = drawing_harness(tag, labels=LABELS, more=more)
    page = open_page("/draw", **options)
    steady(page)
    return page


def mask_png(*blocks: tuple[str, tuple[int, int, int, int]]) -> str:
    """A picture of coloured rectangles on white, as a data address."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#ffffff")
    for colour, area in blocks:
        image.paste(colour, area)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def used(page: Page) -> list[list[Any]]:
    """What is painted so far: labels and their number of pixels."""
    found: list[list[Any]] = page.evaluate(f"{TOOL}.editor.used.map(({{entry, pixels}}) => [entry.label, pixels])")
    return found


def test_masks_of_labels_are_painted_by_mouse(site: Site, open_page: Open) -> None:
    """Polygon, fill, brush and eraser; each is one step of undo; the PNG has exactly the pixels."""
    page = painted(site, open_page, "crowd-semantic-segmentation", color_scheme="dark")
    page.get_by_role("button", name="Polygon").click()
    click(page, (100, 100), (200, 100), (200, 160), (100, 160), (100, 100))
    settles(lambda: used(page), [["bee", 6000]])
    press(page, "2", "i")
    click(page, (150, 130))
    settles(lambda: used(page), [["flower", 6000]])
    press(page, "Control+z")
    settles(lambda: used(page), [["bee", 6000]])
    press(page, "b")
    drag(page, on_screen(page, 300, 300), on_screen(page, 400, 300))
    wait_until(lambda: len(used(page)) == 2)
    press(page, "d")
    for _ in range(12):
        page.keyboard.press(".")
    drag(page, on_screen(page, 250, 300), on_screen(page, 450, 300))
    settles(lambda: used(page), [["bee", 6000]])
    check_accessible(page)
    page.get_by_role("button", name="Delete the mask of bee").click()
    settles(lambda: used(page), [])
    press(page, "Control+z")
    answer = submit(page, "drawn")
    assert pixels(answer) == {BEE: block(100, 100, 200, 160)}
    assert {key: answer[key] for key in answer if key != "labeledImage"} == {
        "inputImageProperties": SIZE,
        "labelMappings": {"bee": {"color": BEE}, "flower": {"color": FLOWER}},
    }
    assert set(answer["labeledImage"]) == {"pngImageData"}


def test_masks_of_labels_are_painted_by_keyboard_alone(site: Site, open_page: Open) -> None:
    """Enter puts the brush down and lifts it; an empty answer is refused until it is confirmed."""
    page = painted(site, open_page, "crowd-semantic-segmentation")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#refusal")).to_contain_text("Paint each object, or tick")
    page.keyboard.press("Space")
    answer = submit(page, "drawn")
    assert pixels(answer) == {}
    page.reload()
    steady(page)
    at_the_canvas(page)
    for _ in range(16):
        page.keyboard.press(",")
    press(page, "2", "Enter", "Enter", "Shift+ArrowRight", "Shift+ArrowDown", "Enter", "Shift+ArrowRight")
    expect(page.locator("#say")).to_contain_text("340, 250")
    check_accessible(page)
    line = [(x, 240) for x in range(320, 331)] + [(330, y) for y in range(241, 251)]
    assert pixels(submit(page, "drawn")) == {FLOWER: line}


def test_instances_are_painted_by_mouse_finger_and_keys(site: Site, open_page: Open) -> None:
    """Each instance has a colour of its own; the draft goes on exactly after a reload."""
    page = painted(site, open_page, "crowd-instance-segmentation", **PHONE)
    page.get_by_role("button", name="Polygon").tap()
    for spot in [(100, 100), (200, 100), (200, 160), (100, 160), (100, 100)]:
        page.touchscreen.tap(*on_screen(page, *spot))
    settles(lambda: used(page), [["bee", 6000]])
    page.get_by_role("button", name="New instance").tap()
    for spot in [(300, 100), (400, 100), (400, 160), (300, 160), (300, 100)]:
        page.touchscreen.tap(*on_screen(page, *spot))
    settles(lambda: used(page), [["bee", 6000], ["bee", 6000]])
    press(page, "g", "2", "i", "Enter", "Enter", "Escape")
    settles(lambda: used(page)[2], ["flower", WIDTH * HEIGHT - 12000])
    check_accessible(page)
    draft = page.evaluate(f"{TOOL}.draft")
    page.reload()
    steady(page)
    page.evaluate(f"(draft) => {{ {TOOL}.draft = draft; }}", draft)
    answer = submit(page, "drawn")
    found = pixels(answer)
    assert [one["label"] for one in answer["instances"]] == ["bee", "bee", "flower"]
    first, second, third = (one["color"] for one in answer["instances"])
    assert found[first] == block(100, 100, 200, 160) and found[second] == block(300, 100, 400, 160)
    assert len(found[third]) == WIDTH * HEIGHT - 12000
    assert set(answer) == {"inputImageProperties", "instances", "labeledImage"}


def test_masks_and_polygons_outlive_a_reload_of_the_task(site: Site, open_page: Open) -> None:
    """The worker's page shows them as any element; a polygon that is not closed yet is still there, too."""
    site.element = {"tag": "crowd-instance-segmentation", "name": "annotations"}
    site.pages["/task"] = task_page()
    page = open_page("/task")
    steady(page)
    page.get_by_role("button", name="Polygon").click()
    click(page, (100, 100), (200, 100), (200, 160), (100, 160), (100, 100))
    settles(lambda: used(page), [["bee", 6000]])
    page.reload()
    page.locator(".list li").first.wait_for()
    steady(page)
    settles(lambda: used(page), [["bee", 6000]])
    site.element = {"tag": "crowd-polygon", "name": "shapes"}
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: len(site.claimed) == 2)
    answer = site.answers[100]["annotations"]
    assert pixels(answer) == {answer["instances"][0]["color"]: block(100, 100, 200, 160)}

    wait_until(lambda: page.evaluate(f"{TOOL}?.localName") == "crowd-polygon")
    steady(page)
    click(page, (100, 100), (200, 100))
    page.reload()
    page.get_by_role("button", name="Take back the last point").wait_for()
    steady(page)
    click(page, (200, 160), (100, 100))
    page.get_by_role("button", name="Submit").click()
    triangle = [{"x": 100, "y": 100}, {"x": 200, "y": 100}, {"x": 200, "y": 160}]
    shapes = {"polygons": [{"label": "bee", "vertices": triangle}], "inputImageProperties": SIZE}
    settles(lambda: site.answers.get(200), {"shapes": shapes})


def test_a_palm_beside_a_pen_paints_nothing(site: Site, open_page: Open) -> None:
    """A touch while the pen is on the screen, or just after, neither paints nor zooms."""
    page = painted(site, open_page, "crowd-semantic-segmentation", has_touch=True)
    devices = page.context.new_cdp_session(page)
    view = f"JSON.stringify({TOOL}.bench.view)"
    before = page.evaluate(view)
    start, end = on_screen(page, 100, 100), on_screen(page, 150, 100)

    def pen(kind: str, at: tuple[float, float]) -> None:
        where = {"x": at[0], "y": at[1], "button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
        devices.send("Input.dispatchMouseEvent", {"type": kind, **where})

    def palm(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        devices.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    palm("touchStart", on_screen(page, 300, 300))
    pen("mousePressed", start)
    palm("touchMove", on_screen(page, 340, 300))
    pen("mouseMoved", end)
    pen("mouseReleased", end)
    palm("touchEnd")
    wait_until(lambda: used(page))
    assert page.evaluate(view) == before
    columns = {x for x, _ in pixels(submit(page, "drawn"))[BEE]}
    assert (min(columns), max(columns)) == (94, 155)


def test_an_initial_mask_is_read_from_its_picture(site: Site, open_page: Open) -> None:
    """Its colours are kept, and the answer says whether it was modified; a picture that is not there is said."""
    initial = {
        "labelMappings": {"flower": {"color": "#d62728"}},
        "src": mask_png(("#d62728", (10, 20, 110, 70))),
    }
    page = painted(site, open_page, "crowd-semantic-segmentation", f"initial-value='{json.dumps(initial)}'")
    settles(lambda: used(page), [["flower", 5000]])
    answer = submit(page, "drawn")
    assert answer["initialValueModified"] is False
    assert answer["labelMappings"] == {"bee": {"color": BEE}, "flower": {"color": "#d62728"}}
    assert pixels(answer) == {"#d62728": block(10, 20, 110, 70)}
    page.get_by_role("button", name="Polygon").click()
    click(page, (10, 20), (110, 20), (110, 70), (10, 70), (10, 20))
    settles(lambda: used(page), [["bee", 5000]])
    assert submit(page, "drawn")["initialValueModified"] is True

    first = {
        "instances": [{"label": "bee", "color": "#112233"}, {"label": "bee", "color": "#445566"}],
        "src": mask_png(("#112233", (0, 0, 50, 10)), ("#445566", (0, 20, 50, 30))),
    }
    site.pages["/draw"] = drawing_harness(
        "crowd-instance-segmentation", labels=LABELS, more=f"initial-value='{json.dumps(first)}'"
    )
    page.reload()
    steady(page)
    settles(lambda: used(page), [["bee", 500], ["bee", 500]])
    before = len(answers(page))
    assert submit(page, "drawn")["instances"] == [
        {"color": "#112233", "label": "bee"},
        {"color": "#445566", "label": "bee"},
    ]
    assert len(answers(page)) == before + 1

    lost = first | {"src": "/picture/none.png"}
    site.pages["/draw"] = drawing_harness(
        "crowd-instance-segmentation", labels=LABELS, more=f"initial-value='{json.dumps(lost)}'"
    )
    page.reload()
    page.get_by_text("The mask of the initial value cannot be read").wait_for()
