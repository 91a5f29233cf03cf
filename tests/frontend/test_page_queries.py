"""The ten pages that are opened most take as many queries for many rows as for few, and so do the API's lists."""

import pytest

from marketplace.models import User
from tests.frontend.portal import Portal, a_portal, grow, pages, queries_of

pytestmark = pytest.mark.django_db
LISTS = ("labeling-jobs", "datasets", "workteams", "models", "training-jobs", "members", "tokens", "wallet/statement")
WORKERS_LISTS = ("work", "earnings")


@pytest.fixture
def portal(db) -> Portal:
    """Two of everything: with one row a query for each row cannot be told from one for all."""
    portal = a_portal()
    grow(portal)
    return portal


def asked(wanted: dict[str, tuple[User, str]]) -> dict[str, list[str]]:
    return {name: queries_of(user, path) for name, (user, path) in wanted.items()}


def compare(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    grown = {name: (len(few), len(after[name])) for name, few in before.items() if len(after[name]) > len(few)}
    assert not grown, f"queries for few rows and for twice as many: {grown}"


def test_twice_the_rows_take_no_more_queries(portal):
    wanted = pages(portal)
    assert len(wanted) == 10
    before = asked(wanted)
    for _ in range(2):
        grow(portal)
    compare(before, asked(pages(portal)))


def test_twice_the_rows_take_no_more_queries_over_rest(portal):
    owner, worker = portal.account.members.order_by("pk")[0], portal.workers[0].user
    lists = {name: (owner, f"/api/v1/{name}") for name in LISTS} | {
        name: (worker, f"/api/v1/{name}") for name in WORKERS_LISTS
    }
    lists["objects"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/objects")
    lists["exports"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/exports")
    before = asked(lists)
    for _ in range(2):
        grow(portal)
    compare(before, asked(lists))
