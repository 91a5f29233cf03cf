"""How many queries the ten most used pages make, on a real PostgreSQL, through Django's test client.

The database has a running job with an open batch and paid answers, several jobs, accounts and teams. Every page is
opened once to warm up and once to count, with few rows and with `--rows` times as many; `*_growth` is the number of
queries that the further rows add. The test suite requires every growth to be zero.

    make bench NAME=page_queries      or: python -m benchmarks.page_queries [--rows 4]
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import machine, report

if TYPE_CHECKING:
    from marketplace.models import User


def main() -> None:
    """Start a database of its own, count, print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=4, help="by which factor the number of rows grows")
    options = arguments.parse_args()
    before = machine()
    var = Path(tempfile.mkdtemp(prefix="waggle-bench-"))
    var.chmod(0o755)
    os.environ |= {"WAGGLE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    try:
        figures = measure(options.rows)
    finally:
        from marketplace.database import stop_embedded

        stop_embedded(var / "postgres")
        shutil.rmtree(var, ignore_errors=True)
    report("page_queries", figures, on=before)


def measure(times: int) -> dict[str, float]:
    """Queries of each page, and how many more rows add to them."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    call_command("migrate", verbosity=0)
    setup_test_environment()
    from tests.frontend.portal import a_portal, grow, pages

    portal = a_portal()
    grow(portal)
    few = {name: opened(user, path) for name, (user, path) in pages(portal).items()}
    for _ in range(2 * (times - 1)):
        grow(portal)
    many = {name: opened(user, path) for name, (user, path) in pages(portal).items()}
    for name, count in few.items():
        print(f"{name:20} {count:3} queries, {many[name]:3} with {times} times the rows")
    growth = {f"{name}_growth": many[name] - count for name, count in few.items()}
    return {**few, **growth, "total": sum(few.values())}


def opened(user: "User", path: str) -> int:
    """Queries that opening a page takes the second time."""
    from tests.frontend.portal import queries_of

    queries_of(user, path)
    return len(queries_of(user, path))


if __name__ == "__main__":
    main()
