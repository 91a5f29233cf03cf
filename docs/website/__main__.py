"""`python -m docs.website`: build the site into var/docs/site. A broken link or an unknown page ends the build.

`--pictures` makes the pictures anew, which takes some minutes; without it they are made when there are none.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.website import navigation, pictures
from docs.website.navigation import ROOT

WORK = ROOT / "var" / "docs"
SHOWN = "docs/images"
LINK = re.compile(r"\]\(([^)#?\s]+)")


def linked() -> Iterator[Path]:
    """Files that pages link or show and that are no pages, relative to the project: notebooks, programs, a drawing."""
    pages = set(navigation.written())
    for page in navigation.written():
        for target in LINK.findall((ROOT / page).read_text()):
            path = (ROOT / page.parent / target).resolve()
            if path.is_file() and path.is_relative_to(ROOT) and (name := path.relative_to(ROOT)) not in pages:
                yield name


def stage(source: Path, drawn: Path) -> None:
    """Put every page where its links expect the others, those made from the code among them, and the pictures."""
    shutil.rmtree(source, ignore_errors=True)
    for path in navigation.written():
        target = source / (path.name if ROOT / path.parent == navigation.PAGES else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    (source / "index.md").write_text(navigation.index())
    shutil.copytree(ROOT / SHOWN, source / SHOWN)
    for name in linked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    shutil.copytree(drawn, source / "pictures")
    shutil.copyfile(Path(__file__).with_name("conf.py"), source / "conf.py")
    # A process of its own, because the demo that was photographed had another database.
    subprocess.run([sys.executable, "-m", "docs.website.reference", str(source / "reference")], cwd=ROOT, check=True)


def build(source: Path, site: Path) -> int:
    """Let Sphinx build the site from the staged pages; every warning is an error. Returns the exit code."""
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "--fail-on-warning", "--keep-going", "--quiet"]
    return subprocess.run([*command, "-d", str(site.with_name("doctrees")), str(source), str(site)]).returncode


def main() -> int:
    """Build it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.website", description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="make the pictures anew")
    parser.add_argument("--work", type=Path, default=WORK, help="the folder of the build (var/docs)")
    given = parser.parse_args()
    drawn = given.work / "pictures"
    if given.pictures or not pictures.complete(drawn):
        pictures.make(drawn, demo=given.work / "demo")
    stage(given.work / "source", drawn)
    code = build(given.work / "source", given.work / "site")
    if not code:
        print(f"built {given.work / 'site' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
