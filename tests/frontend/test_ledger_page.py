"""The operator's page that audits the ledger: what it reads, what it finds, and for how long it may look."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from frontend.operator import ledger
from marketplace.errors import Unavailable
from marketplace.services import ledger_audit
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator():
    client = Client()
    client.force_login(builders.an_operator())
    return client


def test_a_whole_ledger_and_one_with_a_wrong_entry(operator):
    job, (worker, *_) = stories.an_open_job(objects=1)
    stories.work(worker, job)
    address = reverse("operator:ledger")
    assert "The ledger is whole" not in operator.get(address).content.decode()
    said = operator.post(address).content.decode()
    assert "The ledger is whole" in said
    report = ledger_audit.audit()
    assert report.entries == 3 and f'<span class="tile-value">{report.postings}</span>' in said

    with connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_assignment SET paid_micros = paid_micros + 1 WHERE state = 'Submitted'")
    said = operator.post(address).content.decode()
    assert "The ledger is whole" not in said and "1 finding" in said
    assert "0.036001 dollars are due to worker" in said and "every accepted answer is paid" in said


def test_an_audit_that_takes_too_long_is_given_up(operator, monkeypatch):
    def slowly():
        ledger_audit.rows("SELECT pg_sleep(20)")
        yield "never"

    monkeypatch.setitem(ledger_audit.CHECKS, "it is quick", slowly)
    with pytest.raises(Unavailable, match="manage.py audit_ledger"):
        ledger_audit.audit_within(seconds=0.2)
    monkeypatch.setattr(ledger, "SECONDS", 0.2)
    answer = operator.post(reverse("operator:ledger"))
    assert answer.status_code == 503 and "longer than 0.2 s" in answer.content.decode()
