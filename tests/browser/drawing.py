"""Steps shared by the browser tests of the drawing tools: draw with the mouse, read screenshots, read the answer."""

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from tests.browser.elements_site import ready_again, wait_until

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 3,
}
# the element is in the page itself, or in the task shell of the worker's page
TAGS = ", ".join(
    f"crowd-{kind}"
    for kind in (
        *("bounding-box", "polygon", "polyline", "line", "keypoint"),
        *("semantic-segmentation", "instance-segmentation"),
    )
)
TOOL = (
    f"(document.querySelector('{TAGS}')"
    f" ?? document.querySelector('waggle-task-shell').shadowRoot.querySelector('{TAGS}'))"
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
    """Wait until the image is shown and has not moved for a few frames."""
    page.evaluate(f"({STEADY})(() => {TOOL.replace('.shadowRoot.', '?.shadowRoot?.', 1)})")


def frames(page: Page) -> None:
    """Wait for a few frames, after which the canvas, which is redrawn once a frame, is up to date."""
    page.evaluate(
        "async () => { for (let k = 0; k < 4; k += 1) await new Promise((done) => requestAnimationFrame(done)); }"
    )


def at_the_canvas(page: Page) -> None:
    """Wait until the canvas has the focus; keys that are pressed earlier go elsewhere."""
    steady(page)
    wait_until(lambda: page.evaluate(f"{TOOL}.shadowRoot.activeElement?.classList.contains('canvas') ?? false"))


def answers(page: Page) -> list[dict[str, Any]]:
    """The answers that the form has emitted so far."""
    found: list[dict[str, Any]] = page.evaluate("window.answers")
    return found


def submit(page: Page, name: str = "boundingBox") -> dict[str, Any]:
    """Press Submit and return the value of the element with this name."""
    before = len(answers(page))
    page.get_by_role("button", name="Submit").click()
    wait_until(lambda: len(answers(page)) > before)
    ready_again(page)
    value: dict[str, Any] = answers(page)[-1][name]
    return value


def boxes(page: Page) -> list[dict[str, Any]]:
    """The boxes drawn so far, in the format of the answer."""
    tool = TOOL.replace(".shadowRoot", "?.shadowRoot", 1)
    # Not with wait_for_function: it polls with eval, which the pages' content security policy forbids.
    found: list[list[dict[str, Any]]] = wait_until(
        lambda: [value] if (value := page.evaluate(f"{tool}?.value?.boundingBoxes")) is not None else []
    )
    return found[0]


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """The position on the page, in CSS pixels, of a point of the image."""
    steady(page)
    at: tuple[float, float] = page.evaluate(
        f"""([x, y]) => {{ const tool = {TOOL}, view = tool.bench.view;
           const frame = tool.shadowRoot.querySelector('.canvas').getBoundingClientRect();
           return [frame.left + view.x + x * view.scale, frame.top + view.y + y * view.scale]; }}""",
        [x, y],
    )
    return at


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse from start to end with a stop on the way."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def draw(page: Page, left: int, top: int, right: int, bottom: int) -> None:
    """Draw a box with the mouse; the corners are pixels of the image."""
    drag(page, on_screen(page, left, top), on_screen(page, right, bottom))


def find_target(page: Page, ratio: int = 1) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two corners of the black rectangle, found in a screenshot, in CSS pixels."""
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
