"""`python -m docs.release`: build the wheel, look at it, and tag the commit. `--wheel` builds without a tag.

Nothing is published and nothing pushed: the last lines say what is left to do.
"""

import argparse
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from docs.release.wheel import BUNDLE, CATALOG

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dist"
NEEDED = (
    BUNDLE,
    CATALOG,
    "frontend/static/dist/portal.css",
    "frontend/templates/base.html",
    "labeling/formats/selection_query.lark",
    "learning/vision/weights/waggle-start.safetensors",
    "marketplace/schema_record.json",
    "marketplace/packaged/Procfile",
    "marketplace/packaged/manage.py",
    "marketplace/packaged/examples/templates/bounding-box.liquid.html",
)
FORBIDDEN = re.compile(r"^(tests|benchmarks|docs|var|frontend/elements)/|node_modules|\.pyc$")


def version() -> str:
    """The version of pyproject.toml, the one place that says it."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def objections(number: str) -> list[str]:
    """Why this version cannot be released from this tree, a sentence each."""
    found = []
    if changed := _git("status", "--porcelain"):
        found.append(f"the tree is not clean:\n{changed}")
    if not re.search(rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M):
        found.append(f"CHANGELOG.md: no line '## [{number}] - YYYY-MM-DD' found")
    if _git("tag", "--list", f"v{number}"):
        found.append(f"the tag v{number} exists: write the next version into pyproject.toml")
    return found


def build(folder: Path) -> Path:
    """Build the wheel into `folder` and return its path. Raises CalledProcessError; ValueError for wrong content."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    (built,) = folder.glob(f"*-{version()}-*.whl")
    if complaints := faults(built):
        raise ValueError(f"{built}: " + "; ".join(complaints))
    return built


def faults(wheel: Path) -> list[str]:
    """What a wheel lacks and what it must not hold."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    # Whatever git keeps in the rooms belongs to the program; a rule that leaves a file out would show at the user's.
    kept = _git("ls-files", "marketplace", "labeling", "learning", "frontend").splitlines()
    expected = {name for name in kept if not name.startswith("frontend/elements/")} | set(NEEDED)
    missing = [f"{name} is missing" for name in sorted(expected - names)]
    return missing + [f"{name} does not belong there" for name in sorted(names) if FORBIDDEN.search(name)]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Release, or only build. Raises SystemExit with every objection."""
    parser = argparse.ArgumentParser(prog="python -m docs.release", description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", action="store_true", help="build the wheel only, from any tree")
    only_wheel, number = parser.parse_args().wheel, version()
    if not only_wheel and (found := objections(number)):
        raise SystemExit("\n".join(found))
    wheel = build(FOLDER)
    print(f"built {wheel.relative_to(ROOT)} ({wheel.stat().st_size / 1e6:.1f} MB)")
    if not only_wheel:
        _git("tag", "--annotate", f"v{number}", "--message", f"Waggle {number}")
        print(f"tagged v{number}; left to do: git push origin v{number}, and the images (docker/README.md)")


if __name__ == "__main__":
    main()
