"""Make sure that there is a Chromium for the browser tests: an installed one, else install one.

The headless shell is the same engine without the windows of a browser: a page costs a third of the time.
"""

import os
import shutil
import subprocess
import sys

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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
    if _may_use_apt():
        _apt_get("update")
        _apt_get("install", "-y", SHELL)
        if find() is None:
            _apt_get("install", "-y", "chromium")
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if find() is None:
        sys.exit("no Chromium: install one, or name it in the environment variable WAGGLE_CHROMIUM")


def _may_use_apt() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_get(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", *command], env=environment, check=False, stdout=subprocess.DEVNULL)


def _shell_can_be_had() -> bool:
    """Whether the package lists of this machine have the headless shell, which is not installed yet."""
    if "WAGGLE_CHROMIUM" in os.environ or shutil.which(SHELL) or not _may_use_apt():
        return False
    return subprocess.run(["apt-cache", "show", SHELL], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    if find() is None or _shell_can_be_had():
        install()
    print(f"Chromium: {find()}")
