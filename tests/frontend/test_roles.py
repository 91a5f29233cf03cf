"""Who may do what: for every route and method, the status that each role gets, as a table.

The routes come from the URL table, so a new one fails until it has a row. Every request is a right one about objects
that exist: what is refused is refused because of who asks.
"""

from pathlib import Path

import pytest

from tests.frontend.roles import LADDER, ROLES, Everybody, differing, found
from tests.frontend.test_permissions import ALL
from tests.frontend.world import a_world

TABLE = Path(__file__).with_name("permissions.txt")
PARTS = 4
"""The routes are spread over so many tests, so that none takes long; `make test` asks those of two of them."""


def rows() -> dict[str, str]:
    """ "METHOD route": the statuses of the roles, in the order of ROLES, as the table says."""
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    read = {}
    for method, route, *statuses in map(str.split, lines):
        assert len(statuses) == len(ROLES), (method, route)
        read[f"{method} {'' if route == '-' else route}"] = " ".join(statuses)
    assert len(read) == len(lines), "a row stands twice"
    return read


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))])
def test_representatives_of_the_roles_get_what_the_table_says(part, db):
    """Of each row as many roles as it has statuses, and those between whom the rights end; all of them are below."""
    assert differing(Everybody(a_world()), ALL[part::PARTS], rows()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_role_gets_what_the_table_says(part, db):
    routes = ALL[part::PARTS]
    expected = {key: row for key, row in rows().items() if key.partition(" ")[2] in routes}
    assert found(Everybody(a_world()), routes) == expected, f"the columns are {', '.join(ROLES)}"


def test_the_table_has_no_row_for_a_route_that_is_gone():
    assert {key.partition(" ")[2] for key in rows()} <= set(ALL)


def test_every_route_has_a_row():
    assert {key.partition(" ")[2] for key in rows()} >= set(ALL)


def test_rank_never_takes_a_right_away():
    """Whatever a member may do, those above may do as well; whom the table refuses is refused with a known status."""
    refused = {"401", "403", "404", "405", "sign-in"}
    places = {role: place for place, role in enumerate(ROLES)}
    for key, row in rows().items():
        statuses = row.split()
        may = [statuses[places[role]] not in refused for role in LADDER]
        assert may == sorted(may), key
        assert all(int(status) < 500 for status in statuses if status != "sign-in"), key
