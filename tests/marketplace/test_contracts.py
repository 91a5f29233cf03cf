"""A vendor's listing is reviewed, a contract is negotiated and ends, and only the vendor's own people staff it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.errors import Forbidden, Invalid, NotFound, WrongState
from marketplace.models import AuditEvent, Contract, Crowd, VendorListing
from marketplace.services import contracts, eligibility, invoice_periods, scope, staffing, vendor_listings, workteams
from marketplace.services.contracts import REQUESTER, VENDOR
from tests import builders
from tests.labeling import stories, vendor_stories
from tests.labeling.vendor_stories import BOXES, a_contract, a_listing, an_offer, in_days, terms

pytestmark = pytest.mark.django_db


def reviewed() -> list[str]:
    return [row.account.name for row in vendor_listings.published()]


def test_a_listing_is_public_once_an_operator_has_read_it():
    account = stories.an_account(funds="0")
    listing = vendor_listings.save(account=account, offer=an_offer(), by="user:1")
    with pytest.raises(WrongState, match="has not asked"):
        vendor_listings.publish(listing=listing, revision=1, by="user:9")
    vendor_listings.submit(account=account, by="user:1")
    assert reviewed() == []
    vendor_listings.publish(listing=listing, revision=1, by="user:9")
    assert reviewed() == [account.name]

    vendor_listings.save(account=account, offer=an_offer(title="Fields"), by="user:1")
    assert reviewed() == []
    with pytest.raises(WrongState, match="changed meanwhile"):
        vendor_listings.publish(listing=listing, revision=1, by="user:9")
    vendor_listings.refuse(listing=listing, reason="Name your certificates.", by="user:9")
    assert vendor_listings.own(account).refused_because == "Name your certificates."
    vendor_listings.submit(account=account, by="user:1")
    vendor_listings.publish(listing=listing, revision=2, by="user:9")
    assert reviewed() == [account.name]
    moves = AuditEvent.objects.filter(object_type=VendorListing._meta.label).exclude(to_status="")
    assert [row.to_status for row in moves.order_by("pk")] == [
        *("InReview", "Published", "InReview", "Refused", "InReview", "Published")
    ]


def test_listings_are_public_at_once_where_the_operator_does_not_review_them(settings):
    settings.REVIEW_VENDOR_LISTINGS = False
    account = stories.an_account(funds="0")
    vendor_listings.save(account=account, offer=an_offer(), by="user:1")
    vendor_listings.submit(account=account, by="user:1")
    vendor_listings.save(account=account, offer=an_offer(title="Fields"), by="user:1")
    assert [row.title for row in vendor_listings.published()] == ["Fields"]


def test_vendors_are_found_by_task_type_and_language():
    a_listing(title="One", languages=["en"])
    a_listing(title="Two", languages=["de"], prices={"ImageMultiClass": 12_000})

    def titles(**wanted):
        return [row.title for row in vendor_listings.published(**wanted)]

    assert titles() == ["One", "Two"]
    assert titles(task_type=BOXES) == ["One"]
    assert titles(language="de") == ["Two"]
    assert titles(task_type=BOXES, language="de") == []


def test_where_invoices_are_paid_to_is_checked_and_needs_no_review():
    listing = a_listing()
    iban = "DE89 3704 0044 0532 0130 00"
    with pytest.raises(Invalid, match="wrong digit"):
        vendor_listings.set_payment(account=listing.account, holder="Fields", destination=iban[:-1] + "1", by="user:1")
    vendor_listings.set_payment(
        account=listing.account, holder="Fields", destination=iban.replace(" ", ""), by="user:1"
    )
    assert vendor_listings.own(listing.account).destination == iban
    assert reviewed() == [listing.account.name]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("description", "x" * 2001),
        ("languages", ["english"]),
        ("languages", []),
        ("turnaround_hours", 0),
        ("prices", {}),
        ("prices", {BOXES: 0}),
        ("prices", {BOXES: 3_000_000}),
    ],
)
def test_a_wrong_listing_names_the_field(field, value):
    with pytest.raises(Invalid) as raised:
        vendor_listings.save(account=stories.an_account(funds="0"), offer=an_offer(**{field: value}), by="user:1")
    assert field in dict(raised.value.errors)
    assert not VendorListing.objects.exists()


def test_both_sides_confirm_the_same_terms():
    requester = stories.an_account()
    listing = a_listing()
    contract = contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(), by="user:1")
    with pytest.raises(WrongState, match="does not wait for the requester"):
        contracts.confirm(contract=contract, side=REQUESTER, version=1, by="user:1")
    with pytest.raises(WrongState, match="is being negotiated"):
        contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(), by="user:1")

    countered = contracts.propose_other(
        contract=contract, side=VENDOR, terms=terms(prices={BOXES: 41_000}), version=1, by="user:2"
    )
    assert (countered.status, countered.version, countered.prices) == ("Countered", 2, {BOXES: 41_000})
    with pytest.raises(WrongState, match="terms have changed"):
        contracts.confirm(contract=contract, side=REQUESTER, version=1, by="user:1")
    assert Contract.objects.get().workteam is None

    live = contracts.confirm(contract=contract, side=REQUESTER, version=2, by="user:1")
    assert contracts.confirm(contract=contract, side=REQUESTER, version=2, by="user:1") == live
    team = Contract.objects.get().workteam
    assert (team.crowd, team.account_id, team.group.kind) == (Crowd.VENDOR, listing.pk, "contract")
    assert team in scope.teams(requester)
    # It belongs to the vendor, who cannot give jobs to it, nor invite to it as to a private team.
    assert team not in scope.teams(listing.account)
    with pytest.raises(NotFound):
        scope.own_team(listing.account, team.pk)
    assert [row.to_status for row in contracts.history(contract) if row.to_status] == ["Live", "Countered", "Proposed"]


def test_a_contract_is_declined_or_withdrawn():
    requester = stories.an_account()
    listing = a_listing()
    for side, status in ((VENDOR, "Declined"), (REQUESTER, "Withdrawn")):
        contract = contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(), by="user:1")
        assert contracts.refuse(contract=contract, side=side, by="user:1").status == status
    live = contracts.confirm(
        contract=contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(), by="user:1"),
        side=VENDOR,
        version=1,
        by="user:2",
    )
    with pytest.raises(WrongState):
        contracts.refuse(contract=live, side=VENDOR, by="user:1")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("ends_on", {"ends_on": in_days(-1)}),
        ("prices", {"prices": {}}),
        ("invoice_period", {"invoice_period": "Daily"}),
        ("note", {"note": "x" * 501}),
    ],
)
def test_wrong_terms_name_the_field(field, changes):
    with pytest.raises(Invalid) as raised:
        contracts.propose(requester=stories.an_account(), vendor_id=a_listing().pk, terms=terms(**changes), by="user:1")
    assert field in dict(raised.value.errors)
    assert not Contract.objects.exists()


def test_nobody_contracts_with_themselves_or_with_a_vendor_that_is_not_public():
    listing = a_listing()
    with pytest.raises(Invalid, match="itself"):
        contracts.propose(requester=listing.account, vendor_id=listing.pk, terms=terms(), by="user:1")
    vendor_listings.withdraw(account=listing.account, by="user:1")
    with pytest.raises(NotFound):
        contracts.propose(requester=stories.an_account(), vendor_id=listing.pk, terms=terms(), by="user:1")


def test_a_contract_ends_with_its_last_day_or_by_notice():
    contract = a_contract(requester=stories.an_account())
    contracts.give_notice(contract=contract, side=REQUESTER, by="user:1")
    noticed = contracts.give_notice(contract=contract, side=VENDOR, by="user:2")
    assert noticed.ends_on == in_days(contracts.NOTICE_DAYS)
    last_day = timezone.now() + timedelta(days=contracts.NOTICE_DAYS)
    assert contracts.end_overdue(now=last_day) == 0
    assert contracts.end_overdue(now=last_day + timedelta(days=1)) == 1
    assert contracts.end_overdue(now=last_day + timedelta(days=1)) == 0
    contract.refresh_from_db()
    assert contract.status == "Ended"
    with pytest.raises(NotFound):
        contracts.live_contract(team=contract.workteam, requester=contract.requester)
    assert contract.workteam not in scope.teams(contract.requester)


def test_only_the_vendors_own_people_work_on_its_contract():
    contract = a_contract(requester=stories.an_account())
    other = a_contract(requester=contract.requester)
    (mine,) = vendor_stories.staffed(contract, 1)
    (theirs,) = vendor_stories.staffed(other, 1)
    for worker in (theirs, stories.a_crowd(1)[0]):
        with pytest.raises(NotFound):
            staffing.assign(contract=contract, worker=worker, by="user:2")
    assert [row.worker for row in staffing.assigned(contract)] == [mine]
    assert [*staffing.staff(contract.vendor)] == [mine]

    # Whoever leaves the vendor leaves its contracts, too, but not before they have left its last team.
    second = builders.a_team(account=contract.vendor, workers=[mine])
    first = scope.teams_of(mine).exclude(workteam=second).exclude(workteam=contract.workteam).get().workteam
    workteams.remove_worker(team=first, worker=mine, by="user:2")
    assert staffing.assigned(contract).exists()
    workteams.remove_worker(team=second, worker=mine, by="user:2")
    assert not staffing.assigned(contract).exists()
    audience = eligibility.audience_for([contract.workteam.group])
    asked = {"worker_id": mine.pk, "audience_id": audience.pk, "account_id": contract.requester_id}
    assert eligibility.refusal(**asked) == eligibility.NOT_ADMITTED


def test_a_suspended_worker_is_not_assigned_and_a_contract_that_is_not_live_has_no_staff():
    requester = stories.an_account()
    listing = a_listing()
    contract = contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(), by="user:1")
    worker = stories.a_crowd(1)[0]
    builders.a_team(account=listing.account, workers=[worker])
    with pytest.raises(WrongState, match="Proposed"):
        staffing.assign(contract=contract, worker=worker, by="user:2")
    contract = contracts.confirm(contract=contract, side=VENDOR, version=1, by="user:2")
    type(worker).objects.filter(pk=worker.pk).update(status="Suspended")
    worker.refresh_from_db()
    with pytest.raises(Forbidden):
        staffing.assign(contract=contract, worker=worker, by="user:2")


@pytest.mark.parametrize(
    ("period", "at", "last", "following"),
    [
        ("Weekly", "2026-11-26", "2026-11-23", "2026-11-30"),
        ("Weekly", "2026-11-30", "2026-11-30", "2026-12-07"),
        ("Monthly", "2026-12-31", "2026-12-01", "2027-01-01"),
        ("Monthly", "2028-02-29", "2028-02-01", "2028-03-01"),
        ("Monthly", "2026-03-01", "2026-03-01", "2026-04-01"),
    ],
)
def test_periods_follow_the_calendar(period, at, last, following):
    moment = timezone.datetime.fromisoformat(f"{at}T00:00:00+00:00")
    assert f"{invoice_periods.last_end(period, moment):%Y-%m-%d}" == last
    assert f"{invoice_periods.next_end(period, moment):%Y-%m-%d}" == following
