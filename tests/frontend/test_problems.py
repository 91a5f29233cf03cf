"""Every error of the API is a problem document; its type says which error it is, and every type is documented."""

import pytest
import urllib3
from django.test import Client, override_settings

from frontend.rates import Allowances
from frontend.rest import problems
from frontend.rest.throttling import CallerThrottle
from labeling.models import DataObject
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments
from marketplace.models import Role
from marketplace.services import accounts
from tests import builders
from tests.frontend.callers import Caller
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)
POOL = urllib3.PoolManager(retries=False)
PROBLEM = "application/problem+json"


def kind_of(answer) -> tuple[int, str]:
    """(status, last part of the type) of a problem document, after checking the members that all of them have."""
    status, body, response = answer
    assert response.headers["Content-Type"] == PROBLEM
    kind = problems.KINDS[body["type"].removeprefix(problems.PREFIX)]
    assert (body["status"], body["title"], kind.status) == (status, kind.title, status)
    assert body["detail"]
    assert isinstance(body["errors"], list)
    return status, kind.name


def test_errors_of_the_http_request_are_problem_documents(live_server, requester):
    assert kind_of(requester.call("GET", "no-such-thing")) == (404, "not-found")
    assert kind_of(requester.call("GET", "datasets/999999999999999999999999")) == (404, "not-found")
    status, body, response = requester.call("DELETE", "wallet")
    assert kind_of((status, body, response)) == (405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]
    assert kind_of(requester.call("GET", "me", Accept="text/html")) == (406, "not-acceptable")
    headers = {"Authorization": f"Bearer {requester.secret}"}
    address = f"{live_server.url}/api/v1/workteams"
    for content_type, sent, expected in (
        ("text/csv", b"name", (415, "unsupported-media-type")),
        ("application/json", b"{", (400, "parse-error")),
        ("application/json", b'{"name": "\xff"}', (400, "parse-error")),
        ("application/json", b'{"name": NaN}', (400, "parse-error")),
        ("application/json", b"[]", (400, "invalid-input")),
        ("application/json", b" " * (11 * 1024 * 1024), (413, "content-too-large")),
    ):
        response = POOL.request("POST", address, body=sent, headers={**headers, "Content-Type": content_type})
        assert kind_of((response.status, response.json(), response)) == expected
    broken = {**headers, "Content-Type": "multipart/form-data"}
    response = POOL.request("POST", f"{live_server.url}/api/v1/uploads", body=b"x", headers=broken)
    assert kind_of((response.status, response.json(), response)) == (400, "parse-error")
    form = {f"field{number}": "x" for number in range(1100)}
    response = POOL.request("POST", f"{live_server.url}/api/v1/uploads", fields=form, headers=headers)
    assert kind_of((response.status, response.json(), response)) == (413, "content-too-large")


def test_a_throttled_caller_is_told_when_to_try_again(requester, monkeypatch):
    monkeypatch.setattr(CallerThrottle, "THROTTLE_RATES", {"anonymous": "60/min", "user": "3/min"})
    monkeypatch.setattr(CallerThrottle, "allowances", Allowances())
    assert [requester.call("GET", "me")[0] for _ in range(3)] == [200] * 3
    answer = requester.call("GET", "me")
    assert kind_of(answer) == (429, "throttled")
    assert 0 < int(answer[2].headers["Retry-After"]) <= 61


def test_an_internal_error_is_a_problem_document_without_details(requester, monkeypatch):
    def broken(**_):
        raise ZeroDivisionError("what is inside is nobody's business")

    monkeypatch.setattr("frontend.rest.wallet.wallets.balance", broken)
    answer = requester.call("GET", "wallet")
    assert kind_of(answer) == (500, "error")
    assert "nobody" not in str(answer[1])


def test_errors_of_pages_are_html():
    response = Client().get("/no-such-page/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@override_settings(S3_ENDPOINT_URL="http://127.0.0.1:9", S3_ACCESS_KEY_ID="a", S3_SECRET_ACCESS_KEY="b")
def test_an_unreachable_store_is_a_503_with_retry_after(live_server):
    job, _ = stories.a_funded_job()
    caller = Caller(live_server.url, job.account.members.get(), job.account)
    _, page, _ = caller.call("GET", f"labeling-jobs/{job.pk}/objects")
    answer = caller.call("GET", page["results"][0]["image_url"].removeprefix("/api/v1/"))
    assert kind_of(answer) == (503, "unavailable")
    assert int(answer[2].headers["Retry-After"]) > 0


def test_each_conflict_has_its_own_type(live_server, requester):
    assert requester.call("POST", "workteams", {"name": "bees"})[0] == 201
    assert kind_of(requester.call("POST", "workteams", {"name": "bees"})) == (409, "name-taken")
    operator = Caller(live_server.url, builders.an_operator())
    body = {"account": requester.account.number, "amount": "1", "reference": "bank-1"}
    assert operator.call("POST", "deposits", body, **{"Idempotency-Key": "once"})[0] == 201
    assert kind_of(operator.call("POST", "deposits", body)) == (409, "already-booked")
    other = {**body, "reference": "bank-2"}
    reused = operator.call("POST", "deposits", other, **{"Idempotency-Key": "once"})
    assert kind_of(reused) == (400, "idempotency-key-reused")
    last = requester.call("PUT", f"members/{requester.user.pk}", {"role": Role.VIEWER})
    assert kind_of(last) == (409, "wrong-state")
    member = {"email": requester.user.email, "role": Role.VIEWER}
    assert kind_of(requester.call("POST", "invitations", member)) == (409, "name-taken")
    dataset = builders.a_dataset(account=requester.account)
    assert kind_of(requester.call("POST", f"datasets/{dataset.pk}/stop")) == (409, "wrong-state")


def test_each_conflict_of_a_worker_has_its_own_type(live_server):
    job, (worker, other) = stories.a_funded_job(workers=2, workers_per_object=1, objects=5 * 25 + 1)
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    open_batch(job=job, object_ids=ids, by="test")
    caller = Caller(live_server.url, worker.user)
    seat = caller.call("POST", f"labeling-jobs/{job.pk}/claim")[1]["assignment"]["id"]
    sent = {"answer": stories.ONE_BEE, "seconds": 3}
    assert caller.call("POST", f"assignments/{seat}/submit", sent, **{"Idempotency-Key": "a"})[0] == 200
    again = caller.call("POST", f"assignments/{seat}/submit", sent, **{"Idempotency-Key": "b"})
    assert kind_of(again) == (409, "already-submitted")
    seat = caller.call("POST", f"labeling-jobs/{job.pk}/claim")[1]["assignment"]["id"]
    assert caller.call("POST", f"assignments/{seat}/return")[0] == 200
    assert kind_of(caller.call("POST", f"assignments/{seat}/submit", sent)) == (409, "task-gone")
    stranger = Caller(live_server.url, other.user)
    assert kind_of(stranger.call("POST", f"assignments/{seat}/submit", sent)) == (404, "not-found")
    for _ in range(assignments.FIRST_LEASES + 1):
        assert caller.call("POST", f"labeling-jobs/{job.pk}/claim")[1]["assignment"]
    assert kind_of(caller.call("POST", f"labeling-jobs/{job.pk}/claim")) == (409, "task-limit")


def test_bad_filters_and_bad_cursors_have_different_types(live_server, requester):
    assert kind_of(requester.call("GET", "datasets?colour=red")) == (400, "invalid-filter")
    assert kind_of(requester.call("GET", "datasets?order=name")) == (400, "invalid-filter")
    assert kind_of(requester.call("GET", "datasets?name_contains=%00")) == (400, "invalid-filter")
    for cursor in ("nonsense", "cD1hYmM=", "cD0lMDA="):  # the last two are well-formed, but no position in a list
        assert kind_of(requester.call("GET", f"workteams?cursor={cursor}")) == (400, "invalid-cursor")
    builders.an_account(owner=requester.user)
    nameless = Caller(live_server.url, requester.user)
    assert kind_of(nameless.call("GET", "wallet")) == (400, "account-not-named")


def test_an_insufficient_role_and_a_missing_or_wrong_token_have_different_types(live_server, requester):
    viewer = builders.a_user()
    accounts.add_member(account=requester.account, user=viewer, role=Role.VIEWER)
    assert kind_of(Caller(live_server.url, viewer).call("POST", "workteams", {"name": "a"})) == (403, "forbidden")
    response = POOL.request("GET", f"{live_server.url}/api/v1/me")
    assert kind_of((response.status, response.json(), response)) == (401, "not-authenticated")
    response = POOL.request("GET", f"{live_server.url}/api/v1/me", headers={"Authorization": "Bearer wgl_x"})
    assert kind_of((response.status, response.json(), response)) == (401, "authentication-failed")


def test_a_request_without_the_csrf_token_has_its_own_type(live_server, requester, client):
    client.force_login(requester.user)
    headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}
    response = POOL.request("POST", f"{live_server.url}/api/v1/workteams", json={"name": "a"}, headers=headers)
    assert kind_of((response.status, response.json(), response)) == (403, "csrf-failed")


def test_every_type_and_the_error_response_of_every_operation_are_documented(requester):
    _, document, _ = requester.call("GET", "openapi.json?format=json")
    shape = document["components"]["schemas"]["Problem"]["properties"]["type"]
    assert set(shape["enum"]) == {kind.uri for kind in problems.KINDS.values()}
    for kind in problems.KINDS.values():
        assert f"| `{kind.uri}` | {kind.status} | {kind.meaning} |" in document["info"]["description"]
        assert kind.meaning.endswith(".")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"]["default"]["$ref"] == "#/components/responses/Problem", (method, path)


def test_lists_document_their_filters(requester):
    _, document, _ = requester.call("GET", "openapi.json?format=json")
    given = {p["name"] for p in document["paths"]["/api/v1/labeling-jobs"]["get"]["parameters"]}
    assert given == {"cursor", "page_size", "status", "name_contains"}


@pytest.mark.parametrize("body", [[], "x", None, {"folder": {"a": 1}}, 7])
def test_an_upload_without_files_is_refused(requester, body):
    assert kind_of(requester.call("POST", "uploads", body)) == (400, "invalid-input")


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_spend", "9" * 19), ("max_human_labeled_objects", 10**30), ("workteam", 10**30), ("labels", ["a\0"])],
)
def test_values_that_no_database_column_holds_are_refused_by_field(requester, field, value):
    team = builders.a_team(account=requester.account, workers=[])
    dataset = builders.a_dataset(account=requester.account)
    body = {
        "name": "a",
        "labels": ["bee"],
        "workteam": team.pk,
        "dataset": dataset.pk,
        "title": "t",
        "description": "d",
    }
    status, problem, _ = requester.call("POST", "labeling-jobs", {**body, "price": "0.036", field: value})
    assert status in (400, 404)
    assert problem["errors"][0]["field"].startswith(field)
