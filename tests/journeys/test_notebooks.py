"""The notebooks of examples/notebooks run as they stand, in a kernel of their own, against a real installation."""

from pathlib import Path

import pytest

from tests.journeys.notebooks import NOTEBOOKS, Installation, installed, pictures

# For a migrated database to copy (see tests/databases.py).
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.xdist_group("notebooks"),
]
CROWDS = {
    "1-bees-ground-truth": "--job",
    "2-review-a2i": "--flow",
    "3-continuous-improvement": "--flow",
    "4-bees-sagemaker-sdk": "",
}


@pytest.fixture(scope="module")
def installation(django_db_setup):
    with installed() as found:
        yield found


def test_every_notebook_is_run():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(CROWDS)


@pytest.mark.parametrize("name", CROWDS)
def test_a_notebook_runs_to_its_pictures(installation: Installation, name: str, tmp_path: Path):
    cells = installation.notebook(name, folder=tmp_path, crowd=CROWDS[name])
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    (picture,) = pictures(code[-1])
    assert len(picture) > 5000
