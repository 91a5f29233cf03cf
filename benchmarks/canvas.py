"""Frames per second while an image with 2,000 polygons is panned, in Chromium: our canvas beside a plain SVG of them.

Both are panned by the same number of pixels in every frame, in turns of a few seconds each, on the same page size and
image: once with the whole image in view and slowly, once (`_zoomed`) twice as large and quickly, so that other shapes
come into view all the time. The SVG has one <polygon> a shape, filled and outlined once; our canvas draws a dark and a
coloured line around each shape. Without a GPU (as with --disable-gpu here) the processor draws both.
`cpu_ms` is the processor time of all of Chromium's processes for each frame shown: unlike the frame rate it hardly
depends on what else the machine does.

    make bench NAME=canvas      or: python -m benchmarks.canvas [--shapes 2000] [--seconds 3] [--rounds 3]
"""

import argparse
import json
import math
import re
import statistics

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import machine, report
from tests.browser import elements_site, install

LABELS = ["bee", "flower", "leaf"]
COLOURS = ["#ffb000", "#56b4e9", "#00c48c"]
# The processor draws what is seen, as on a machine without a graphics card; and Chromium draws as often as it can.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

# Calls `move` with the next shift in every frame and counts the frames.
PANNING = """async ([seconds, kind, zoom, step, first]) => {
  const canvas = document.querySelector("crowd-polygon")?.shadowRoot.querySelector(".canvas");
  const group = document.querySelector("#shapes");
  const move = kind === "canvas"
    ? (by) => canvas.dispatchEvent(new WheelEvent("wheel", { deltaX: -by, shiftKey: true, cancelable: true }))
    : ((x) => (by) => group.setAttribute("transform", `translate(${x += by} 0) scale(${zoom})`))(0);
  if (first && zoom > 1 && kind === "canvas") {
    const { width, height } = canvas.getBoundingClientRect();
    const at = { clientX: width / 2, clientY: height / 2, deltaY: -Math.log(zoom) / 0.0015 };
    canvas.dispatchEvent(new WheelEvent("wheel", { ...at, cancelable: true }));
    await new Promise((done) => setTimeout(done, 500));
  }
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let k = 0; k < 5; k++) await frame();
  const start = performance.now();
  let frames = 0;
  for (; performance.now() - start < seconds * 1000; frames++) {
    move(Math.floor(frames / 40) % 2 === 0 ? step : -step);
    await frame();
  }
  return [frames, (performance.now() - start) / 1000];
}"""


def main() -> None:
    """Measure both in turns and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shapes", type=int, default=2000)
    arguments.add_argument("--seconds", type=float, default=3.0, help="of panning in each turn")
    arguments.add_argument("--rounds", type=int, default=3, help="turns of each kind; the median is reported")
    options = arguments.parse_args()
    before = machine()
    executable = install.find()
    if executable is None or not (elements_site.DIST / "worker.js").is_file():
        raise SystemExit("this needs Chromium and the built elements: cd frontend/elements && npm ci && npm run build")
    site, server = elements_site.serve()
    shapes = polygons(options.shapes)
    site.pages["/canvas"] = elements_site.drawing_harness(
        "crowd-polygon", labels=json.dumps(LABELS).replace('"', "&quot;"), more=f"initial-value='{json.dumps(shapes)}'"
    )
    site.pages["/svg"] = svg_page(shapes)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
            figures = measure(browser, site.address, options.seconds, options.rounds)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    named = {re.sub("^(fps|cpu_ms)", rf"\1_{options.shapes}", name): figure for name, figure in figures.items()}
    report("canvas", named, on=before)


def measure(browser: Browser, address: str, seconds: float, rounds: int) -> dict[str, float]:
    """The median frames per second and CPU milliseconds a frame of each kind, by the end of the figure's name.

    The kinds take turns, so that all meet the same load.
    """
    kinds = {"": ("canvas", 1, 3), "_svg": ("svg", 1, 3), "_zoomed": ("canvas", 2, 12), "_zoomed_svg": ("svg", 2, 12)}
    pages: dict[str, Page] = {}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for turn in range(rounds):
        for name, (kind, zoom, step) in kinds.items():
            if turn == 0:
                pages[name] = browser.new_page(viewport={"width": 1280, "height": 800})
                pages[name].goto(f"{address}/{kind}")
                drawn = pages[name].locator(".canvas canvas" if kind == "canvas" else "#shapes")
                drawn.first.wait_for(state="attached")
            pages[name].bring_to_front()
            before = processor_seconds(browser)
            frames, passed = pages[name].evaluate(PANNING, [seconds, kind, zoom, step, turn == 0])
            found[name].append((frames / passed, (processor_seconds(browser) - before) * 1000 / frames))
    rates = {f"fps{name}": statistics.median(rate for rate, _ in turns) for name, turns in found.items()}
    return rates | {f"cpu_ms{name}": statistics.median(cpu for _, cpu in turns) for name, turns in found.items()}


def processor_seconds(browser: Browser) -> float:
    """The processor time that all processes of the browser have taken so far."""
    session = browser.new_browser_cdp_session()
    seconds = sum(process["cpuTime"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"])
    session.detach()
    return float(seconds)


def polygons(count: int) -> list[dict[str, object]]:
    """Polygons of eight vertices in rows over the whole image, overlapping a little, as labels of cells do."""
    across = math.ceil(math.sqrt(count * elements_site.WIDTH / elements_site.HEIGHT))
    down = math.ceil(count / across)
    wide, high = elements_site.WIDTH / across, elements_site.HEIGHT / down
    found: list[dict[str, object]] = []
    for number in range(count):
        x, y = (number % across + 0.5) * wide, (number // across + 0.5) * high
        vertices = [
            {"x": round(x + wide * 0.6 * math.cos(turn)), "y": round(y + high * 0.6 * math.sin(turn))}
            for turn in (corner * math.pi / 4 + number for corner in range(8))
        ]
        found.append({"label": LABELS[number % len(LABELS)], "vertices": vertices})
    return found


def svg_page(shapes: list[dict[str, object]]) -> str:
    """A page with the image and a <polygon> a shape, as large on the screen as in the tool."""
    drawn = []
    for number, shape in enumerate(shapes):
        vertices: list[dict[str, int]] = shape["vertices"]  # type: ignore[assignment]
        points = " ".join(f"{vertex['x']},{vertex['y']}" for vertex in vertices)
        colour = COLOURS[number % len(COLOURS)]
        drawn.append(
            f'<polygon points="{points}" fill="{colour}" fill-opacity="0.08" stroke="{colour}" stroke-width="2" '
            'vector-effect="non-scaling-stroke"/>'
        )
    size = f"{elements_site.WIDTH} {elements_site.HEIGHT}"
    return (
        f'<!doctype html><html lang="en"><title>SVG</title><body><svg viewBox="0 0 {size}" width="789" height="592">'
        f'<g id="shapes"><image href="/picture/1.png" width="{elements_site.WIDTH}" height="{elements_site.HEIGHT}"/>'
        f"{''.join(drawn)}</g></svg></body></html>"
    )


if __name__ == "__main__":
    main()
