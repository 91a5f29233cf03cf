"""`/metrics`: who may read it, what it says, and that no query of it grows with history."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.services.queue import assignments
from marketplace import metrics, queue
from marketplace.metric_files import of_kind
from marketplace.models import LedgerTotal
from marketplace.services import condition, heartbeats, wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-metrics"


@pytest.fixture
def read(settings):
    """A function that reads the metrics with the token."""
    settings.METRICS_TOKEN = TOKEN

    def ask() -> str:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    return ask


def value(text: str, name: str, **labels: str) -> float:
    """The one sample of this name with these labels among others."""
    for line in text.splitlines():
        if found := re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line):
            given = dict(re.findall(r'(\w+)="([^"]*)"', found[1] or ""))
            if labels.items() <= given.items():
                return float(found[2])
    raise AssertionError(f"{name} {labels} is not in\n{text}")


def asked(**headers: str) -> int:
    return Client().get("/metrics", headers=headers).status_code


class TestWhoMayRead:
    def test_nobody_but_operators_without_a_token(self, settings):
        settings.METRICS_TOKEN = ""
        assert asked() == asked(Authorization="Bearer ") == asked(Authorization="Bearer x") == 404
        for user, status in ((builders.a_requester()[0], 404), (builders.an_operator(), 200)):
            client = Client()
            client.force_login(user)
            assert client.get("/metrics").status_code == status

    def test_whoever_has_the_token(self, settings):
        settings.METRICS_TOKEN = TOKEN
        assert asked() == asked(Authorization="Bearer other") == asked(Authorization=f"Basic {TOKEN}") == 401
        assert asked(Authorization=f"Bearer {TOKEN}") == 200


def test_what_happens_is_counted(read):
    account = stories.an_account(funds="100")
    worker, other = stories.a_crowd(2)
    job = stories.open_pictures(
        stories.a_job(account, builders.a_team(account=account, workers=[worker]), workers_per_object=1, objects=1)
    )
    before = {name: _counted(name) for name in ("waggle_claims_total", "waggle_submits_total")}
    seat = assignments.claim(worker=worker, queue=job.queue)
    held = read()
    assert value(held, "waggle_leases", state="live") == 1
    assignments.submit(assignment=seat, worker=worker, content=stories.ONE_BEE, seconds=1, key="a")
    assignments.submit(assignment=seat, worker=worker, content=stories.ONE_BEE, seconds=1, key="a")
    assert assignments.claim(worker=worker, queue=job.queue) is None
    with pytest.raises(Exception, match="not a member"):
        assignments.claim(worker=other, queue=job.queue)
    text = read()
    assert value(text, "waggle_leases", state="live") == 0
    gained = {name: {k: n - before[name].get(k, 0) for k, n in _counted(name).items()} for name in before}
    # What earlier tests of this process have counted stays among its counters.
    gained = {name: {k: n for k, n in outcomes.items() if n} for name, outcomes in gained.items()}
    assert gained["waggle_claims_total"] == {"given": 1, "nothing": 1, "refused": 1}
    assert gained["waggle_submits_total"] == {"accepted": 1, "repeated": 1}
    assert value(text, "waggle_ledger_micros_total", kind="deposit") == 100_000_000
    assert value(text, "waggle_queue_depth", state="due") > 0
    assert value(text, "waggle_part_up", part="database") == 1


def _counted(name: str) -> dict[str, float]:
    """What this process has counted, by outcome."""
    samples = [one for metric in of_kind(metrics.COUNTS.collect(), "web") for one in metric.samples]
    return {one.labels["outcome"]: one.value for one in samples if one.name == name}


def test_requests_are_counted_by_route_and_never_by_what_an_address_holds(read):
    client = Client()
    client.get("/operator/people/4711/")
    client.get("/no/such/address/4712/")
    client.generic("BREW", "/health/live/")
    text = read()
    assert (
        value(text, "waggle_requests_total", route="/operator/people/<int:user_id>/", method="GET", status="302") >= 1
    )
    assert value(text, "waggle_requests_total", route="(none)", status="404") >= 1
    assert value(text, "waggle_requests_total", route="/health/live/", method="other") >= 1
    assert value(text, "waggle_request_seconds_count", route="/operator/people/<int:user_id>/") >= 1
    # Without the values: a sum of seconds may hold any digits.
    named = "\n".join(line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#"))
    assert "waggle_requests_total" in named and "4711" not in named and "4712" not in named


def test_no_query_grows_with_history(read, monkeypatch):
    """As many queries with ten times the rows; and those of the ledger read nothing that the totals have."""
    monkeypatch.setattr(condition, "LOOK_SECONDS", -1)
    account = stories.an_account(funds="1")
    with CaptureQueriesContext(connection) as few:
        read()
    for number in range(20):
        wallets.deposit(account=account, amount_micros=10, reference=f"d{number}", by="operator")
        queue.enqueue("marketplace.background.sweep")
        heartbeats.note(heartbeats.LEARNER, place=f"m{number}")
    with CaptureQueriesContext(connection) as many:
        text = read()
    # Fewer: where a learner works nobody asks for runs that wait.
    assert len(many) <= len(few)
    assert value(text, "waggle_ledger_entries_total", kind="deposit") == 21
    assert value(text, "waggle_queue_depth", state="due") >= 20
    assert not LedgerTotal.objects.exists()


LARGE = ("assignment", "entry", "posting", "event", "trainingjob", "transformjob", "modelimport", "endpointreplica")
"""Tables that grow with history."""


def test_tables_that_grow_are_read_by_their_indexes(read):
    with CaptureQueriesContext(connection) as asked:
        read()
    plans = []
    with connection.cursor() as cursor:
        # Tables of a few rows are read whole unless that is forbidden.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked:
            if query["sql"].startswith("SELECT") and "pg_logical_emit_message" not in query["sql"]:
                cursor.execute("EXPLAIN " + query["sql"])
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert sum("labeling_assignment" in plan for plan in plans) and sum("trainingjob" in plan for plan in plans)
    whole = [plan for plan in plans if re.search(rf"Seq Scan on \w+_({'|'.join(LARGE)})\b", plan)]
    assert not whole, "\n\n".join(whole)
