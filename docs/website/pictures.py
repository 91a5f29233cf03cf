"""The pictures of the site: the demo is run on a few scenes, and a headless Chromium looks at its pages.

Nothing is drawn by hand: what a picture shows, `make demo` shows too.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.website.navigation import ROOT
from frontend.demo import scenes
from marketplace.database import stop_embedded
from tests.browser import install

SCENES, WORKERS, TRAIN_SECONDS = 36, 6, 30
SECONDS = 2400
"""How long the demo may take."""
SLOWEST_MS, SETTLE_MS = 180_000, 2_000
"""How long a page may take on a busy machine, and how long charts and canvases get to draw."""
WINDOW = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
REQUESTER, OPERATOR, WORKER = "requester@demo.example", "operator@demo.example", "worker-1@demo.example"


@dataclass(frozen=True)
class Picture:
    """One page: who looks, at which address, which link of it is followed first, and in which window."""

    name: str
    who: str
    path: str
    follow: str = ""
    window: tuple[tuple[str, int], ...] = tuple(WINDOW.items())


PICTURES = (
    Picture("overview", REQUESTER, "/overview/"),
    Picture("job", REQUESTER, "{job}"),
    Picture("gallery", REQUESTER, "{job}labels/"),
    Picture("object", REQUESTER, "{job}labels/", follow=".gallery-caption:has-text('confidence') a"),
    Picture("people", REQUESTER, "{job}people/"),
    Picture("downloads", REQUESTER, "{job}downloads/"),
    Picture("loop", REQUESTER, "{job}loop/"),
    Picture("models", REQUESTER, "/models/"),
    Picture("earnings", WORKER, "work/earnings/"),
    Picture("history-phone", WORKER, "work/history/", window=tuple(PHONE.items())),
    Picture("ledger", OPERATOR, "/operator/ledger/"),
    Picture("accounts", OPERATOR, "/operator/"),
)


def complete(folder: Path) -> bool:
    """Whether every picture is there."""
    return all((folder / f"{picture.name}.webp").exists() for picture in PICTURES)


def make(folder: Path, *, demo: Path) -> None:
    """Run the demo with its data in `demo` and take every picture into `folder`.

    Raises RuntimeError when there is no Chromium, or when the demo ends or a page is not as expected.
    """
    executable = install.find()
    if executable is None:
        raise RuntimeError("there is no Chromium: run `make browser`, or set WAGGLE_CHROMIUM")
    folder, demo = folder.resolve(), demo.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _demo(demo) as url, sync_playwright() as playwright:
        logins = json.loads((demo / "var" / "demo" / "passwords.json").read_text())
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for who in (REQUESTER, WORKER, OPERATOR):
            _visit(browser, url, who, logins[who], folder)
        browser.close()


@contextlib.contextmanager
def _demo(folder: Path) -> Iterator[str]:
    """The demo, once its job is done and while its portal stays; its address. All of it is gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    scenes.write_dataset(folder / "garden", count=SCENES, seed=11)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("WAGGLE_", "DJANGO_"))}
    settings |= {"WAGGLE_VAR": str(folder / "var"), "WAGGLE_BIND": host, "WAGGLE_PUBLIC_URL": f"http://{host}"}
    command = [sys.executable, "manage.py", "demo", "--images", str(folder / "garden"), "--spammers", "1"]
    command += ["--workers", str(WORKERS), "--train-seconds", str(TRAIN_SECONDS)]
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=log, stderr=log, start_new_session=True, preexec_fn=_heed_interrupts
        )
    try:
        deadline = time.monotonic() + SECONDS
        while not (folder / "var" / "demo" / "summary.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the demo did not finish:\n{(folder / 'demo.log').read_text()[-3000:]}")
            time.sleep(1)
        yield f"http://{host}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        process.wait(120)
        stop_embedded(folder / "var" / "postgres")
        shutil.rmtree(folder / "var", ignore_errors=True)


def _heed_interrupts() -> None:
    """What a shell runs in the background ignores SIGINT, and so would the demo, which ends by it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _visit(browser: Browser, url: str, who: str, password: str, folder: Path) -> None:
    """Sign in as somebody and take their pictures."""
    context = browser.new_context(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(SLOWEST_MS)
    page = context.new_page()
    page.goto(f"{url}/sign-in/")
    page.locator("input[name=username]").fill(who)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "sign-in" not in address)
    job = ""
    if who == REQUESTER:
        page.goto(f"{url}/jobs/")
        job = page.locator("a[href*='/jobs/']:has-text('demo-garden')").first.get_attribute("href") or ""
    for picture in PICTURES:
        if picture.who == who:
            _take(page, f"{url}/{picture.path.format(job=job).lstrip('/')}", picture, folder / f"{picture.name}.webp")
    context.close()


def _take(page: Page, address: str, picture: Picture, path: Path) -> None:
    """Take one picture. Raises RuntimeError when the server refuses the page."""
    page.set_viewport_size(dict(picture.window))  # type: ignore[arg-type]
    answer = page.goto(address)
    if answer is None or not answer.ok:
        raise RuntimeError(f"{picture.name}: {address} answered {answer and answer.status}")
    if picture.follow:
        page.locator(picture.follow).first.click()
    # Not until the network is idle: pages that follow a job ask again and again.
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.wait_for_timeout(SETTLE_MS)
    page.evaluate("document.fonts.ready")
    Image.open(io.BytesIO(page.screenshot())).save(path, quality=82, method=6)
