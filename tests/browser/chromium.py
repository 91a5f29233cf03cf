"""One Chromium for all tests of a process, and the built files of the pages that it opens."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import elements_site, install

ELEMENTS = Path(__file__).parents[2] / "frontend" / "elements"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
SOURCES = ("src/**/*", "build/*", "package-lock.json", "vite.config.ts", "vite.template.config.ts")


def _stale() -> bool:
    built = elements_site.DIST / "worker.js"
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in ELEMENTS.glob(pattern))
    return not built.is_file() or built.stat().st_mtime < newest


@pytest.fixture(scope="session")
def built_elements() -> Path:
    """The folder of the built files; built again when a source is newer. Skips the test when npm is not installed."""
    if _stale():
        if not shutil.which("npm"):
            pytest.skip("frontend/static/dist is not built and npm is not installed")
        if not (ELEMENTS / "node_modules").is_dir():
            subprocess.run(["npm", "ci"], cwd=ELEMENTS, check=True, capture_output=True)
        subprocess.run(["npm", "run", "build"], cwd=ELEMENTS, check=True, capture_output=True)
    return elements_site.DIST


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests. Skips the test when none is installed."""
    executable = install.find()
    if executable is None:
        pytest.skip("no Chromium on this machine: `apt install chromium` or set WAGGLE_CHROMIUM")
    # Playwright runs an event loop in this thread, in which Django would refuse synchronous use of the database.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    expect.set_options(timeout=30_000)  # generous, because a loaded machine is slow
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()
