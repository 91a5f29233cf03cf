"""The REST API over real HTTP: tokens, errors, idempotency, accounts, deposits, paging."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.models import Entry, Role
from marketplace.services import accounts, wallets
from tests import builders
from tests.frontend.callers import POOL, Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_without_a_token_is_refused(live_server):
    response = POOL.request("GET", f"{live_server.url}/api/v1/me")
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_revoked_token_is_refused(requester):
    status, page, _ = requester.call("GET", "tokens")
    assert status == 200
    assert "secret" not in str(page)
    assert requester.call("DELETE", f"tokens/{page['results'][0]['id']}")[0] == 204
    status, problem, _ = requester.call("GET", "me")
    assert status == 401
    assert "revoked" in problem["detail"]


def test_a_token_is_shown_once_and_kept_hashed(requester):
    status, made, _ = requester.call("POST", "tokens", {"name": "notebook"})
    assert status == 201
    assert made["secret"].startswith("wgl_")
    stored = requester.user.api_tokens.get(pk=made["id"])
    assert made["secret"] not in (stored.digest, stored.prefix)
    assert made["secret"].startswith(stored.prefix)


def test_an_error_names_every_wrong_field(requester):
    status, problem, _ = requester.call("POST", "datasets", {"name": "not a name!", "kind": "folders"})
    assert status == 400
    assert {error["field"] for error in problem["errors"]} == {"name", "kind", "uri"}


def test_only_operators_deposit_and_a_reference_is_booked_once(live_server, requester):
    body = {"account": requester.account.number, "amount": "12.345678", "reference": "bank-1"}
    assert requester.call("POST", "deposits", body)[0] == 403
    assert wallets.balance(account=requester.account) == 50_000_000
    operator = Caller(live_server.url, builders.an_operator())
    assert operator.call("POST", "deposits", body)[0] == 201
    status, problem, _ = operator.call("POST", "deposits", body)
    assert status == 409
    assert problem["errors"][0]["field"] == "reference"
    assert wallets.balance(account=requester.account) == 62_345_678


def test_a_repeated_idempotency_key_returns_the_first_response(live_server, requester):
    operator = Caller(live_server.url, builders.an_operator())
    body = {"account": requester.account.number, "amount": "5", "reference": "bank-2"}
    first = operator.call("POST", "deposits", body, **{"Idempotency-Key": "k1"})
    again = operator.call("POST", "deposits", body, **{"Idempotency-Key": "k1"})
    assert (first[0], first[1]) == (again[0], again[1])
    assert again[2].headers["Idempotency-Replayed"] == "true"
    assert Entry.objects.filter(reference="deposit:bank-2").count() == 1
    other = operator.call("POST", "deposits", {**body, "reference": "bank-3"}, **{"Idempotency-Key": "k1"})
    assert other[0] == 400
    assert not Entry.objects.filter(reference="deposit:bank-3").exists()


def test_one_idempotency_key_sent_concurrently_books_once(live_server, requester):
    operator = Caller(live_server.url, builders.an_operator())
    body = {"account": requester.account.number, "amount": "7", "reference": "bank-9"}
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(operator.call, "POST", "deposits", body, **{"Idempotency-Key": "all"}) for _ in range(8)]
    answers = [future.result() for future in sent]
    assert [status for status, _, _ in answers] == [201] * 8
    assert all(made == answers[0][1] for _, made, _ in answers)
    assert wallets.balance(account=requester.account) == 57_000_000


@pytest.mark.parametrize("amount", ["0", "-1", "1e-7", "NaN", "lots", "Infinity"])
def test_invalid_amounts_are_refused_by_field(live_server, requester, amount):
    operator = Caller(live_server.url, builders.an_operator())
    body = {"account": requester.account.number, "amount": amount, "reference": f"odd-{amount}"}
    status, problem, _ = operator.call("POST", "deposits", body)
    assert status == 400
    assert problem["errors"][0]["field"] == "amount"
    assert wallets.balance(account=requester.account) == 50_000_000


def test_a_viewer_may_read_but_not_change(live_server, requester):
    viewer = builders.a_user()
    accounts.add_member(account=requester.account, user=viewer, role=Role.VIEWER)
    caller = Caller(live_server.url, viewer, requester.account)
    assert caller.call("GET", "labeling-jobs")[0] == 200
    assert caller.call("POST", "workteams", {"name": "mine"})[0] == 403


def test_a_user_with_two_accounts_has_to_name_one(live_server, requester):
    other = builders.an_account(owner=requester.user)
    caller = Caller(live_server.url, requester.user)
    status, problem, _ = caller.call("GET", "wallet")
    assert status == 400
    assert "Waggle-Account" in problem["detail"]
    assert caller.call("GET", "wallet", **{"Waggle-Account": other.number})[0] == 200
    stranger = builders.an_account()
    assert caller.call("GET", "wallet", **{"Waggle-Account": stranger.number})[0] == 404


def test_following_next_links_visits_every_row_once(requester):
    for number in range(5):
        assert requester.call("POST", "workteams", {"name": f"team-{number}"})[0] == 201
    seen, path = [], "workteams?page_size=2&crowd=private-crowd"
    while path:
        _, page, _ = requester.call("GET", path)
        seen += [row["name"] for row in page["results"]]
        path = page["next"].split("/api/v1/")[1] if page["next"] else None
    assert sorted(seen) == [f"team-{n}" for n in range(5)]


def test_the_openapi_document_describes_the_routes(requester):
    status, document, _ = requester.call("GET", "openapi.json?format=json")
    assert status == 200
    assert document["openapi"].startswith("3.")
    assert "/api/v1/assignments/{assignment_id}/submit" in document["paths"]
    assert len(document["paths"]) > 40


def test_a_change_with_a_session_cookie_needs_the_csrf_token(live_server, requester, client):
    client.force_login(requester.user)
    cookie = client.cookies["sessionid"].value
    response = POOL.request(
        "POST",
        f"{live_server.url}/api/v1/workteams",
        json={"name": "forged"},
        headers={"Cookie": f"sessionid={cookie}"},
    )
    assert response.status == 403
    assert "CSRF" in response.json()["detail"]
