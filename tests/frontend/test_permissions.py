"""Every route, called as nobody, as a member of another account, and as a worker: generated from the URL table.

A route that is not in the table below fails the test, so a new one cannot be forgotten.
"""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.frontend.world import World, a_world

pytestmark = pytest.mark.django_db

# Who may see a route's answer at all. "public": anybody. "signed-in": anybody with a sign-in. "member": members of the
# owning account. "operator", "worker": those. "own": only the person the object belongs to.
PUBLIC = {"", "sign-in/", "health/"}
SIGNED_IN = {
    "sign-out/",
    "account/",
    "api/docs/",
    "api/v1/openapi.json",
    "api/v1/me",
    "api/v1/tokens",
    "api/v1/worker",
}
OPERATOR = {"operator/", "operator/deposit/", "api/v1/deposits"}
WORKER = {
    "work/",
    "work/earnings/",
    "work/<int:job_id>/",
    "api/v1/work",
    "api/v1/earnings",
    "api/v1/worker/public-pool",
    "api/v1/labeling-jobs/<int:job_id>/claim",
    "api/v1/assignments/<int:assignment_id>",
    "api/v1/assignments/<int:assignment_id>/submit",
    "api/v1/assignments/<int:assignment_id>/return",
    "api/v1/assignments/<int:assignment_id>/decline",
}
OWN = {"api/v1/tokens/<int:token_id>", "settings/tokens/<int:token_id>/revoke/", "api/v1/images/<str:token>"}
# Team workers may see the examples of their job's instructions.
SHARED_WITH_WORKERS = {"api/v1/labeling-jobs/<int:job_id>/examples/<str:kind>/<int:number>"}
REFUSED = {302, 401, 403, 404, 405}


def routes(patterns: list | None = None, prefix: str = "") -> Iterator[str]:
    """Every route of the URL table as text."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route


ALL = sorted(set(routes()))


@pytest.fixture
def world(db) -> World:
    return a_world()


def address(route: str, world: World) -> str:
    """A real address for the route, with the ids of the first account's objects."""
    values = {**world.ids, "kind": "good_examples", "number": "0", "part": "config.json", "step": "data"}

    def fill(match: re.Match[str]) -> str:
        return str(values[match[2]])

    return "/" + re.sub(r"<(\w+):(\w+)>", fill, route)


def answers(client: Client, path: str, bodies: tuple[str, ...] = ("get", "post", "delete")) -> dict[str, int]:
    """The status of each method."""
    found = {}
    for method in bodies:
        call = getattr(client, method)
        response = call(path) if method == "get" else call(path, data="{}", content_type="application/json")
        found[method] = response.status_code
    return found


def test_there_are_routes():
    assert len(ALL) > 60


@pytest.mark.parametrize("route", [r for r in ALL if r not in PUBLIC])
def test_nobody_is_turned_away(route, world):
    codes = answers(Client(raise_request_exception=False), address(route, world))
    assert set(codes.values()) <= REFUSED, codes


@pytest.mark.parametrize("route", [r for r in ALL if r not in PUBLIC | SIGNED_IN])
def test_another_account_sees_nothing_of_the_first(route, world):
    client = Client(raise_request_exception=False)
    client.force_login(world.stranger)
    path = address(route, world)
    names_something = "<int" in route or "<str:token>" in route
    for method, code in answers(client, path).items():
        if names_something and "<str:step>" not in route:
            assert code in REFUSED, (method, code)
        else:
            assert code in REFUSED | {200, 201, 204, 400, 409, 422}, (method, code)
    body = client.get(path).content
    for secret in world.secrets:
        assert secret.encode() not in body, f"{path} shows {secret!r} to a stranger"


@pytest.mark.parametrize("route", [r for r in ALL if r not in PUBLIC | SIGNED_IN | WORKER | OWN | SHARED_WITH_WORKERS])
def test_a_worker_sees_no_requester_page(route, world):
    client = Client(raise_request_exception=False)
    client.force_login(world.worker_user)
    codes = answers(client, address(route, world))
    assert set(codes.values()) <= REFUSED, codes


@pytest.mark.parametrize("route", sorted(WORKER))
def test_another_worker_cannot_touch_an_assignment(route, world):
    client = Client(raise_request_exception=False)
    client.force_login(world.other_worker_user)
    if "<int:" not in route:
        pytest.skip("the route names no object")
    codes = answers(client, address(route, world))
    assert set(codes.values()) <= REFUSED, codes


@pytest.mark.parametrize("route", sorted(OPERATOR))
def test_only_operators_operate(route, world):
    for user in (world.owner, world.worker_user):
        client = Client(raise_request_exception=False)
        client.force_login(user)
        assert set(answers(client, address(route, world)).values()) <= REFUSED


def test_get_never_changes_state(world):
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    before = world.fingerprint()
    for route in ALL:
        client.get(address(route, world))
    assert world.fingerprint() == before


@pytest.mark.parametrize("path", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py"])
def test_static_files_do_not_climb(path, client):
    assert client.get(path).status_code in (301, 302, 400, 404)


def test_filters_are_an_allow_list(world):
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    for route in ("labeling-jobs", "datasets", "models", "training-jobs", "workteams", "tokens"):
        response = client.get(f"/api/v1/{route}?account__members__password__startswith=pbkdf2")
        assert response.status_code == 400, route
        assert response.headers["Content-Type"] == "application/problem+json"
