"""Bonuses, refunds, reversed deposits, taxes, statements, invoices and jobs that wait: over REST and on the pages."""

import csv
import io

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from frontend import invoice_pdf
from labeling.models import AdvanceRequest
from labeling.services.jobs import advancing
from marketplace.models import Role
from marketplace.services import accounts, billing, debts, earnings, funds, ledger, statements, wallet_refunds, wallets
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db
JSON = "application/json"
DOLLAR = 1_000_000


@pytest.fixture
def job_and_worker():
    """A job with an open batch, whose first worker has answered once; 50 dollars were deposited as bank-1."""
    job, workers = stories.an_open_job(workers=2, objects=2, funds="1")
    stories.claim_and_answer(workers[0], job)
    wallets.deposit(account=job.account, amount_micros=50 * DOLLAR, reference="bank-1", by="operator")
    return job, workers[0]


@pytest.fixture
def owner(job_and_worker):
    return signed_in(job_and_worker[0].account.members.get())


@pytest.fixture
def operator():
    return signed_in(builders.an_operator())


class TestBonuses:
    def body(self, worker, **changes):
        return {"worker": worker.public_id, "amount": "1.5", "reason": "careful", "token": "b1"} | changes

    def test_over_rest_a_bonus_is_paid_once_for_its_token(self, job_and_worker, owner):
        job, worker = job_and_worker
        path = f"/api/v1/labeling-jobs/{job.pk}/bonuses"
        first = owner.post(path, self.body(worker), content_type=JSON)
        assert first.status_code == 201 and first.json()["fee"] == "0.300000"
        assert owner.post(path, self.body(worker), content_type=JSON).json()["id"] == first.json()["id"]
        assert earnings.balance(worker) == stories.PRICE + 1_500_000
        assert len(owner.get(path).json()["results"]) == 1
        other = owner.post(path, self.body(worker, amount="2"), content_type=JSON)
        assert (other.status_code, other.json()["type"]) == (400, "urn:waggle:problem:idempotency-key-reused")

    def test_on_the_page_and_in_the_earnings_of_the_worker(self, job_and_worker, owner):
        job, worker = job_and_worker
        page = owner.get(reverse("requester:job-bonuses", args=[job.pk]))
        token = page.context["form"].initial["token"]
        form = self.body(worker, token=token)
        for _ in range(2):
            assert owner.post(reverse("requester:job-bonus-pay", args=[job.pk]), form).status_code == 302
        assert earnings.balance(worker) == stories.PRICE + 1_500_000
        assert "Bonus: careful" in signed_in(worker.user).get(reverse("worker:earnings")).content.decode()
        wrong = owner.post(reverse("requester:job-bonus-pay", args=[job.pk]), form | {"worker": "NOBODY", "token": "z"})
        assert wrong.status_code == 422 and "handed in nothing" in wrong.content.decode()


class TestReversedDeposits:
    def test_over_rest_what_is_spent_is_owed_and_the_job_waits_until_it_is_deposited(
        self, job_and_worker, owner, operator
    ):
        job, _ = job_and_worker
        body = {"reference": "bank-1", "reason": "stolen card"}
        wallet_refunds.mark_paid(
            refund=wallet_refunds.request(account=job.account, amount_micros=20 * DOLLAR, by="x"), by="x"
        )
        done = operator.post("/api/v1/chargebacks", body, content_type=JSON)
        assert done.status_code == 201, done.content
        assert done.json()["amount"] == "50.000000" and done.json()["owed"].startswith("19.")
        again = operator.post("/api/v1/chargebacks", body, content_type=JSON)
        assert (again.status_code, again.json()["type"]) == (409, "urn:waggle:problem:already-booked")
        assert owner.get("/api/v1/wallet").json()["owed"] == done.json()["owed"]
        advancing.advance_job(job.pk)
        found = owner.get(f"/api/v1/labeling-jobs/{job.pk}").json()
        assert (found["status"], found["paused"]) == ("InProgress", "debt")
        design = {"name": "new", "labels": ["bee"], "workteam": job.workteam_id, "title": "t", "description": "d"}
        uri = {"input_manifest_uri": job.input_manifest_uri, "price": "0.036"}
        refused = owner.post("/api/v1/labeling-jobs", design | uri, content_type=JSON)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:waggle:problem:account-owes")
        assert "The account owes" in owner.get(reverse("requester:wallet")).content.decode()

    def test_on_the_page(self, job_and_worker, operator):
        job, _ = job_and_worker
        form = {"reference": "bank-7", "reason": "stolen card"}
        wrong = operator.post(reverse("operator:deposit-reverse"), form)
        assert wrong.status_code == 422 and "no deposit has the reference" in wrong.content.decode()
        assert operator.post(reverse("operator:deposit-reverse"), form | {"reference": "bank-1"}).status_code == 302
        assert wallets.balance(job.account) < DOLLAR and debts.owed(job.account) == 0


class TestRefunds:
    def test_an_owner_asks_and_the_operator_sends(self, job_and_worker, owner, operator):
        account = job_and_worker[0].account
        asked = owner.post("/api/v1/refunds", {"amount": "20"}, content_type=JSON)
        assert asked.json()["status"] == "Requested"
        assert operator.get("/api/v1/operator/refunds").json()["results"][0]["account"] == account.number
        assert account.name in operator.get(reverse("operator:money")).content.decode()
        pk = asked.json()["id"]
        assert operator.post(f"/api/v1/operator/refunds/{pk}/paid").json()["status"] == "Paid"
        assert owner.get("/api/v1/refunds").json()["results"][0]["status"] == "Paid"

    def test_on_the_pages(self, job_and_worker, owner, operator):
        account = job_and_worker[0].account
        before = wallets.balance(account)
        assert owner.post(reverse("requester:refund-request"), {"amount": "20"}).status_code == 302
        refund = wallet_refunds.of_account(account).get()
        operator.post(reverse("operator:refund-refused", args=[refund.pk]), {"reason": "call us first"})
        assert "call us first" in owner.get(reverse("requester:wallet")).content.decode()
        assert wallets.balance(account) == before

    def test_members_below_owner_ask_for_nothing(self, job_and_worker):
        account = job_and_worker[0].account
        (member,) = stories.a_crowd(1)
        accounts.add_member(account=account, user=member.user, role=Role.ADMIN)
        answer = signed_in(member.user).post("/api/v1/refunds", {}, content_type=JSON)
        assert answer.status_code == 403 and not wallet_refunds.of_account(account).exists()


def test_a_job_without_money_says_so_and_has_a_button():
    job, _ = stories.a_funded_job(objects=1, funds="0")
    advancing.advance_job(job.pk)
    client = signed_in(job.account.members.get())
    assert "Try now" in client.get(reverse("requester:job", args=[job.pk])).content.decode()
    AdvanceRequest.objects.all().delete()
    assert client.post(reverse("requester:job-resume", args=[job.pk])).status_code == 302
    assert AdvanceRequest.objects.filter(queue=job.queue).exists()
    assert client.post(f"/api/v1/labeling-jobs/{job.pk}/resume").json()["paused"] == "funds"


def test_pages_of_an_account_warn_below_its_threshold(job_and_worker, owner):
    account = job_and_worker[0].account
    path = reverse("requester:jobs")
    assert "less than you want to be warned at" not in owner.get(path).content.decode()
    funds.set_threshold(account=account, amount_micros=60 * DOLLAR, by="x")
    assert "less than you want to be warned at" in owner.get(path).content.decode()


class TestStatements:
    @pytest.mark.parametrize("room", ["requester", "worker"])
    def test_the_file_adds_up_and_the_page_says_the_same(self, job_and_worker, owner, room):
        job, worker = job_and_worker
        mine = room == "requester"
        client = owner if mine else signed_in(worker.user)
        path = reverse("requester:statement-file" if mine else "worker:statement-file")
        rows = list(csv.DictReader(io.StringIO(client.get(path).getvalue().decode())))
        opening, *lines, closing = [round(float(row["amount"]) * DOLLAR) for row in rows]
        assert (rows[0]["kind"], rows[-1]["kind"]) == ("opening", "closing")
        assert opening + sum(lines) == closing
        whole = job.account.ledger_accounts.all()
        assert closing == (ledger.balance(*whole) if mine else earnings.balance(worker))
        assert {row["job"] for row in rows if row["kind"] == "payment"} == {job.name if mine else job.title}
        page = client.get(reverse("requester:wallet-statement" if mine else "worker:statement"))
        assert page.context["statement"].closing_micros == closing
        rest = client.get("/api/v1/wallet/statements" if mine else "/api/v1/earnings/statements").json()
        assert round(float(rest["closing"]) * DOLLAR) == closing

    def test_wrong_days_are_named(self, owner):
        page = owner.get(reverse("requester:wallet-statement"), {"first": "2026-02-30"})
        assert page.status_code == 422 and "a day as in" in page.content.decode()
        rest = owner.get("/api/v1/wallet/statements?first=2026-02-03&last=2026-02-01")
        assert (rest.status_code, rest.json()["errors"][0]["field"]) == (400, "last")

    def test_a_title_is_no_formula(self, job_and_worker):
        job, worker = job_and_worker
        job.queue.title = "=HYPERLINK(1)"
        job.queue.save()
        text = signed_in(worker.user).get(reverse("worker:statement-file")).getvalue().decode()
        assert "'=HYPERLINK(1)" in text


class TestInvoices:
    def test_what_they_say_is_kept_and_a_wrong_vat_number_refused(self, job_and_worker, owner):
        form = {"billing_name": "Bienen GmbH", "billing_address": "Weg 1\nWien", "tax_number": "DE136695977"}
        wrong = owner.post(reverse("requester:billing"), form)
        assert wrong.status_code == 422 and "wrong digit" in wrong.content.decode()
        assert owner.post(reverse("requester:billing"), form | {"tax_number": "DE136695976"}).status_code == 302
        assert owner.get("/api/v1/billing").json()["tax_number"] == "DE136695976"

    def test_the_operator_sets_the_tax(self, job_and_worker, owner, operator):
        account = job_and_worker[0].account
        form = {"account": account.pk, "percent": "19", "label": "MwSt"}
        assert operator.post(reverse("operator:tax"), form | {"percent": "500"}).status_code == 422
        assert operator.post(reverse("operator:tax"), form).status_code == 302
        assert owner.get("/api/v1/billing").json()["tax_percent"] == "19.00"

    def test_the_pdf_is_one_with_any_name(self, job_and_worker, owner):
        account = job_and_worker[0].account
        billing.set_invoicing(account=account, name="Пчела 蜂 GmbH", address="Weg 1\nWien", number="")
        answer = owner.get(reverse("requester:statement-invoice"))
        assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
        month = statements.month_of(timezone.now().date())
        with override_settings(PDF_FONT="/nowhere.ttf"):
            assert invoice_pdf.font_file() is None
            assert invoice_pdf.render(account, month).startswith(b"%PDF")
