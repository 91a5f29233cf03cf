"""Make sure that there is a Chromium for the browser tests: an installed one, else install one."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of an installed Chromium, or None. WAGGLE_CHROMIUM comes first."""
    named = os.environ.get("WAGGLE_CHROMIUM")
    if named and os.access(named, os.X_OK):
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def install() -> None:
    """Install Debian's package as root, else Playwright's download. Exits with 1 when neither works."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if find() is None:
        sys.exit("no Chromium: install one, or name it in the environment variable WAGGLE_CHROMIUM")


if __name__ == "__main__":
    if find() is None:
        install()
    print(f"Chromium: {find()}")
