"""What all tests share: an embedded PostgreSQL for the run, and a var/ folder for each of its processes."""

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from marketplace import settings_checks
from marketplace import settings_declared as declared

MEMORY_BYTES = 4 << 30
"""What a run of all tests keeps in its folder stays well below."""

SHARED_DATASETS = Path(__file__).resolve().parent.parent.parent / "shared" / "datasets"


def _own_var_directory() -> None:
    """Point the settings at a fresh var/ before Django reads them; xdist workers share the controller's server."""
    for name in settings_checks.EARLIER_NAMES:
        # Waggle refuses to start with an earlier name of a setting; here DEBUG, say, may be meant for another program.
        os.environ.pop(name, None)
    if "WAGGLE_TEST_VAR" not in os.environ:
        directory = Path(tempfile.mkdtemp(prefix="waggle-test-", dir=_in_memory()))
        directory.chmod(0o755)
        os.environ["WAGGLE_TEST_VAR"] = str(directory)
        atexit.register(_clean, directory)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    root = Path(os.environ["WAGGLE_TEST_VAR"])
    # An xdist worker has already read the settings, with the folder that it inherited; keep that one.
    inherited = os.environ.get("WAGGLE_VAR", "") if worker != "main" else ""
    own = Path(inherited) if inherited.startswith(str(root)) else root / worker
    own.mkdir(exist_ok=True)
    os.environ["WAGGLE_VAR"] = str(own)
    database = declared.DATABASE_URL.read(os.environ)
    if not database:
        from marketplace.database import start_embedded

        database = start_embedded(root / "postgres")
        _without_waiting_for_the_disk(database)
        # For programs that tests start with an address of their own making.
        os.environ["PGPASSFILE"] = str(root / "postgres" / "waggle.pgpass")
    os.environ["WAGGLE_DATABASE_URL"] = database
    os.environ.setdefault("WAGGLE_SECRET_KEY", "only-for-tests-" + "x" * 40)
    # Many tests' manifests name images in these buckets; no server has them.
    os.environ.setdefault("WAGGLE_S3_INPUT_BUCKETS", "b,bees,bucket")
    os.environ.setdefault("WAGGLE_API_RATE_PER_USER", "1000000/min")
    # A thread of the live server lives as long as its client keeps the connection; its session of the database would
    # keep the test database from being dropped.
    os.environ.setdefault("WAGGLE_DATABASE_CONNECTION_SECONDS", "0")


def _in_memory() -> str | None:
    """A folder of files in memory with room for the databases of a run, which a truncated table alone makes a dozen of
    anew; None where there is none."""
    memory = Path("/dev/shm")
    room = shutil.disk_usage(memory).free if os.access(memory, os.W_OK) else 0
    return str(memory) if room > MEMORY_BYTES else None


def _without_waiting_for_the_disk(database: str) -> None:
    """Nothing of a run has to outlive a power cut. What a killed server had committed is there in any case."""
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def _clean(directory: Path) -> None:
    from marketplace.database import stop_embedded

    stop_embedded(directory / "postgres")
    shutil.rmtree(directory, ignore_errors=True)


GIVEN_DATABASE = bool(declared.DATABASE_URL.read(os.environ))
_own_var_directory()
os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.settings"
django.setup()

from django.db import connection  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

# Chromium's fixtures are here because a process can have one instance of Playwright only, for whichever tests want it.
from tests import databases  # noqa: E402
from tests.browser.chromium import built_elements, chromium  # noqa: E402, F401


def pytest_unconfigure() -> None:
    """The databases on a server that outlives the run are dropped; an embedded one goes with its folder."""
    if GIVEN_DATABASE and "PYTEST_XDIST_WORKER" not in os.environ:
        databases.drop_templates()


def pytest_collection_finish() -> None:
    """Modules and tests stay until the end: they need not be looked through again and again for what can go."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def datasets() -> Path:
    """The folder of shared real data sets; the test is skipped where it is absent."""
    if not SHARED_DATASETS.is_dir():
        pytest.skip("the shared data sets (../shared/datasets) are not on this machine")
    return SHARED_DATASETS


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker) -> None:
    """The test database is a copy of the one that the first process of the run has migrated."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"] |= {"TEMPLATE": databases.migrated(), "MIGRATE": False}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """As pytest-django makes it for tests marked django_db; tests that commit leave it empty."""
    flushed = TransactionTestCase._fixture_teardown
    with django_db_blocker.unblock():
        if databases.may_empty():
            TransactionTestCase._fixture_teardown = lambda test: databases.empty()
    yield
    TransactionTestCase._fixture_teardown = flushed


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> None:
    """Fewer hashing rounds: half a second for each password is too much for tests."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    PBKDF2PasswordHasher.iterations = 1000
