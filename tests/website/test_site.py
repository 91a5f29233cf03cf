"""The site is built, and every warning of its generator is an error. Stand-ins take the place of its pictures."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from docs.website import navigation, pictures
from docs.website.navigation import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("the site's generator is not installed: pip install -r requirements-docs.txt")
    (tmp_path / "pictures").mkdir()
    for picture in pictures.PICTURES:
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / f"{picture.name}.webp")
    return tmp_path


def test_the_site_is_built_and_a_broken_link_is_not(work):
    command = [sys.executable, "-m", "docs.website", "--work", str(work)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    site = work / "site"
    pages = [page for section in navigation.SECTIONS.values() for page in section]
    assert [page for page in pages if not (site / f"{page}.html").is_file()] == []
    assert "audit_ledger" in (site / "reference" / "commands.html").read_text()
    assert "/api/v1/labeling-jobs" in (site / "reference" / "rest.html").read_text()

    page = work / "source" / "docs" / "tutorial.md"
    page.write_text(page.read_text() + "\n[nowhere](no-such-page.md)\n")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-q", str(work / "source"), str(work / "again")]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode != 0
    assert "no-such-page" in again.stderr
