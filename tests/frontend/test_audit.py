"""The audit log of an account: every kind of act is in it, with names that its admins may know, filtered and as CSV."""

import csv
import io
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.models import Account, AuditEvent, User
from marketplace.services import accounts, audit, eligibility, funds, invitations, payouts, wallets, workteams
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return builders.an_account(funds="0", owner=builders.a_user(email="owner@example.org"))


@pytest.fixture
def owner(account) -> User:
    return account.members.get()


def said(account: Account) -> list[str]:
    return list(audit.of_account(account).values_list("because", flat=True))


def shown(client, query: str = "") -> list[dict]:
    return client.get(f"/api/v1/audit-events{query}").json()["results"]


def test_acts_about_members_teams_blocks_and_money_are_recorded(account, owner):
    by = f"user:{owner.pk}"
    member, worker = builders.a_user(email="bea@example.org"), builders.a_worker()
    before = AuditEvent.objects.filter(account=account).count()
    accounts.add_member(account=account, user=member, role="Admin", by=by)
    accounts.change_role(account=account, user=member, role="Viewer", acting=owner)
    accounts.remove_member(account=account, user=member, acting=owner)
    team = workteams.create_team(account=account, name="field", description="", by=by)
    workteams.add_worker(team=team, worker=worker, by=by)
    workteams.remove_worker(team=team, worker=worker, by=by)
    eligibility.block(account=account, worker=worker, reason="spam", by=by)
    eligibility.unblock(account=account, worker=worker, by=by)
    invitations.to_account(account=account, email="cleo@example.org", role="Viewer", acting=owner)
    wallets.deposit(account=account, amount_micros=12_500_000, reference="bank:7", by="operator")
    funds.set_threshold(account=account, amount_micros=1_000_000, by=by)
    accounts.create_token(user=owner, account=account, name="notebook")
    found = said(account)[: AuditEvent.objects.filter(account=account).count() - before][::-1]
    assert [line.split(" ")[-1] if line.startswith("user:") else line for line in found] == [
        "Admin",
        "Viewer",
        "removed",
        "created",
        f"worker:{worker.pk} added",
        f"worker:{worker.pk} removed",
        f"worker:{worker.pk} blocked: spam",
        f"worker:{worker.pk} unblocked",
        found[8],
        "deposit of 12.50 dollars booked: bank:7",
        "low-funds warning: 1.00 dollars",
        "made: notebook",
    ]
    assert found[8].startswith("invitation:")


def test_acts_about_payouts_are_recorded_for_the_installation_and_not_for_an_account():
    worker = builders.a_worker()
    builders.earn(worker, 5_000_000)
    payouts.set_details(worker=worker, holder="Ana Bee", destination="acct 1")
    payout = payouts.request(worker=worker, by=f"user:{worker.user_id}")
    payouts.send(by="operator")
    payouts.mark_failed(payout=payout, reason="closed", by="operator")
    rows = AuditEvent.objects.filter(object_type="marketplace.Payout", object_id=payout.pk).order_by("pk")
    assert [row.to_status for row in rows] == ["Requested", "Sent", "Failed"]
    assert {row.account_id for row in rows} == {None}
    assert AuditEvent.objects.filter(object_type="marketplace.Worker", because="payout details set").exists()


def test_people_are_named_as_the_account_knows_them(account, owner):
    gone, operator, worker = builders.a_user(email="gone@example.org"), builders.an_operator(), builders.a_worker()
    invitation = invitations.to_account(account=account, email=gone.email, role="Viewer", acting=owner)
    invitations.accept(invitation=invitation, user=gone)
    accounts.remove_member(account=account, user=gone, acting=owner)
    for by in (f"user:{operator.pk}", f"user:{worker.user_id}", "system", f"user:{gone.pk}", f"user:{owner.pk}"):
        audit.record(account, by=by, because=f"met worker:{worker.pk}")
    five = shown(signed_in(owner))[:5]
    assert [line["by"] for line in five] == [
        "owner@example.org",
        "gone@example.org",
        None,
        f"worker {worker.public_id}",
        "an operator",
    ]
    assert {line["because"] for line in five} == {f"met worker {worker.public_id}"}
    page = signed_in(owner).get("/audit/").content.decode()
    assert worker.user.email not in page and operator.email not in page and worker.public_id in page


def test_the_log_is_filtered_by_person_kind_and_date(account, owner):
    other = builders.a_user()
    accounts.add_member(account=account, user=other, role="Admin", by=f"user:{owner.pk}")
    workteams.create_team(account=account, name="field", description="", by=f"user:{other.pk}")
    old = audit.record(account, by=f"user:{owner.pk}", because="long ago", at=timezone.now() - timedelta(days=9))
    client = signed_in(owner)
    by_other = shown(client, f"?by=user:{other.pk}")
    assert {line["by"] for line in by_other} == {other.email} and by_other[0]["kind"] == "team"
    assert [line["kind"] for line in shown(client, "?kind=team")] == ["team"]
    until = (timezone.now() - timedelta(days=8)).isoformat().replace("+", "%2B")
    assert [line["id"] for line in shown(client, f"?until={until}")] == [old.pk]
    assert old.pk not in {line["id"] for line in shown(client, f"?since={until}")}
    day = f"{timezone.now() - timedelta(days=9):%Y-%m-%d}"
    page = client.get(f"/audit/?since={day}&until={day}&person=user:{owner.pk}").content.decode()
    assert "long ago" in page and page.count("<tr>") == 2, "the heading and one row"
    assert client.get("/audit/?since=never&kind=x&person=y&before=z").status_code == 200


def test_the_log_is_paged_by_key(account, owner):
    client = signed_in(owner)
    for number in range(60):
        audit.record(account, by="system", because=f"act {number:02}")
    first = client.get("/audit/")
    assert "act 59" in first.content.decode() and "act 09" not in first.content.decode()
    # What is recorded meanwhile moves no row from one page to the next.
    audit.record(account, by="system", because="meanwhile")
    older = client.get(f"/audit/?before={first.context['older']}").content.decode()
    assert "act 09" in older and "act 10" not in older and "meanwhile" not in older and "act 00" in older


@pytest.mark.parametrize("address", ["/audit/csv/", "/api/v1/audit-events/csv"])
def test_the_log_is_downloaded_without_formulas(account, owner, address):
    audit.record(account, by="system", because="=HYPERLINK(1)")
    audit.record(account, by=f"user:{owner.pk}", because='said "hello", and\nleft')
    text = b"".join(signed_in(owner).get(address).streaming_content).decode()
    heading, newest, before, *_ = csv.reader(io.StringIO(text))
    assert heading == ["id", "at", "by", "kind", "object_id", "from_status", "to_status", "because"]
    assert newest[2] == "owner@example.org" and newest[-1] == 'said "hello", and\nleft'
    assert before[2] == "system" and before[-1] == "'=HYPERLINK(1)"


def test_the_low_funds_warning_is_set_on_the_wallet_page_and_over_rest(account, owner):
    client = signed_in(owner)
    assert client.post("/wallet/low-funds/", {"threshold": "12.5"}).status_code == 302
    assert client.get("/api/v1/wallet/low-funds").json() == {"threshold": "12.500000"}
    assert 'value="12.50"' in client.get("/wallet/").content.decode()
    assert client.post("/wallet/low-funds/", {"threshold": "much"}).status_code == 422
    put = client.put("/api/v1/wallet/low-funds", {"threshold": "0"}, content_type="application/json")
    assert put.json() == {"threshold": "0.000000"} and funds.threshold(account) == 0


def test_rows_from_before_belong_to_their_accounts(account, owner):
    """What the migrations do with the rows of an installation that is upgraded."""
    invitation = invitations.to_account(account=account, email="bea@example.org", role="Viewer", acting=owner)
    invitations.withdraw(invitation=invitation, acting=owner)
    builders.a_team(account=account, workers=1)
    accounts.create_token(user=owner, account=account, name="t")
    builders.a_dataset(account=account)
    stories.a_job(account, builders.a_team(account=account, workers=0))
    kept = dict(AuditEvent.objects.values_list("pk", "account"))
    assert len({row.object_type for row in AuditEvent.objects.filter(account=account)}) >= 6
    AuditEvent.objects.update(account=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("marketplace.migrations.0015_webhooks_audit_funds").OF_ACCOUNTS)
        cursor.execute(import_module("labeling.migrations.0032_audit_by_account").FILL)
    assert dict(AuditEvent.objects.values_list("pk", "account")) == kept
