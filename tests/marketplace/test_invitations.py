"""Invitations: nobody is on an account or a team before they accept, and nobody is told whose addresses exist."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.errors import DomainError, Forbidden, Invalid, LimitExceeded, NameTaken, NotFound, WrongState
from marketplace.models import Account, AuditEvent, Invitation, Membership, Role, User, Worker, WorkerStatus, Workteam
from marketplace.services import accounts, invitations, people, scope, workteams
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db) -> Account:
    return builders.an_account(funds="0")


@pytest.fixture
def owner(account) -> User:
    return account.members.get()


@pytest.fixture
def team(account) -> Workteam:
    return builders.a_team(account=account, workers=0)


@pytest.fixture
def bea(db) -> User:
    return builders.a_user(email="bea@example.org")


def to_account(account: Account, acting: User | None, email: str = "bea@example.org", role: str = Role.MEMBER):
    return invitations.to_account(account=account, email=email, role=role, acting=acting)


def role(account: Account, user: User) -> Role | None:
    return accounts.role_of(account=account, user=user)


def test_nothing_changes_before_the_invited_person_accepts(account, owner, team, bea):
    as_member = to_account(account, owner, email=" BEA@example.org")
    as_worker = invitations.to_team(team=team, email="bea@example.org", acting=owner)
    assert role(account, bea) is None and not team.memberships.exists() and not Worker.objects.filter(user=bea).exists()
    assert list(scope.invitations_to(bea)) == [as_worker, as_member]
    for _ in range(2):
        invitations.accept(invitation=as_member, user=bea)
        invitations.accept(invitation=as_worker, user=bea)
    assert role(account, bea) == Role.MEMBER
    assert team.members.get().user == bea
    assert not scope.invitations_to(bea) and not scope.invitations(account)
    moved = AuditEvent.objects.filter(object_type="marketplace.Invitation", to_status="Accepted")
    assert [event.by for event in moved] == [f"user:{bea.pk}"] * 2


def test_an_invitation_looks_the_same_whether_the_address_belongs_to_somebody(account, owner, team, bea):
    """The rows differ in nothing but their keys and addresses, and both get a link."""
    builders.a_user(email="gone@example.org")
    User.objects.filter(email="gone@example.org").update(is_active=False)
    suspended = builders.a_worker(user=builders.a_user(email="suspended@example.org"))
    Worker.objects.filter(pk=suspended.pk).update(status=WorkerStatus.SUSPENDED)
    known = ("bea@example.org", "gone@example.org", "suspended@example.org")
    for invite in (
        lambda email: to_account(account, owner, email=email),
        lambda email: invitations.to_team(team=team, email=email, acting=owner),
    ):
        rows = [invite(email) for email in (*known, "nobody@example.org")]
        shapes = {
            (row.account_id, row.workteam_id, row.role, row.invited_by_id, row.status, row.digest) for row in rows
        }
        assert len(shapes) == 1
        assert len({invitations.new_link(row) for row in rows}) == len(rows)


def test_a_declined_or_withdrawn_invitation_cannot_be_accepted(account, owner, bea):
    declined = to_account(account, owner)
    for _ in range(2):
        invitations.decline(invitation=declined, user=bea)
    withdrawn = to_account(account, owner)
    secret = invitations.new_link(withdrawn)
    for _ in range(2):
        invitations.withdraw(invitation=withdrawn, acting=owner)
    for over in (declined, withdrawn):
        with pytest.raises(WrongState, match="ask to be invited again"):
            invitations.accept(invitation=over, user=bea)
    with pytest.raises(NotFound):
        invitations.of_link(secret)
    with pytest.raises(WrongState):
        invitations.decline(invitation=withdrawn, user=bea)
    assert role(account, bea) is None


def test_an_invitation_ends_with_its_time(account, owner, bea, settings):
    settings.INVITATION_DAYS = 3
    row = to_account(account, owner)
    assert abs(row.expires_at - timezone.now() - timedelta(days=3)) < timedelta(minutes=1)
    secret = invitations.new_link(row)
    Invitation.objects.update(expires_at=timezone.now())
    assert not scope.invitations_to(bea) and not scope.invitations(account)
    with pytest.raises(WrongState, match="Expired"):
        invitations.accept(invitation=row, user=bea)
    with pytest.raises(NotFound):
        invitations.join_by_link(secret=secret, display_name="", password=builders.PASSWORD)
    invitations.expire_overdue()
    row.refresh_from_db()
    assert row.status == "Expired" and role(account, bea) is None
    # One can be invited again.
    invitations.accept(invitation=to_account(account, owner), user=bea)
    assert role(account, bea) == Role.MEMBER


def test_only_the_addressee_accepts_and_declines(account, owner, bea):
    row, other = to_account(account, owner), builders.a_user()
    for act in (invitations.accept, invitations.decline):
        with pytest.raises(NotFound):
            act(invitation=row, user=other)
    with pytest.raises(NotFound):
        scope.invitation_to(other, row.pk)
    assert list(scope.invitations_to(bea)) == [row]


def test_a_repeated_invitation_renews_the_first_and_its_link(account, owner, bea):
    first = to_account(account, owner)
    old = invitations.new_link(first)
    second = to_account(account, owner, role=Role.VIEWER)
    assert second.pk == first.pk and Invitation.objects.count() == 1
    with pytest.raises(NotFound):
        invitations.of_link(old)
    invitations.accept(invitation=second, user=bea)
    assert role(account, bea) == Role.VIEWER


def test_members_are_not_invited_again(account, owner, team, bea):
    accounts.add_member(account=account, user=bea, role=Role.ADMIN)
    workteams.add_worker(team=team, worker=builders.a_worker(user=bea), by="system")
    with pytest.raises(NameTaken):
        to_account(account, owner)
    with pytest.raises(NameTaken):
        invitations.to_team(team=team, email="bea@example.org", acting=owner)
    assert not Invitation.objects.exists()


def test_accepting_lowers_nobody(account, owner, bea):
    row = to_account(account, owner, role=Role.VIEWER)
    accounts.add_member(account=account, user=bea, role=Role.ADMIN)
    invitations.accept(invitation=row, user=bea)
    assert role(account, bea) == Role.ADMIN


@pytest.mark.parametrize("own", [None, *Role])
@pytest.mark.parametrize("offered", list(Role))
def test_nobody_offers_or_withdraws_a_rank_above_their_own(account, owner, own, offered):
    acting = builders.a_user()
    if own is not None:
        accounts.add_member(account=account, user=acting, role=own)
    of_owner = to_account(account, owner, email="first@example.org", role=offered)
    rank = accounts.RANKS
    if own is not None and rank[own] >= rank[Role.ADMIN] and rank[offered] <= rank[own]:
        to_account(account, acting, role=offered)
        to_account(account, acting, email="first@example.org", role=Role.VIEWER)
        invitations.withdraw(invitation=of_owner, acting=acting)
        return
    refused = NotFound if own is None else Forbidden
    for act in (
        lambda: to_account(account, acting, role=offered),
        lambda: invitations.withdraw(invitation=of_owner, acting=acting),
        # Renewing would withdraw the owner's.
        lambda: to_account(account, acting, email="first@example.org", role=Role.VIEWER),
    ):
        with pytest.raises(refused):
            act()
    of_owner.refresh_from_db()
    assert (Invitation.objects.count(), of_owner.status, of_owner.role) == (1, "Pending", offered)


@pytest.mark.parametrize("own", [None, Role.VIEWER, Role.MEMBER])
def test_only_admins_invite_to_teams(account, team, own):
    acting = builders.a_user()
    if own is not None:
        accounts.add_member(account=account, user=acting, role=own)
    with pytest.raises(NotFound if own is None else Forbidden):
        invitations.to_team(team=team, email="bea@example.org", acting=acting)
    with pytest.raises(Forbidden):
        invitations.to_team(team=workteams.public_pool(), email="bea@example.org", acting=acting)
    assert not Invitation.objects.exists()


def lowered(account, admin):
    accounts.add_member(account=account, user=admin, role=Role.MEMBER)


def removed(account, admin):
    Membership.objects.filter(account=account, user=admin).delete()


def deactivated(account, admin):
    people.deactivate(user=admin, reason="left", by="system")


@pytest.mark.parametrize("happened", [lowered, removed, deactivated])
def test_accepting_asks_again_whether_the_inviter_may(account, team, bea, happened):
    admin = builders.a_user()
    accounts.add_member(account=account, user=admin, role=Role.ADMIN)
    rows = [to_account(account, admin, role=Role.ADMIN), invitations.to_team(team=team, email=bea.email, acting=admin)]
    secret = invitations.new_link(rows[0])
    happened(account, admin)
    for row in rows:
        with pytest.raises(Forbidden, match="may not do so any more"):
            invitations.accept(invitation=row, user=bea)
    bea.delete()
    with pytest.raises(Forbidden):
        invitations.join_by_link(secret=secret, display_name="", password=builders.PASSWORD)
    assert not User.objects.filter(email="bea@example.org").exists() and not team.memberships.exists()


def test_a_link_makes_a_sign_in_once(account, owner):
    row = to_account(account, owner, email="new@example.org", role=Role.VIEWER)
    secret = invitations.new_link(row)
    row.refresh_from_db()
    assert row.digest == hashlib.sha256(secret.encode()).hexdigest() and secret not in str(vars(row))
    with pytest.raises(Invalid) as refused:
        invitations.join_by_link(secret=secret, display_name="New", password="12345")
    assert {field for field, _ in refused.value.errors} == {"password"} and len(refused.value.errors) > 1
    assert not User.objects.filter(email="new@example.org").exists()
    user = invitations.join_by_link(secret=secret, display_name="New", password=builders.PASSWORD)
    assert user.email == "new@example.org" and user.check_password(builders.PASSWORD)
    assert role(account, user) == Role.VIEWER
    with pytest.raises(NotFound):
        invitations.join_by_link(secret=secret, display_name="", password=builders.PASSWORD)


def test_a_link_changes_no_sign_in_that_exists(account, owner, bea):
    secret = invitations.new_link(to_account(account, owner))
    with pytest.raises(NameTaken):
        invitations.join_by_link(secret=secret, display_name="Mallory", password="another-passw0rd")
    bea.refresh_from_db()
    assert bea.check_password(builders.PASSWORD) and role(account, bea) is None


def test_an_account_cannot_write_to_all_the_world(account, owner, monkeypatch):
    monkeypatch.setattr(invitations, "PER_DAY", 2)
    for number in range(2):
        to_account(account, owner, email=f"person-{number}@example.com")
    with pytest.raises(LimitExceeded):
        to_account(account, owner)
    assert Invitation.objects.count() == 2


def test_a_suspended_worker_joins_no_team(account, owner, team, bea):
    worker = builders.a_worker(user=bea)
    people.suspend(worker=worker, reason="spam", by="user:1")
    row = invitations.to_team(team=team, email=bea.email, acting=owner)
    with pytest.raises(Forbidden):
        invitations.accept(invitation=row, user=bea)
    row.refresh_from_db()
    assert row.status == "Pending" and not team.memberships.exists()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What the acts return, or the errors they raise, when they run at the same time."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        except DomainError as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_invitations_made_at_the_same_time_are_one(account, owner):
    made = at_once(*[lambda: to_account(account, owner).pk] * 8)
    assert len(set(made)) == 1 and Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_accepted_or_withdrawn_and_never_both(account, owner):
    for number in range(8):
        user = builders.a_user()
        row = to_account(account, owner, email=user.email)
        acts = [
            lambda row=row, user=user: invitations.accept(invitation=row, user=user),
            lambda row=row: invitations.withdraw(invitation=Invitation.objects.get(pk=row.pk), acting=owner),
        ]
        at_once(*(acts if number % 2 else reversed(acts)))
        row.refresh_from_db()
        assert (role(account, user) is not None) == (row.status == "Accepted")
        assert row.status in ("Accepted", "Withdrawn")


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_used_twice_at_once_makes_one_sign_in(account, owner):
    secret = invitations.new_link(to_account(account, owner, email="new@example.org"))

    def join() -> object:
        return invitations.join_by_link(secret=secret, display_name="", password=builders.PASSWORD).pk

    results = at_once(*[join] * 4)
    joined = [result for result in results if isinstance(result, int)]
    assert len(joined) == 1 and set(results) - set(joined) <= {NameTaken, NotFound, WrongState}
    assert account.members.filter(email="new@example.org").count() == 1
