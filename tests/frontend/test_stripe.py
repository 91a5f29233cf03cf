"""Stripe over HTTP: paying by card, connecting, sending payouts, and the public route where Stripe reports events."""

import pytest
import stripe
from django.test import Client
from django.urls import reverse

from frontend.bodies import UNASKED
from marketplace import background
from marketplace.models import Payout, Role, StripeEvent, StripePayee
from marketplace.services import accounts, earnings, payouts, wallets
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.stripe_stories import a_payee, fake

__all__ = ["fake"]
pytestmark = pytest.mark.django_db
JSON = "application/json"
COMPLETED = "checkout.session.completed"


@pytest.fixture
def account():
    return builders.an_account(funds="0")


@pytest.fixture
def owner(account):
    return signed_in(account.members.get())


def report(event, **changes):
    """Stripe reports an event to a client that nobody is signed in with, with its CSRF check on."""
    body, signature = event
    headers = {"Stripe-Signature": signature} | changes
    return Client(enforce_csrf_checks=True).post("/stripe/events/", body, content_type=JSON, headers=headers)


class TestDeposits:
    def test_an_owner_goes_to_stripe_and_comes_back_to_the_money(self, fake, account, owner):
        page = owner.get(reverse("requester:wallet"))
        assert "form-action 'self' https://checkout.stripe.com" in page.headers["Content-Security-Policy"]
        gone = owner.post(reverse("requester:wallet-deposit"), {"amount": "25.10"})
        (session,) = fake.of_kind("checkout.session")
        assert (gone.status_code, gone.url) == (302, session["url"])
        assert "not paid yet" in owner.get(reverse("requester:wallet")).content.decode()
        event = fake.event(COMPLETED, fake.pay(session["id"]))
        assert [report(event).status_code for _ in range(2)] == [200, 200]
        text = owner.get(reverse("requester:wallet")).content.decode()
        assert "booked" in text and wallets.balance(account) == 25_100_000

    def test_over_rest(self, fake, account, owner):
        answer = owner.post("/api/v1/card-deposits", {"amount": "5"}, content_type=JSON)
        (session,) = fake.of_kind("checkout.session")
        assert answer.status_code == 201 and answer.json() == {"amount": "5.000000", "url": session["url"]}
        refused = owner.post("/api/v1/card-deposits", {"amount": "0.005"}, content_type=JSON)
        assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "amount"

    def test_wrong_amounts_are_told_at_the_field(self, fake, owner):
        for amount in ("", "a", "0.10", "1.001"):
            page = owner.post(reverse("requester:wallet-deposit"), {"amount": amount})
            assert page.status_code == 422 and "id_deposit_amount_error" in page.content.decode(), amount
        assert not fake.calls

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
    def test_only_owners_pay(self, fake, account, role):
        user = builders.a_user()
        accounts.add_member(account=account, user=user, role=role)
        client = signed_in(user)
        assert client.post(reverse("requester:wallet-deposit"), {"amount": "5"}).status_code == 403
        assert client.post("/api/v1/card-deposits", {"amount": "5"}, content_type=JSON).status_code == 403
        assert not fake.calls

    def test_a_stripe_that_is_away_is_said_and_nothing_else(self, fake, owner, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        page = owner.post(reverse("requester:wallet-deposit"), {"amount": "5"})
        assert page.status_code == 503 and "sk_test" not in page.content.decode()


class TestEvents:
    def test_bad_signatures_are_400_and_unknown_events_200(self, fake, account):
        event = fake.event("customer.created", {"id": "cus_1"})
        assert report(event).status_code == 200
        for signature in ("", "t=1,v1=00", "nonsense", "t=x,v1=" + "0" * 64):
            assert report(event, **{"Stripe-Signature": signature}).status_code == 400
        assert report((b"\xff", fake.event("a.b", {"id": "1"})[1])).status_code == 400
        assert not StripeEvent.objects.exists()

    def test_signed_nonsense_is_400(self, fake):
        for body in ("{}", "[]", '"a"', '{"type": "charge.refunded", "id": "evt_1", "data": {"object": []}}'):
            header = stripe.WebhookSignature.generate_signature_header(body, "whsec_own")
            assert report((body.encode(), header)).status_code == 400, body

    def test_a_large_body_is_not_read(self, fake):
        body, signature = fake.event("customer.created", {"id": "x" * UNASKED})
        assert report((body, signature)).status_code in (401, 413)

    def test_only_posts(self, fake, client):
        assert client.get("/stripe/events/").status_code == 405


class TestPayouts:
    def test_a_worker_connects_and_is_paid(self, fake):
        worker = builders.a_worker()
        builders.earn(worker, 12_345_678)
        mine, operator = signed_in(worker.user), signed_in(builders.an_operator())
        link = mine.post(reverse("worker:stripe-connect"))
        assert link.status_code == 302 and link.url.startswith(f"{fake.base}/setup/acct_")
        assert "does not have all it needs" in mine.get(reverse("worker:earnings")).content.decode()
        account = fake.onboard(StripePayee.objects.get().account_id)
        assert report(fake.event("account.updated", account, account=account["id"])).status_code == 200
        assert mine.get("/api/v1/payout-details").json()["provider"] == "stripe"
        asked = mine.post("/api/v1/payouts", {}, content_type=JSON).json()
        assert asked["provider"] == "stripe"
        page = operator.get(reverse("operator:payouts")).content.decode()
        assert "$12.34" in page and "Send by Stripe" in page
        sent = operator.post("/api/v1/operator/payout-transfers", {}, content_type=JSON)
        assert sent.json() == {"sent": "1 payout"}
        background.step_stripe_payout(asked["id"])
        (bank_payout,) = fake.of_kind("payout")
        assert report(fake.event("payout.paid", bank_payout, account=account["id"])).status_code == 200
        assert Payout.objects.get().status == "Paid" and earnings.balance(worker) == 5_678

    def test_operators_read_what_needs_them_and_cannot_say_for_stripe(self, fake):
        worker = a_payee(fake)
        payout = payouts.request(worker=worker, by="user:1")
        operator = signed_in(builders.an_operator())
        assert operator.post(reverse("operator:payouts-send")).status_code == 302
        assert Payout.objects.get().status == "Requested"
        operator.post(reverse("operator:payouts-send-by-stripe"))
        fake.balance = 0
        background.step_stripe_payout(payout.pk)
        page = operator.get(reverse("operator:payouts")).content.decode()
        assert "insufficient funds" in page and reverse("operator:payouts-paid", args=[payout.pk]) not in page
        assert operator.post(f"/api/v1/operator/payouts/{payout.pk}/paid").status_code == 409


class TestWithoutStripe:
    def test_nothing_of_it_is_shown_and_its_routes_are_not_there(self, account, owner):
        worker = builders.a_worker()
        mine, operator = signed_in(worker.user), signed_in(builders.an_operator())
        pages = (
            owner.get(reverse("requester:wallet")),
            mine.get(reverse("worker:earnings")),
            operator.get(reverse("operator:payouts")),
        )
        assert not [page for page in pages if "stripe" in page.content.decode().lower()]
        assert owner.post(reverse("requester:wallet-deposit"), {"amount": "5"}).status_code == 404
        assert owner.post("/api/v1/card-deposits", {"amount": "5"}, content_type=JSON).status_code == 404
        assert mine.post(reverse("worker:stripe-connect")).status_code == 404
        assert operator.post(reverse("operator:payouts-send-by-stripe")).status_code == 404
        assert report((b"{}", "t=1,v1=0")).status_code == 404
