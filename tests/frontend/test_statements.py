"""Statements: the lines of a requester's wallet and of a worker's earnings, on the pages and in the API."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Assignment, Batch
from labeling.queries.statements import statement_lines
from labeling.services.jobs import advancing
from marketplace.services import earnings, wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """(job, worker) of a completed job in which the worker labeled one object for 0.036 dollars."""
    job, (worker,) = stories.a_funded_job(workers=1, objects=1, workers_per_object=1, name="meadow", title="Draw bees")
    wallets.deposit(account=job.account, amount_micros=5, reference="assignment:1:pay", by="operator")
    advancing.advance_job(job.pk)
    assert stories.work(worker, job) == 1
    advancing.advance_job(job.pk)
    return job, worker


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_line_has_a_kind_and_the_job_to_which_it_belongs(world):
    job, worker = world
    batch = Batch.objects.get(queue=job.queue)
    lines = statement_lines(wallets.statement(job.account))
    assert [(line.kind, line.subject, line.job and line.job.name) for line in lines if line.kind != "deposit"] == [
        ("reserve", ("batch", batch.pk), "meadow")
    ]
    assert [line.reference for line in lines if line.kind == "deposit"][0] == "assignment:1:pay"
    (paid,) = statement_lines(earnings.statement(worker))
    seat = Assignment.objects.get(worker=worker)
    assert (paid.kind, paid.subject, paid.amount_micros) == ("payment", ("assignment", seat.pk), stories.PRICE)
    assert (paid.job.id, paid.job.title) == (job.pk, "Draw bees")


def test_unused_escrow_is_refunded_in_a_line_that_names_its_batch():
    job, workers = stories.a_funded_job(workers=2, objects=1, workers_per_object=2)
    advancing.advance_job(job.pk)
    stories.work(workers[0], job)
    Batch.objects.filter(queue=job.queue).update(expires_at=job.created_at)
    advancing.advance_job(job.pk)
    back, held, _ = statement_lines(wallets.statement(job.account))
    assert (back.kind, back.subject, back.job) == ("refund", held.subject, held.job)
    assert back.amount_micros == stories.PRICE + stories.FEE == -held.amount_micros // 2


def test_the_jobs_of_all_lines_are_loaded_in_one_query():
    job, (worker,) = stories.a_funded_job(workers=1, objects=4, workers_per_object=1)
    advancing.advance_job(job.pk)
    assert stories.work(worker, job) == 4
    for postings in (list(wallets.statement(job.account)), list(earnings.statement(worker))):
        with CaptureQueriesContext(connection) as queries:
            assert any(line.job for line in statement_lines(postings))
        assert len(queries) == 1
    assert statement_lines([]) == []


def test_the_owner_sees_the_name_of_the_job_and_the_worker_its_title(world):
    job, worker = world
    wallet = signed_in(job.account.members.get()).get(reverse("requester:wallet")).content.decode()
    assert f'<a href="{reverse("requester:job", args=[job.pk])}">meadow</a>' in wallet
    assert "Held for open tasks" in wallet and ">assignment:1:pay<" in wallet
    earned = signed_in(worker.user).get(reverse("worker:earnings")).content.decode()
    assert ">Draw bees<" in earned and "meadow" not in earned


def test_the_api_returns_the_same_lines(world):
    job, worker = world
    client = signed_in(job.account.members.get())
    rows = client.get("/api/v1/wallet/statement").json()["results"]
    assert [(row["kind"], row["job_id"], row["job"]) for row in rows if row["kind"] != "deposit"] == [
        ("reserve", job.pk, "meadow")
    ]
    given = [row for row in rows if row["reference"] == "assignment:1:pay"]
    assert [(row["kind"], row["job_id"], row["job"], row["amount"]) for row in given] == [
        ("deposit", None, None, "0.000005")
    ]
    (row,) = signed_in(worker.user).get("/api/v1/earnings").json()["results"]
    assert (row["kind"], row["job_id"], row["job"]) == ("payment", job.pk, "Draw bees")


def test_the_overview_charts_payments(world):
    job, _ = world
    html = signed_in(job.account.members.get()).get(reverse("requester:overview")).content.decode()
    assert "Spending, last 30 days" in html and str(stories.PRICE + stories.FEE) in html
    idle = builders.an_account()
    assert "Spending, last" not in signed_in(idle.members.get()).get(reverse("requester:overview")).content.decode()
