"""Hands and eyes for the browser tests of the box tool: draw by mouse, find things in screenshots, read the answer."""

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from tests.browser.elements_site import wait_until

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 3,
}
# the tool stands in the page itself, or in the worker's page
TOOL = (
    "(document.querySelector('crowd-bounding-box')"
    " ?? document.querySelector('waggle-task-shell').shadowRoot.querySelector('crowd-bounding-box'))"
)


STEADY = """async (tool) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const place = () => { const found = tool(), view = found?.bench?.view, at = found?.shadowRoot.querySelector('.canvas')
      .getBoundingClientRect(); return view && found.value ? JSON.stringify([at, view]) : ''; };
  for (let before = '', same = 0; same < 3; await frame()) {
    const now = place();
    same = now && now === before ? same + 1 : 0;
    before = now;
  }
}"""


def steady(page: Page) -> None:
    """Waits until the picture is there and has kept its place for a few frames."""
    page.evaluate(f"({STEADY})(() => {TOOL.replace('.shadowRoot', '?.shadowRoot', 1)})")


def frames(page: Page) -> None:
    """Waits until what was asked of the canvas is drawn: it is drawn once a frame."""
    page.evaluate(
        "async () => { for (let k = 0; k < 4; k += 1) await new Promise((done) => requestAnimationFrame(done)); }"
    )


def at_the_canvas(page: Page) -> None:
    """Waits until the keyboard is on the canvas: keys pressed before go elsewhere."""
    steady(page)
    wait_until(lambda: page.evaluate(f"{TOOL}.shadowRoot.activeElement?.classList.contains('canvas') ?? false"))


def answers(page: Page) -> list[dict[str, Any]]:
    """The answers the form has emitted so far."""
    found: list[dict[str, Any]] = page.evaluate("window.answers")
    return found


def submit(page: Page) -> dict[str, Any]:
    """Presses Submit and gives the value of the element."""
    before = len(answers(page))
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: len(answers(page)) > before)
    value: dict[str, Any] = answers(page)[-1]["boundingBox"]
    return value


def boxes(page: Page) -> list[dict[str, Any]]:
    """The boxes drawn so far, as the tool would hand them in."""
    tool = TOOL.replace(".shadowRoot", "?.shadowRoot", 1)
    # Not by wait_for_function: when it has to look twice it needs eval, which the pages' policy forbids.
    found: list[list[dict[str, Any]]] = wait_until(
        lambda: [value] if (value := page.evaluate(f"{tool}?.value?.boundingBoxes")) is not None else []
    )
    return found[0]


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the picture is on the page, in CSS pixels."""
    steady(page)
    at: tuple[float, float] = page.evaluate(
        f"""([x, y]) => {{ const tool = {TOOL}, view = tool.bench.view;
           const frame = tool.shadowRoot.querySelector('.canvas').getBoundingClientRect();
           return [frame.left + view.x + x * view.scale, frame.top + view.y + y * view.scale]; }}""",
        [x, y],
    )
    return at


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """One drag of the mouse with a stop on the way."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def draw(page: Page, left: int, top: int, right: int, bottom: int) -> None:
    """Draws a box between two corners of the picture by mouse."""
    drag(page, on_screen(page, left, top), on_screen(page, right, bottom))


def find_target(page: Page, ratio: int = 1) -> tuple[tuple[float, float], tuple[float, float]]:
    """The corners of the black rectangle as a worker sees them: searched in a screenshot, in CSS pixels."""
    steady(page)
    frames(page)
    frame = page.locator(".canvas").bounding_box()
    assert frame
    shot = Image.open(io.BytesIO(page.locator(".canvas").screenshot())).convert("L")
    inner = shot.crop((5 * ratio, 5 * ratio, shot.width - 5 * ratio, shot.height - 5 * ratio))
    found = inner.point(lambda value: 255 if value < 128 else 0).getbbox()
    assert found
    left, top, right, bottom = (edge / ratio + 5 for edge in found)
    return (frame["x"] + left, frame["y"] + top), (frame["x"] + right, frame["y"] + bottom)
