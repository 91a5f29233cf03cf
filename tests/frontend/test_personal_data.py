"""Erasing personal data: refused while money is owed; afterwards nothing says who it was, and books and labels stay."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from labeling.models import Answer, Assignment
from marketplace.errors import WrongState
from marketplace.models import Account, Entry, Membership, Notice, NoticeKind, Payout, Posting, Role, User, Worker
from marketplace.services import (
    accounts,
    audit,
    erasure,
    invitations,
    ledger_audit,
    notifications,
    payouts,
    people,
    profiles,
)
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories
from tests.labeling.test_moved_store import where_the_database_holds

pytestmark = pytest.mark.django_db

EMAIL, NAME, IBAN = "ada.lovelace@example.org", "Ada Lovelace", "DE89370400440532013000"


@pytest.fixture
def worker() -> Worker:
    """Somebody who has worked, was paid and has left their name in many places."""
    job, crowd = stories.an_open_job(workers=2)
    found, other = crowd
    User.objects.filter(pk=found.user_id).update(email=EMAIL, username=EMAIL, display_name=NAME)
    found.refresh_from_db()
    found.user.refresh_from_db()
    stories.work(found, job)
    # With what the answers have brought, some earnings below a cent are left, which nobody can pay out.
    builders.earn(found, 5_000_000)
    accounts.create_token(user=found.user, account=None, name="notebook")
    EmailAddress.objects.create(user=found.user, email=EMAIL, primary=True)
    invitations.to_account(account=job.account, email=EMAIL, role=Role.VIEWER, acting=None)
    profiles.put(worker=found, country="GB", languages=["en"], adult=True)
    payouts.set_details(worker=found, holder=NAME, destination=IBAN)
    told = f"{EMAIL} has answered"
    notifications.tell(user=other.user, kind=NoticeKind.BONUS, text=told)
    audit.record(job.account, by="system", because=told)
    return found


def pay_out(worker: Worker) -> None:
    payout = payouts.request(worker=worker, by="user:1")
    payouts.send(by="user:1")
    payouts.mark_paid(payout=Payout.objects.get(pk=payout.pk), by="user:1")


def test_refused_while_money_is_owed_and_then_nothing_is_left_but_books_and_answers(worker):
    # given somebody with earnings
    client = signed_in(worker.user)
    refused = client.post("/api/v1/me/erasure", {"confirm": EMAIL}, content_type="application/json")
    assert refused.status_code == 409
    assert "dollars are of earnings: have them paid out first" in refused.json()["detail"]
    page = client.get("/you/erase/").content.decode()
    assert "have them paid out first" in page and '<form class="form card"' not in page
    assert where_the_database_holds(EMAIL) and User.objects.get(pk=worker.user_id).is_active

    # when they were paid out, and the address is repeated
    pay_out(worker)
    assert client.get("/api/v1/me/erasure").json() == {"obstacles": []}
    books = [list(model.objects.order_by("pk").values()) for model in (Entry, Posting, Assignment, Answer)]
    wrong = client.post("/you/erase/", {"confirm": "somebody@example.org"})
    assert wrong.status_code == 422 and "repeat the e-mail address" in wrong.content.decode()
    done = client.post("/you/erase/", {"confirm": EMAIL.upper()})
    assert (done.status_code, done["Location"]) == (302, "/sign-in/")

    # then nothing in the database says who it was, and nobody can act as them
    for text in (EMAIL, NAME, IBAN):
        assert where_the_database_holds(text) == set()
    assert client.get("/you/").status_code == 302
    user = User.objects.get(pk=worker.user_id)
    assert not user.is_active and not user.has_usable_password() and not user.api_tokens.exists()
    assert not user.worker.memberships.exists() and not hasattr(user.worker, "payout_details")

    # and the ledger and the answers are what they were
    assert books == [list(model.objects.order_by("pk").values()) for model in (Entry, Posting, Assignment, Answer)]
    assert list(ledger_audit.findings()) == []
    assert user.worker.public_id == worker.public_id
    # Again it does nothing, and nobody brings them back.
    assert erasure.erase(user=user, confirm=EMAIL, by="system") is False
    with pytest.raises(WrongState, match="were erased"):
        people.reactivate(user=user, by="system")


def test_an_operator_erases_by_page_and_rest(worker):
    pay_out(worker)
    operator = signed_in(builders.an_operator())
    place = f"/operator/people/{worker.user_id}/"
    assert "Erase personal data" in operator.get(place).content.decode()
    assert operator.post(f"{place}erase/", {"confirm": "x"}).status_code == 422
    url = f"/api/v1/users/{worker.user_id}/erase"
    wrong = operator.post(url, {"confirm": "x"}, content_type="application/json")
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["field"] == "confirm"
    assert where_the_database_holds(NAME)
    assert operator.post(url, {"confirm": EMAIL}, content_type="application/json").status_code == 204
    assert where_the_database_holds(EMAIL) == where_the_database_holds(NAME) == set()
    shown = operator.get(place).content.decode()
    assert "Personal data erased" in shown and "Reactivate" not in shown


def test_an_owner_passes_the_account_on_or_empties_it():
    owner, account = builders.a_requester(funds="3")
    assert "3.00 dollars are in its wallet: take them back first" in erasure.obstacles(owner)[0]
    member = builders.a_user()
    accounts.add_member(account=account, user=member, role=Role.ADMIN)
    assert erasure.obstacles(owner) == [f"{account.name} has no other owner: make somebody one first"]
    accounts.add_member(account=account, user=member, role=Role.OWNER)
    assert erasure.erase(user=owner, confirm=owner.email, by="system")
    assert list(Membership.objects.filter(account=account).values_list("user", flat=True)) == [member.pk]
    assert Account.objects.get(pk=account.pk).name == account.name

    # Somebody who is alone in an account without money leaves nothing of themselves in it.
    alone = builders.an_account(funds="0", name="Ada's bees")
    (last,) = alone.members.all()
    address = last.email
    accounts.set_organization(account=alone, organization="Ada's", contact_email=address, acting=last)
    assert erasure.erase(user=last, confirm=address, by="system")
    assert where_the_database_holds("Ada's") == where_the_database_holds(address) == set()


def test_the_last_operator_stays_and_a_token_of_an_account_does_not_act_for_its_owner():
    operator = builders.an_operator()
    assert erasure.obstacles(operator) == ["there is no other operator: make somebody one first"]
    owner, account = builders.a_requester(funds="0")
    _, secret = accounts.create_token(user=owner, account=account, name="job")
    program = Client(headers={"authorization": f"Bearer {secret}"})
    answer = program.post("/api/v1/me/erasure", {"confirm": owner.email}, content_type="application/json")
    assert answer.status_code == 403
    assert User.objects.get(pk=owner.pk).is_active and not Notice.objects.exists()
