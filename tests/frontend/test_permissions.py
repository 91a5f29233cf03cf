"""Every route, called without signing in, by a member of another account, and by a worker.

The routes come from the URL table: a new one counts as private to its account until it is listed below.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from marketplace.models import Role, User
from marketplace.services import accounts
from tests.frontend import events_world
from tests.frontend.route_sets import (
    FORBIDDEN_TO_VIEWERS,
    MARKET,
    OPERATOR,
    OWN,
    PUBLIC,
    SHARED_WITH_WORKERS,
    SIGNED_IN,
    WORKER,
)
from tests.frontend.world import World, a_world

pytestmark = pytest.mark.django_db

REFUSED = {302, 401, 403, 404, 405}
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")
BODILESS = ("get", "head", "options", "trace")
RARE = [method for method in METHODS if method not in ("get", "post")]
"""Methods of which `make test` tries one with each route, in turn, and `make test-all` all."""
thoroughly = pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.slow)])


def views(patterns: list | None = None, prefix: str = "") -> Iterator[tuple[str, Callable]]:
    """(route, view) of every entry of the URL table."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from views(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback


ALL = sorted({route for route, _ in views()})


@pytest.fixture
def world(db) -> World:
    return a_world()


def address(route: str, world: World) -> str:
    """A path for the route, filled in with the ids of the first account's objects."""
    values = {**world.ids, "kind": "good_examples", "number": "0", "part": "config.json", "step": "data"}

    def fill(match: re.Match[str]) -> str:
        return str(values[match[2]])

    return "/" + re.sub(r"<(\w+):(\w+)>", fill, route)


def answers(client: Client, path: str, methods: Iterable[str] = METHODS) -> dict[str, int]:
    """The status code for each HTTP method."""
    found = {}
    for method in methods:
        call = getattr(client, method)
        response = call(path) if method in BODILESS else call(path, data="{}", content_type="application/json")
        # Django's own views answer OPTIONS with the Allow header and an empty body.
        empty = not response.streaming and not response.content
        only_allow = method == "options" and response.status_code == 200 and empty
        found[method] = 405 if only_allow else response.status_code
    return found


def test_all_views_and_all_their_methods_are_covered():
    assert len(ALL) > 60
    for route, view in views():
        assert route in ALL
        handled = getattr(view, "view_class", None) or getattr(view, "cls", None)
        if handled is not None:
            known = {m for m in handled.http_method_names if hasattr(handled, m)}
            assert known <= set(METHODS), route


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def unrefused(
    client: Client, wanted: Iterable[str], world: World, allowed: set[int] = REFUSED, *, thorough: bool = True,
    besides: str = "",
) -> dict[str, dict]:  # fmt: skip
    """The routes that answer with another status than those `allowed`, with the statuses by method; no request is made
    with the method `besides`."""
    found = {}
    for number, route in enumerate(sorted(wanted)):
        methods = METHODS if thorough else ("get", "post", RARE[number % len(RARE)])
        found[route] = answers(client, address(route, world), [one for one in methods if one != besides])
    return {route: codes for route, codes in found.items() if not set(codes.values()) <= allowed}


def test_without_signing_in_only_public_routes_answer(world):
    assert unrefused(Client(raise_request_exception=False), set(ALL) - PUBLIC, world) == {}


@thoroughly
def test_another_account_sees_nothing_of_the_first(world, thorough):
    client = signed_in(world.stranger)
    private = set(ALL) - PUBLIC - SIGNED_IN
    named = {r for r in private if "<int" in r or "<str:token>" in r} - MARKET
    assert unrefused(client, named, world, thorough=thorough, besides="get") == {}
    lists = REFUSED | {200, 201, 204, 400, 409, 422}
    assert unrefused(client, private - named, world, lists, thorough=thorough, besides="get") == {}
    for route in private:
        path = address(route, world)
        response = client.get(path)
        assert response.status_code in (REFUSED if route in named else lists), path
        body = b"".join(response)
        shown = [secret for secret in world.secrets if secret.encode() in body]
        assert not shown, f"{path} shows {shown} to a stranger"


@thoroughly
def test_a_worker_sees_no_requester_page(world, thorough):
    private = set(ALL) - PUBLIC - SIGNED_IN - WORKER - OWN - SHARED_WITH_WORKERS
    assert unrefused(signed_in(world.worker_user), private, world, thorough=thorough) == {}


def test_another_worker_of_the_team_cannot_use_an_assignment(world):
    routes = {route for route in WORKER if "assignment_id" in route}
    assert unrefused(signed_in(world.other_worker_user), routes, world) == {}


def test_a_worker_outside_the_team_cannot_open_the_job(world):
    routes = {route for route in WORKER if "<int:" in route} | SHARED_WITH_WORKERS
    assert unrefused(signed_in(world.outsider_user), routes, world) == {}


@thoroughly
def test_only_operators_may_call_operator_routes(world, thorough):
    for user in (world.owner, world.worker_user):
        assert unrefused(signed_in(user), OPERATOR, world, thorough=thorough) == {}


def test_a_viewer_changes_nothing(world):
    """The role with the fewest rights reads the account's pages; whatever spends money or stops work is refused."""
    viewer = User.objects.create(username="viewer", email="viewer@example.org", password="!")
    accounts.add_member(account=world.account, user=viewer, role=Role.VIEWER)
    client, before = signed_in(viewer), world.fingerprint()
    for route in (*FORBIDDEN_TO_VIEWERS, *events_world.FORBIDDEN_TO_VIEWERS):
        assert client.post(address(route, world)).status_code == 403, route
    assert world.fingerprint() == before


def test_get_never_changes_state(world):
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    before = world.fingerprint()
    for route in ALL:
        client.get(address(route, world))
    assert world.fingerprint() == before


@pytest.mark.parametrize("path", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py"])
def test_static_files_cannot_leave_their_folder(path, client):
    assert client.get(path).status_code in (301, 302, 400, 404)


def test_lists_refuse_filters_over_other_tables(world):
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    for route in ("labeling-jobs", "datasets", "models", "training-jobs", "workteams", "tokens"):
        response = client.get(f"/api/v1/{route}?account__members__password__startswith=pbkdf2")
        assert response.status_code == 400, route
        assert response.headers["Content-Type"] == "application/problem+json"
