"""How fast one worker classifies by keyboard, in Chromium, against the production server and a durable PostgreSQL.

For each task type a worker presses a label's key and Enter, sees the next task and goes on at once, without thinking.
`tasks_per_s` counts all of it. `next_in_view_ms` is the time from pressing Enter, by the clock of the key event, until
the next task's picture or text has been painted: sending the answer, which also claims that task, and showing it.
`submit_ms` is the part of it that the request takes, `page_ms` the rest, the page's own. `requests_per_task` counts
round trips, `server_cpu_ms` is the CPU time of web server and database for one task, `browser_cpu_ms` that of the
page: other processes hardly change them.

    make bench NAME=keyboard_worker      or: python -m benchmarks.keyboard_worker [--tasks 100] [--types TextMultiClass]
"""

import argparse
import io
import json
import statistics
import time
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import machine, report
from benchmarks.stack import Stack, running
from tests.browser import elements_site, install

LABELS = ["bee", "wasp", "fly", "other"]
SIDES = (1200, 900)
WARM_UP = 5
"""Tasks before those that are measured: a browser compiles what it runs often."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

# Notes the time of each Enter and, in the frame in which another task is shown, the time after its painting.
WATCH = """() => {
  let shown = null, pressed = null;
  window.inView = [];
  window.shown = 0;
  addEventListener("keydown", (event) => { if (event.key === "Enter") pressed = event.timeStamp; }, true);
  const painted = new MessageChannel();
  painted.port1.onmessage = ({ data }) => {
    if (data.pressed !== null) inView.push([performance.now() - data.pressed, data.pressed]);
    window.shown += 1;
  };
  const look = () => {
    const element = document.querySelector("waggle-task-shell")?.shadowRoot?.querySelector(".element");
    const root = element?.shadowRoot;
    const image = root?.querySelector(".canvas img");
    const there = image ? image.complete && image.naturalWidth > 0 : root?.querySelector(".words")?.textContent;
    if (there && !element.disabled && element.task.task_id !== shown) {
      shown = element.task.task_id;
      painted.port2.postMessage({ pressed });  // is delivered when this frame has been painted
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
NEXT = """(number) => new Promise((done) => {
  const look = () => (window.shown > number ? done() : requestAnimationFrame(look));
  look();
})"""
SUBMITS = """() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/submit?"))
  .map(({ startTime, responseEnd }) => [startTime, responseEnd - startTime])"""


def main() -> None:
    """Start a stack of its own, let the worker work on a job of each type, print the figures of each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tasks", type=int, default=100)
    arguments.add_argument("--types", nargs="*", default=["ImageMultiClass", "TextMultiClass"])
    options = arguments.parse_args()
    before = machine()
    executable = install.find()
    if executable is None or not (elements_site.DIST / "worker.js").is_file():
        raise SystemExit("this needs Chromium and the built elements: cd frontend/elements && npm ci && npm run build")
    with running() as stack:
        jobs = {name: make_job(name, options.tasks + WARM_UP + 1) for name in options.types}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
            for name, (queue_id, cookie) in jobs.items():
                report("keyboard_worker", work(stack, browser, queue_id, cookie, options.tasks), on=before, type=name)
            browser.close()


def work(stack: Stack, browser: Browser, queue_id: int, cookie: str, tasks: int) -> dict[str, float]:
    """Let the worker do so many tasks."""
    address = f"http://127.0.0.1:{stack.port}"
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda one: requests.append(f"{one.method} {one.url}"))
    page.add_init_script(f"({WATCH})()")
    page.goto(f"{address}/work/{queue_id}/")

    def answer(number: int) -> None:
        page.evaluate(NEXT, number)
        page.keyboard.press(str(number % len(LABELS) + 1))
        page.keyboard.press("Enter")

    for number in range(WARM_UP):
        answer(number)
    page.evaluate(NEXT, WARM_UP)
    page.evaluate(
        "inView.length = 0; performance.clearResourceTimings(); performance.setResourceTimingBufferSize(5000)"
    )
    requests.clear()
    cpu, browsers, began = stack.cpu_seconds(), browser_seconds(browser), time.monotonic()
    for number in range(WARM_UP, WARM_UP + tasks):
        answer(number)
    page.evaluate(NEXT, WARM_UP + tasks)
    elapsed, cpu = time.monotonic() - began, stack.cpu_seconds() - cpu
    browsers = browser_seconds(browser) - browsers
    times: list[list[float]] = page.evaluate("inView")
    submits: list[list[float]] = page.evaluate(SUBMITS)
    if len(times) != tasks or len(submits) != tasks:
        raise SystemExit(f"{len(times)} tasks were shown and {len(submits)} answers sent, {tasks} expected")
    context.close()
    in_view, sent = [one for one, _ in times], [one for _, one in submits]
    own = [whole - part for whole, part in zip(in_view, sent, strict=True)]
    return {
        "tasks_per_s": tasks / elapsed,
        **percentiles("next_in_view_ms", in_view),
        **percentiles("submit_ms", sent),
        **percentiles("page_ms", own),
        "requests_per_task": len(requests) / tasks,
        "server_cpu_ms": 1000 * cpu / tasks,
        "browser_cpu_ms": 1000 * browsers / tasks,
    }


def browser_seconds(browser: Browser) -> float:
    """CPU time of the pages' processes so far."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(one["cpuTime"] for one in found if one["type"] == "renderer"))


def percentiles(name: str, values: list[float]) -> dict[str, float]:
    """p50 and p95 under that name."""
    found = statistics.quantiles(values, n=20, method="inclusive")
    return {f"{name}_p50": found[9], f"{name}_p95": found[18]}


def make_job(task_type: str, objects: int) -> tuple[int, str]:
    """The queue of a job whose objects are all open to one worker, and the cookie of that worker's session."""
    from django.conf import settings
    from django.test import Client

    from benchmarks.claim_submit import make_people
    from labeling import task_types
    from labeling.models import LabelingJob
    from labeling.services.jobs import advancing, creation
    from labeling.task_types.base import TEXT
    from marketplace import storage
    from marketplace.models import Account, Worker, Workteam
    from marketplace.services import boundaries

    account = Account.objects.filter(name="Benchmark").first()
    team = Workteam.objects.filter(account=account).first() if account else None
    if account is None or team is None:
        account, team, _ = make_people(1)
    base = storage.join(boundaries.base_of(account), task_type)
    if task_types.get(task_type).medium == TEXT:
        lines = [{"source": f"Text {number}. " + "What is this about? " * 20} for number in range(objects)]
    else:
        lines = [{"source-ref": storage.join(base, f"{number}.jpg")} for number in range(objects)]
        for number, line in enumerate(lines):
            storage.write(line["source-ref"], picture(number))
    manifest = storage.join(base, "input.manifest")
    storage.write(manifest, "".join(json.dumps(line) + "\n" for line in lines).encode())
    job = creation.create_job(
        account=account,
        by="system",
        name=f"keyboard-{task_type}",
        task_type=task_type,
        labels=LABELS,
        workteam=team,
        input_manifest_uri=manifest,
        title="What is it?",
        description="One of four",
        workers_per_object=1,
        price_micros=36_000,
    )
    until = time.monotonic() + 120
    while job.queue.tasks.count() < objects:
        if time.monotonic() > until:
            raise SystemExit(f"the job has {job.queue.tasks.count()} tasks, {objects} expected")
        advancing.advance_job(job.pk)
        time.sleep(0.2)
    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(Worker.objects.get(public_id__startswith="BENCH").user)
    return LabelingJob.objects.get(pk=job.pk).queue_id, client.cookies["sessionid"].value


def picture(number: int) -> bytes:
    """A photo-like JPEG of about 200 kB, each another one."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(number)
    small = rng.integers(0, 255, (SIDES[1] // 12, SIDES[0] // 12, 3), dtype=np.uint8)
    out: Any = io.BytesIO()
    Image.fromarray(small).resize(SIDES, Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
