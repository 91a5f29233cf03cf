"""A version is released in a copy of the project: the wheel is built and the commit tagged, or objections are said."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.release.__main__ import version
from docs.release.wheel import BUNDLE
from docs.website.navigation import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PEOPLE = {f"GIT_{who}_{what}": "release@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone of the last commit, with the built elements of this tree."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is no git repository")
    clone = tmp_path / "clone"
    run(ROOT, "git", "clone", "--quiet", "--local", str(ROOT), str(clone))
    shutil.copytree((ROOT / BUNDLE).parent, (clone / BUNDLE).parent)
    return clone


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHONPATH"))}
    return subprocess.run(command, cwd=folder, env=environment | PEOPLE, capture_output=True, text=True, check=False)


def release(project: Path) -> "subprocess.CompletedProcess[str]":
    return run(project, sys.executable, "-m", "docs.release")


def test_a_version_is_released_once_and_from_a_clean_tree(project):
    tag = f"v{version()}"
    changelog = project / "CHANGELOG.md"
    undated, dated = f"## [{version()}]", f"## [{version()}] - 2026-01-01"
    text = re.sub(rf"^{re.escape(undated)}.*$", undated, changelog.read_text(), flags=re.M)

    # given a version whose date is not in the changelog yet, in a tree that is not clean
    changelog.write_text(f"{text}\n")
    refused = release(project)
    assert refused.returncode == 1
    assert "the tree is not clean" in refused.stderr and f"no line '{undated} - YYYY-MM-DD' found" in refused.stderr
    assert run(project, "git", "tag", "--list", tag).stdout == ""

    # when it is dated and committed
    changelog.write_text(text.replace(undated, dated))
    run(project, "git", "commit", "--quiet", "--all", "--message", "Date the release")
    done = release(project)

    # then the wheel is there and the commit is tagged, once
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (project / "dist").glob("*.whl")
    assert version() in wheel.name and f"tagged {tag}" in done.stdout
    commits = [run(project, "git", "rev-parse", f"{name}^{{commit}}").stdout for name in (tag, "HEAD")]
    assert commits[0] == commits[1] != ""
    again = release(project)
    assert again.returncode == 1 and f"the tag {tag} exists" in again.stderr
