"""Fixtures every test shares: an embedded PostgreSQL and a folder of its own for each run and each worker process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest

from marketplace import settings_checks
from marketplace import settings_declared as declared

SHARED_DATASETS = Path(__file__).resolve().parent.parent.parent / "shared" / "datasets"


def _own_var_directory() -> None:
    """Point the settings at a fresh var/ before Django reads them; xdist workers share the controller's server."""
    for name in settings_checks.EARLIER_NAMES:
        # They mean something else to whoever runs the tests (DEBUG, say); Waggle would refuse to start.
        os.environ.pop(name, None)
    if "WAGGLE_TEST_VAR" not in os.environ:
        directory = Path(tempfile.mkdtemp(prefix="waggle-test-"))
        directory.chmod(0o755)
        os.environ["WAGGLE_TEST_VAR"] = str(directory)
        atexit.register(_clean, directory)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    root = Path(os.environ["WAGGLE_TEST_VAR"])
    # A worker of xdist has read the settings already, with the folder it inherited: its children must find the same.
    inherited = os.environ.get("WAGGLE_VAR", "") if worker != "main" else ""
    own = Path(inherited) if inherited.startswith(str(root)) else root / worker
    own.mkdir(exist_ok=True)
    os.environ["WAGGLE_VAR"] = str(own)
    database = declared.DATABASE_URL.read(os.environ)
    if not database:
        from marketplace.database import start_embedded

        database = start_embedded(root / "postgres")
    os.environ["WAGGLE_DATABASE_URL"] = database
    os.environ.setdefault("WAGGLE_SECRET_KEY", "only-for-tests-" + "x" * 40)
    os.environ.setdefault("WAGGLE_API_RATE_PER_USER", "1000000/min")


def _clean(directory: Path) -> None:
    from marketplace.database import stop_embedded

    stop_embedded(directory / "postgres")
    shutil.rmtree(directory, ignore_errors=True)


_own_var_directory()
os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.settings"
django.setup()


@pytest.fixture
def datasets() -> Path:
    """The folder of shared real data sets; the test is skipped where it is absent."""
    if not SHARED_DATASETS.is_dir():
        pytest.skip("the shared data sets (../shared/datasets) are not on this machine")
    return SHARED_DATASETS


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> None:
    """Hashing a password takes half a second by design; other processes can still check these hashes."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    PBKDF2PasswordHasher.iterations = 1000
