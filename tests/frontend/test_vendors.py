"""Vendors over REST and on pages: a contract from proposal to job, what workers are shown, lists, hostile forms."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import LabelingJob, WorkQueue
from labeling.services import invoicing
from marketplace.models import Invoice
from marketplace.services import contracts, staffing
from tests import builders
from tests.frontend import hostile
from tests.frontend.portal import queries_of
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories, vendor_stories

pytestmark = pytest.mark.django_db


def api(client: Client, method: str, path: str, body=None, status: int = 200):
    response = client.generic(
        method,
        f"/api/v1/{path}",
        *([] if body is None else [json.dumps(body)]),
        content_type="application/json",
    )
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_a_contract_is_negotiated_staffed_and_worked_on_over_rest():
    requester, listing = stories.an_account(), vendor_stories.a_listing()
    mine, theirs = signed_in(requester.members.get()), signed_in(listing.account.members.get())
    assert [row["id"] for row in api(mine, "GET", "vendors?task_type=BoundingBox&language=pt-BR")["results"]] == [
        listing.pk
    ]
    assert api(mine, "GET", "vendors?language=de")["results"] == []
    terms = {"prices": [{"task_type": "BoundingBox", "price": "0.04"}], "ends_on": str(vendor_stories.in_days(20))}
    made = api(mine, "POST", "contracts", {**terms, "vendor": listing.pk}, 201)
    assert (made["side"], made["status"], made["workteam_arn"]) == ("Requester", "Proposed", None)
    one = f"contracts/{made['id']}"
    terms["prices"][0]["price"] = "0.05"
    assert api(theirs, "POST", f"{one}/other-terms", {**terms, "version": 1})["status"] == "Countered"
    api(mine, "POST", f"{one}/confirm", {"version": 1}, 409)
    live = api(mine, "POST", f"{one}/confirm", {"version": 2})
    arn = f"arn:aws:sagemaker:us-east-1:{listing.account.number}:workteam/vendor-crowd/contract-{made['id']}"
    assert (live["status"], live["workteam_arn"]) == ("Live", arn)
    assert live["workteam"] in [row["id"] for row in api(mine, "GET", "workteams?crowd=vendor-crowd")["results"]]

    (worker,) = stories.a_crowd(1)
    api(theirs, "PUT", f"{one}/staff/{worker.public_id}", status=404)
    builders.a_team(account=listing.account, workers=[worker])
    assert api(theirs, "PUT", f"{one}/staff/{worker.public_id}")["worker"] == worker.public_id
    assert [row["worker"] for row in api(theirs, "GET", f"{one}/staff")["results"]] == [worker.public_id]

    design = {
        "name": "bees",
        "labels": ["bee"],
        "workteam": live["workteam"],
        "title": "Bees",
        "description": "Box them",
    }
    design |= {"dataset": builders.a_dataset(account=requester).pk, "workers_per_object": 1, "price": "0"}
    job = api(mine, "POST", "labeling-jobs", design, 201)
    assert job["price"] == "0.050000"
    refused = api(mine, "POST", "labeling-jobs", {**design, "name": "more", "price": "0.04"}, 400)
    assert [one["field"] for one in refused["errors"]] == ["price"]
    assert [row["title"] for row in api(theirs, "GET", f"{one}/queues")["results"]] == ["Bees"]
    api(theirs, "GET", f"labeling-jobs/{job['id']}", status=404)


def test_a_vendors_worker_sees_the_task_without_pay_and_its_requester_the_price():
    job, (worker, *_), contract = vendor_stories.a_vendor_job(review_days=2)
    client = signed_in(worker.user)
    (work,) = api(client, "GET", "work")["results"]
    assert (work["price"], work["expected_hourly"], work["employer"]) == ("0.000000",) * 2 + (contract.vendor.name,)
    claimed = api(client, "POST", f"work-queues/{job.queue_id}/claim")["assignment"]
    assert (claimed["price"], claimed["paid_by_employer"]) == ("0.000000", True)
    done = api(client, "POST", f"assignments/{claimed['id']}/submit", {"answer": stories.ONE_BEE, "seconds": 3})
    assert (done["paid"], done["held"]) == ("0.000000", "0.000000")
    assert api(client, "GET", "worker/answers")["results"][0]["price"] == "0.000000"
    for path in (reverse("worker:jobs"), reverse("worker:history"), reverse("worker:earnings")):
        assert "0.036" not in client.get(path).content.decode()
    assert "paid by" in client.get(reverse("worker:jobs")).content.decode()
    assert api(signed_in(job.account.members.get()), "GET", f"labeling-jobs/{job.pk}")["price"] == "0.036000"


def test_an_invoice_is_read_by_both_sides_and_cannot_carry_a_formula():
    job, workers, contract = vendor_stories.a_vendor_job(objects=1)
    WorkQueue.objects.filter(pk=job.queue_id).update(title="=1+1")
    for worker in workers:
        stories.claim_and_answer(worker, job)
    invoicing.issue_due(now=timezone.now() + timedelta(days=8))
    invoice = Invoice.objects.get()
    for account in (job.account, contract.vendor):
        client = signed_in(account.members.get())
        found = api(client, "GET", f"invoices/{invoice.pk}")
        assert (found["amount"], found["fee"], found["total"]) == ("0.108000", "0.021600", "0.129600")
        lines = client.get(f"/api/v1/invoices/{invoice.pk}/file").content.decode().splitlines()
        assert ",'=1+1,BoundingBox,3,0.036000,0.108000,0.021600,0.129600,USD" in lines[1]
    listed = api(signed_in(contract.vendor.members.get()), "GET", "invoices")
    assert (listed["accrued"], listed["invoiced"]) == ("0.000000", "0.108000")


def test_the_wizard_takes_the_price_of_the_contract():
    requester = stories.an_account()
    contract = vendor_stories.a_contract(requester=requester)
    vendor_stories.staffed(contract, 2)
    client, dataset = signed_in(requester.members.get()), builders.a_dataset(account=requester)
    steps = {
        "data": {"name": "bees", "dataset": dataset.pk, "selection": "full"},
        "task": {"task_type": "BoundingBox", "labels": "bee", "title": "Bees", "description": "Box them"},
        "people": {"workteam": contract.workteam_id, "workers_per_object": 2, "redundancy": "fixed"}
        | {"expected_seconds": 9, "price": "1.5", "time_limit_minutes": 5, "max_concurrent_tasks": 9},
        "automation": {"target_iou": "0.6", "architecture": "compact", "max_rounds": 3},
    }
    page = client.get(reverse("requester:job-new")).content
    for step, given in steps.items():
        page = client.get(reverse("requester:job-new-step", args=[step])).content.decode() if step == "people" else page
        assert client.post(reverse("requester:job-new-step", args=[step]), given).status_code == 302, step
    assert f"{contract.vendor.name}: contract {contract.pk}" in page
    review = client.get(reverse("requester:job-review")).content.decode()
    assert f"{contract.vendor.name}, a vendor" in review
    client.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get()
    assert (job.price_micros, job.queue.contract) == (vendor_stories.PRICE, contract)


def a_side(grown: int = 0) -> dict[str, tuple]:
    """Pages and lists of both sides and of the operator with one contract, job and invoice, and `grown` more."""
    job, workers, contract = vendor_stories.a_vendor_job(workers=3)
    for number in range(2 + grown):
        if number:
            account = stories.an_account()
            more = contracts.propose(
                requester=account, vendor_id=contract.vendor_id, terms=vendor_stories.terms(), by="user:1"
            )
            more = contracts.confirm(contract=more, side=contracts.VENDOR, version=1, by="user:2")
            for worker in workers:
                staffing.assign(contract=more, worker=worker, by="user:2")
            vendor_stories.a_contract(requester=job.account)
            vendor_stories.staffed(contract, 1)
            stories.a_job(job.account, contract.workteam, price_micros=0)
        stories.claim_and_answer(workers[number % 3], job)
        invoicing.issue_due(now=timezone.now() + timedelta(days=8 * (number + 1)))
    mine, theirs, operator = job.account.members.get(), contract.vendor.members.get(), builders.an_operator()
    asked = {
        f"requester:{name}": (mine, reverse(f"requester:{name}"))
        for name in ("vendors", "contracts", "invoices", "teams")
    }
    asked |= {f"vendor:{name}": (theirs, reverse(f"vendor:{name}")) for name in ("contracts", "staff", "invoices")}
    asked |= {name: (theirs, reverse(f"vendor:{name}", args=[contract.pk])) for name in ("contract", "contract-queue")}
    asked |= {f"operator:{name}": (operator, reverse(f"operator:{name}")) for name in ("vendors", "invoices")}
    lists = (f"contracts/{contract.pk}/{name}" for name in ("staff", "queues", "quality"))
    for name in ("contracts", "invoices", "vendor-staff", "vendors", *lists):
        asked[name.replace(f"/{contract.pk}", "")] = (theirs, f"/api/v1/{name}")
    for name in ("vendor-listings", "invoices"):
        asked[f"operator/{name}"] = (operator, f"/api/v1/operator/{name}")
    return asked


def test_pages_and_lists_of_vendors_with_more_rows_make_as_many_queries():
    few = {name: len(queries_of(*where)) for name, where in a_side().items()}
    many = {name: len(queries_of(*where)) for name, where in a_side(grown=2).items()}
    assert few == {name: min(count, few[name]) for name, count in many.items()}, (few, many)


def test_no_field_of_a_vendors_form_is_an_error_of_the_server():
    contract = vendor_stories.a_contract(requester=stories.an_account())
    (worker,) = vendor_stories.staffed(contract, 1)
    client = signed_in(contract.vendor.members.get())
    given = {"price_BoundingBox": "0.04", "ends_on": str(vendor_stories.in_days(9)), "invoice_period": "Weekly"}
    forms = {
        "vendor:contract-answer": {**given, "note": "x", "decision": "terms", "version": "1"},
        "vendor:contract-assign": {"worker": worker.public_id},
        "vendor:contract-unassign": {"worker": worker.public_id},
    }
    faults = []
    for name, fields in forms.items():
        path = reverse(name, args=[contract.pk])
        for field in fields:
            for value in hostile.texts(field):
                response = hostile.send(client, "post", path, {**fields, field: value})
                faults += [(name, field, value[:30])] if response.status_code >= 500 else []
    assert faults == []
