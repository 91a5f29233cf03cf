"""Payouts over REST and on the pages of workers and operators."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import Payout
from marketplace.services import earnings, payouts, wallets
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.marketplace.test_payouts import IBAN

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def worker():
    """A worker who has earned 12.345678 dollars."""
    found = builders.a_worker()
    builders.earn(found, 12_345_678)
    return found


@pytest.fixture
def mine(worker):
    return signed_in(worker.user)


@pytest.fixture
def operator():
    return signed_in(builders.an_operator())


def tell(client):
    """Say over REST where pay is to be sent."""
    return client.put("/api/v1/payout-details", {"holder": "Ana Bee", "destination": IBAN}, content_type=JSON)


class TestRest:
    def test_the_whole_way(self, worker, mine, operator):
        assert mine.get("/api/v1/payout-details").status_code == 404
        assert tell(mine).json() == {"holder": "Ana Bee", "destination": IBAN, "provider": "manual"}
        made = mine.post("/api/v1/payouts", {"amount": "12.00"}, content_type=JSON)
        assert made.status_code == 201
        assert {"amount": "12.000000", "status": "Requested", "destination": IBAN}.items() <= made.json().items()
        again = mine.post("/api/v1/payouts", {}, content_type=JSON)
        assert (again.status_code, again.json()["type"]) == (409, "urn:waggle:problem:wrong-state")
        file = operator.post("/api/v1/operator/payout-files", {}, content_type=JSON).json()
        assert file["payouts"] == 1
        text = operator.get(f"/api/v1/operator/payout-files/{file['name']}")
        assert text["Content-Type"] == "text/csv"
        reference = made.json()["reference"]
        assert text.content.decode().splitlines()[1] == f"{reference},Ana Bee,{IBAN},12.00,USD"
        (row,) = operator.get("/api/v1/operator/payouts?status=Sent").json()["results"]
        assert (row["worker"], row["sent_with"]) == (worker.public_id, file["name"])
        paid = operator.post(f"/api/v1/operator/payouts/{row['id']}/paid", {}, content_type=JSON)
        assert paid.json()["status"] == "Paid"
        assert [r["status"] for r in mine.get("/api/v1/payouts").json()["results"]] == ["Paid"]
        kinds = [line["kind"] for line in mine.get("/api/v1/earnings").json()["results"]]
        assert kinds == ["withdrawal", "payment"]

    def test_a_repeat_with_the_same_key_makes_no_second_payout(self, mine):
        tell(mine)
        call = {"path": "/api/v1/payouts", "data": {}, "content_type": JSON, "HTTP_IDEMPOTENCY_KEY": "once"}
        assert mine.post(**call).json() == mine.post(**call).json()
        assert Payout.objects.count() == 1

    def test_a_refusal_of_the_bank_is_shown_to_the_worker(self, worker, mine, operator):
        tell(mine)
        pk = mine.post("/api/v1/payouts", {}, content_type=JSON).json()["id"]
        payouts.send(by="x")
        path = f"/api/v1/operator/payouts/{pk}/failed"
        assert operator.post(path, {"reason": ""}, content_type=JSON).status_code == 400
        assert operator.post(path, {"reason": "account closed"}, content_type=JSON).status_code == 200
        assert mine.get("/api/v1/payouts").json()["results"][0]["failure_reason"] == "account closed"
        assert earnings.balance(worker) == 12_345_678

    @pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1e999", "12.345", "13", "x"])
    def test_amounts_that_are_refused_name_the_field(self, worker, mine, amount):
        tell(mine)
        answer = mine.post("/api/v1/payouts", {"amount": amount}, content_type=JSON)
        assert answer.status_code in (400, 409), answer.content
        assert "amount" in str(answer.json()["errors"])
        assert earnings.balance(worker) == 12_345_678

    def test_nobody_else_can_cancel_or_see_a_payout(self, mine, worker):
        tell(mine)
        pk = mine.post("/api/v1/payouts", {}, content_type=JSON).json()["id"]
        other = signed_in(builders.a_worker().user)
        assert other.post(f"/api/v1/payouts/{pk}/cancel").status_code == 404
        assert other.get("/api/v1/payouts").json()["results"] == []
        assert other.get("/api/v1/payout-details").status_code == 404
        assert mine.post(f"/api/v1/payouts/{pk}/cancel").json()["status"] == "Cancelled"


class TestPages:
    def test_a_worker_says_where_to_and_asks(self, worker, mine):
        page = mine.get(reverse("worker:earnings"))
        assert b"Say below where your pay is to be sent" in page.content
        wrong = mine.post(reverse("worker:payout-details"), {"holder": "Ana", "destination": IBAN[:-1] + "1"})
        assert wrong.status_code == 422 and b"check number does not fit" in wrong.content
        mine.post(reverse("worker:payout-details"), {"holder": "Ana", "destination": IBAN})
        too_much = mine.post(reverse("worker:payout-request"), {"amount": "99"})
        assert too_much.status_code == 422 and b"you have earned 12.345678 dollars" in too_much.content
        assert mine.post(reverse("worker:payout-request"), {"amount": ""}).status_code == 302
        page = mine.get(reverse("worker:earnings")).content.decode()
        assert "is under way" in page and IBAN in page and "Requested" in page
        payout = payouts.of_worker(worker).get()
        assert mine.post(reverse("worker:payout-cancel", args=[payout.pk])).status_code == 302
        assert earnings.balance(worker) == 12_345_678

    def test_an_operator_sends_and_settles(self, worker, operator):
        payouts.set_details(worker=worker, holder="Ana Bee", destination="acct 1")
        payout = payouts.request(worker=worker, by="x")
        page = operator.get("/operator/payouts/").content.decode()
        assert "$12.34" in page and "1 payout<" in page and payout.reference in page
        operator.post(reverse("operator:payouts-send"))
        payout.refresh_from_db()
        file = operator.get(reverse("operator:payouts-file", args=[payout.sent_with]))
        assert file["Content-Disposition"] == f'attachment; filename="{payout.sent_with}.csv"'
        content = f"reference,status,reason\n{payout.reference},Paid,\nWG77777,Paid,\n".encode()
        read = operator.post(
            reverse("operator:payouts-read"),
            {"kind": "settlements", "file": SimpleUploadedFile("bank.csv", content)},
        ).content.decode()
        assert f"{payout.reference} is Paid" in read and "there is no payout &#x27;WG77777&#x27;" in read
        assert payouts.any_one(payout.pk).status == "Paid"
        only = operator.get("/operator/payouts/?status=Requested").content.decode()
        assert payout.reference not in only

    def test_a_refused_transfer_needs_a_reason(self, worker, operator):
        payouts.set_details(worker=worker, holder="Ana Bee", destination="acct 1")
        payout = payouts.request(worker=worker, by="x")
        payouts.send(by="x")
        operator.post(reverse("operator:payouts-failed", args=[payout.pk]), {"reason": " "})
        assert payouts.any_one(payout.pk).status == "Sent"
        operator.post(reverse("operator:payouts-failed", args=[payout.pk]), {"reason": "closed"})
        assert payouts.any_one(payout.pk).failure_reason == "closed"

    def test_deposits_from_a_file(self, operator):
        account = builders.an_account(funds="0")
        content = f"account,amount,reference\n{account.number},25,bank:1\n12,25,bank:2\n".encode()
        form = {"kind": "deposits", "file": SimpleUploadedFile("bank.csv", content)}
        read = operator.post(reverse("operator:payouts-read"), form).content.decode()
        assert "twelve digits expected" in read
        assert wallets.balance(account) == 25_000_000

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"a,b\n1,2\n", b"x" * 2_000_001])
    def test_a_file_that_is_none_is_refused_on_the_form(self, operator, content):
        form = {"kind": "deposits", "file": SimpleUploadedFile("bank.csv", content)}
        answer = operator.post(reverse("operator:payouts-read"), form)
        assert answer.status_code == 422
        assert "field-error" in answer.content.decode()
