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
from tests.frontend.world import World, a_world

pytestmark = pytest.mark.django_db

# Who may call a route. PUBLIC: everybody. SIGNED_IN: every user. OPERATOR, WORKER: these. OWN: only the person to whom
# the object belongs. All other routes: members of the owning account.
PUBLIC = {
    "",
    "sign-in/",
    "health/",
    "password/forgotten/",
    "password/forgotten/sent/",
    "password/reset/<str:uidb64>/<str:token>/",
    "join/<str:secret>/",
    "you/second-factor/authenticate/",
    "you/second-factor/webauthn/login/",
    "api/v1/password-links",
    "api/v1/password-resets",
}
SIGNED_IN = {
    "sign-out/",
    "account/",
    "you/",
    "you/password/",
    "you/confirm/",
    "you/second-factor/",
    "you/second-factor/reauthenticate/",
    "you/second-factor/totp/activate/",
    "you/second-factor/totp/deactivate/",
    "you/second-factor/recovery-codes/",
    "you/second-factor/recovery-codes/generate/",
    "you/second-factor/recovery-codes/download/",
    "you/second-factor/webauthn/",
    "you/second-factor/webauthn/add/",
    "you/second-factor/webauthn/reauthenticate/",
    "api/docs/",
    "api/v1/openapi.json",
    "api/v1/me",
    "api/v1/me/password",
    "api/v1/me/invitations",
    "api/v1/tokens",
    "api/v1/worker",
}
OPERATOR = {
    "operator/",
    "operator/deposit/",
    "operator/payouts/",
    "operator/payouts/send/",
    "operator/payouts/read/",
    "operator/payouts/files/<str:name>/",
    "operator/payouts/<int:payout_id>/paid/",
    "operator/payouts/<int:payout_id>/failed/",
    "api/v1/deposits",
    "api/v1/operator/payouts",
    "api/v1/operator/payouts/<int:payout_id>/paid",
    "api/v1/operator/payouts/<int:payout_id>/failed",
    "api/v1/operator/payout-files",
    "api/v1/operator/payout-files/<str:name>",
    "operator/people/",
    "operator/people/new/",
    "operator/people/<int:user_id>/",
    "operator/people/<int:user_id>/password-link/",
    "operator/people/<int:user_id>/deactivate/",
    "operator/people/<int:user_id>/second-factors-off/",
    "operator/people/<int:user_id>/reactivate/",
    "operator/people/<int:user_id>/suspend/",
    "operator/people/<int:user_id>/lift/",
    "operator/people/<int:user_id>/account/",
    "api/v1/accounts",
    "api/v1/users",
    "api/v1/users/<int:user_id>/password-link",
    "api/v1/users/<int:user_id>/deactivate",
    "api/v1/users/<int:user_id>/reactivate",
    "api/v1/users/<int:user_id>/suspend",
    "api/v1/users/<int:user_id>/lift",
    "operator/appeals/",
    "operator/appeals/<int:appeal_id>/answer/",
    "api/v1/operator/appeals",
    "api/v1/operator/appeals/<int:appeal_id>/answer",
}
WORKER = {
    "work/",
    "work/earnings/",
    "work/earnings/details/",
    "work/earnings/payouts/",
    "work/earnings/payouts/<int:payout_id>/cancel/",
    "work/history/",
    "work/history/<int:assignment_id>/appeal/",
    "work/<int:queue_id>/",
    "api/v1/work",
    "api/v1/earnings",
    "api/v1/payout-details",
    "api/v1/payouts",
    "api/v1/payouts/<int:payout_id>/cancel",
    "api/v1/worker/public-pool",
    "api/v1/worker/teams",
    "api/v1/worker/teams/<int:team_id>",
    "you/teams/<int:team_id>/leave/",
    "api/v1/work-queues/<int:queue_id>/claim",
    "api/v1/labeling-jobs/<int:job_id>/claim",
    "api/v1/assignments",
    "api/v1/assignments/<int:assignment_id>",
    "api/v1/assignments/<int:assignment_id>/submit",
    "api/v1/assignments/<int:assignment_id>/return",
    "api/v1/assignments/<int:assignment_id>/decline",
    "api/v1/assignments/<int:assignment_id>/appeal",
    "api/v1/worker/answers",
    "api/v1/worker/appeals",
}
OWN = {
    "api/v1/tokens/<int:token_id>",
    "settings/tokens/<int:token_id>/revoke/",
    "api/v1/images/<str:token>",
    "api/v1/me/invitations/<int:invitation_id>/accept",
    "api/v1/me/invitations/<int:invitation_id>/decline",
    "you/invitations/<int:invitation_id>/accept/",
    "you/invitations/<int:invitation_id>/decline/",
    "you/accounts/<int:account_id>/leave/",
    "you/second-factor/webauthn/keys/<int:pk>/remove/",
    "you/second-factor/webauthn/keys/<int:pk>/edit/",
}
# A team's workers may see the example images of their job's instructions.
SHARED_WITH_WORKERS = {"api/v1/work-queues/<int:queue_id>/examples/<str:kind>/<int:number>"}
FORBIDDEN_TO_VIEWERS = (
    "jobs/new/launch/",
    "jobs/<int:job_id>/stop/",
    "jobs/<int:job_id>/labels/<int:object_id>/adjudicate/",
    "datasets/new/",
    "datasets/<int:dataset_id>/stop/",
    "exports/<int:export_id>/stop/",
    "imports/new/",
    "imports/<int:import_id>/stop/",
    "teams/new/",
    "teams/<int:team_id>/invite/",
    "teams/<int:team_id>/remove/",
    "teams/suspended/new/",
    "teams/suspended/<str:worker_id>/lift/",
    "settings/invitations/",
    "settings/invitations/<int:invitation_id>/withdraw/",
    "settings/members/<int:user_id>/role/",
    "settings/members/<int:user_id>/remove/",
    "settings/tokens/",
    "api/v1/invitations",
    "api/v1/workteams/<int:team_id>/invitations",
    "api/v1/blocks",
    "jobs/<int:job_id>/answers/decide/",
    "jobs/<int:job_id>/answers/sample/",
    "jobs/<int:job_id>/answers/<int:review_id>/decide/",
    "appeals/<int:appeal_id>/answer/",
    "api/v1/labeling-jobs/<int:job_id>/answer-reviews/sample",
    "api/v1/labeling-jobs/<int:job_id>/answer-reviews/accept",
    "api/v1/labeling-jobs/<int:job_id>/answer-reviews/reject",
    "api/v1/answer-reviews/<int:review_id>/accept",
    "api/v1/answer-reviews/<int:review_id>/reject",
    "api/v1/appeals/<int:appeal_id>/answer",
)
REFUSED = {302, 401, 403, 404, 405}
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")
BODILESS = ("get", "head", "options", "trace")


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


def answers(client: Client, path: str) -> dict[str, int]:
    """The status code for each HTTP method."""
    found = {}
    for method in METHODS:
        call = getattr(client, method)
        response = call(path) if method in BODILESS else call(path, data="{}", content_type="application/json")
        # Django's own views answer OPTIONS with the Allow header and an empty body.
        only_allow = method == "options" and response.status_code == 200 and not response.content
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


def unrefused(client: Client, wanted: Iterable[str], world: World, allowed: set[int] = REFUSED) -> dict[str, dict]:
    """The routes that answer with another status than those `allowed`, with the statuses by method."""
    found = {route: answers(client, address(route, world)) for route in sorted(wanted)}
    return {route: codes for route, codes in found.items() if not set(codes.values()) <= allowed}


def test_without_signing_in_only_public_routes_answer(world):
    assert unrefused(Client(raise_request_exception=False), set(ALL) - PUBLIC, world) == {}


def test_another_account_sees_nothing_of_the_first(world):
    client = signed_in(world.stranger)
    private = set(ALL) - PUBLIC - SIGNED_IN
    named = {r for r in private if "<int" in r or "<str:token>" in r}
    assert unrefused(client, named, world) == {}
    assert unrefused(client, private - named, world, REFUSED | {200, 201, 204, 400, 409, 422}) == {}
    for route in private:
        path = address(route, world)
        body = client.get(path).content
        shown = [secret for secret in world.secrets if secret.encode() in body]
        assert not shown, f"{path} shows {shown} to a stranger"


def test_a_worker_sees_no_requester_page(world):
    private = set(ALL) - PUBLIC - SIGNED_IN - WORKER - OWN - SHARED_WITH_WORKERS
    assert unrefused(signed_in(world.worker_user), private, world) == {}


def test_another_worker_of_the_team_cannot_use_an_assignment(world):
    routes = {route for route in WORKER if "assignment_id" in route}
    assert unrefused(signed_in(world.other_worker_user), routes, world) == {}


def test_a_worker_outside_the_team_cannot_open_the_job(world):
    routes = {route for route in WORKER if "<int:" in route} | SHARED_WITH_WORKERS
    assert unrefused(signed_in(world.outsider_user), routes, world) == {}


def test_only_operators_may_call_operator_routes(world):
    for user in (world.owner, world.worker_user):
        assert unrefused(signed_in(user), OPERATOR, world) == {}


def test_a_viewer_changes_nothing(world):
    """The role with the fewest rights reads the account's pages; whatever spends money or stops work is refused."""
    viewer = User.objects.create(username="viewer", email="viewer@example.org", password="!")
    accounts.add_member(account=world.account, user=viewer, role=Role.VIEWER)
    client, before = signed_in(viewer), world.fingerprint()
    for route in FORBIDDEN_TO_VIEWERS:
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
