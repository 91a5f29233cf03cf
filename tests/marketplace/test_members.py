"""Who may change whose role in an account: every pair of roles, in the service, on pages and over REST."""

import itertools

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.errors import Forbidden, NotFound
from marketplace.models import Account, AuditEvent, Membership, Role, User
from marketplace.services import accounts, invitations, scope
from tests import builders

pytestmark = pytest.mark.django_db
ORDER = [None, Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
"""None is somebody who is no member; each role may do what those before it may."""

CHANGES = [(had, given) for had, given in itertools.product(ORDER, ORDER) if had or given]
"""(role before, role after); None before is an invitation, None after a removal."""


@pytest.fixture
def account(db) -> Account:
    return builders.an_account(funds="0")


def somebody(account: Account, role: Role | None) -> User:
    """A user with this role in the account."""
    user = builders.a_user()
    if role is not None:
        accounts.add_member(account=account, user=user, role=role)
    return user


def allowed(own: Role | None, had: Role | None, given: Role | None) -> bool:
    """The rule: admins and owners change roles, and none above their own."""
    rank = ORDER.index
    return rank(own) >= rank(Role.ADMIN) and max(rank(had), rank(given)) <= rank(own)


def change(account: Account, user: User, given: Role | None, acting: User | None) -> None:
    if given is None:
        accounts.remove_member(account=account, user=user, acting=acting)
    elif accounts.role_of(account=account, user=user) is None:
        invitation = invitations.to_account(account=account, email=user.email, role=given, acting=acting)
        assert accounts.role_of(account=account, user=user) is None, "not before they accept"
        invitations.accept(invitation=invitation, user=user)
    else:
        accounts.change_role(account=account, user=user, role=given, acting=acting)


@pytest.mark.parametrize("own", ORDER)
def test_nobody_gives_or_takes_a_rank_above_their_own(account, own):
    acting = somebody(account, own)
    for had, given in CHANGES:
        user = somebody(account, had)
        noted = AuditEvent.objects.count()
        if allowed(own, had, given):
            change(account, user, given, acting)
            assert accounts.role_of(account=account, user=user) == given, (had, given)
            by = AuditEvent.objects.order_by("pk").values_list("by", flat=True)[noted:]
            assert by[0] == f"user:{acting.pk}" and set(by) <= {f"user:{acting.pk}", f"user:{user.pk}"}
        else:
            with pytest.raises(NotFound if own is None else Forbidden):
                change(account, user, given, acting)
            assert accounts.role_of(account=account, user=user) == had, (had, given)
            assert AuditEvent.objects.count() == noted


@pytest.mark.parametrize("own", ORDER[1:])
@pytest.mark.parametrize("through", ["rest", "pages"])
def test_pages_and_rest_keep_the_rule(account, own, through):
    client = Client()
    client.force_login(somebody(account, own))
    for had, given in CHANGES:
        user = somebody(account, had)
        sent = {"role": given}
        json = {"content_type": "application/json"}
        if given is None and through == "rest":
            response = client.delete(f"/api/v1/members/{user.pk}")
        elif given is None:
            response = client.post(reverse("requester:settings-remove-member", args=[user.pk]))
        elif had is None and through == "rest":
            response = client.post("/api/v1/invitations", {"email": user.email, **sent}, **json)
        elif had is None:
            response = client.post(reverse("requester:settings-invite"), {"email": user.email, **sent})
        elif through == "rest":
            response = client.put(f"/api/v1/members/{user.pk}", sent, **json)
        else:
            response = client.post(reverse("requester:settings-change-role", args=[user.pk]), sent)
        done = allowed(own, had, given)
        # An invitation's answer is the page with its link.
        assert response.status_code in ((200, 201, 204, 302) if done else (403, 422)), (had, given)
        assert [row.role for row in scope.invitations_to(user)] == ([given] if done and had is None else [])
        if had is None and done:
            assert accounts.role_of(account=account, user=user) is None
            row = scope.invitations_to(user).get()
            assert somebody_accepts(user, row.pk, through).status_code in (204, 302)
        assert accounts.role_of(account=account, user=user) == (given if done else had), (had, given)


def somebody_accepts(user: User, invitation_id: int, through: str):
    client = Client()
    client.force_login(user)
    if through == "rest":
        return client.post(f"/api/v1/me/invitations/{invitation_id}/accept")
    return client.post(reverse("person:accept", args=[invitation_id]))


@pytest.mark.parametrize("own", ORDER[1:])
def test_nobody_raises_themselves(account, own):
    user = somebody(account, own)
    for given in ORDER[ORDER.index(own) + 1 :]:
        with pytest.raises(Forbidden):
            accounts.change_role(account=account, user=user, role=given, acting=user)
    assert accounts.role_of(account=account, user=user) == own


@pytest.mark.parametrize("own", ORDER[1:])
def test_everybody_may_leave_on_a_page_and_over_rest(account, own):
    for leave in (
        lambda client, user: client.delete(f"/api/v1/members/{user.pk}"),
        lambda client, user: client.post(reverse("requester:settings-remove-member", args=[user.pk])),
        lambda client, user: client.post(reverse("person:leave-account", args=[account.pk])),
    ):
        user, client = somebody(account, own), Client()
        client.force_login(user)
        assert leave(client, user).status_code in (204, 302)
        assert accounts.role_of(account=account, user=user) is None


def test_the_page_offers_only_what_is_allowed(account):
    for own, offered in (("Viewer", []), ("Member", []), ("Admin", ORDER[1:4]), ("Owner", ORDER[1:])):
        client = Client()
        client.force_login(somebody(account, Role(own)))
        shown = client.get(reverse("requester:settings")).content.decode()
        assert [role for role in ORDER[1:] if f'<option value="{role}"' in shown] == offered
        # One can leave always; each rank up to one's own can be removed.
        ranks = Membership.objects.filter(account=account).values_list("role", flat=True)
        assert shown.count(">Leave</button>") == 1
        assert shown.count(">Remove</button>") == sum(role in offered for role in ranks) - (own in offered)


def test_a_member_of_another_account_is_not_found(account):
    owner, other = account.members.get(), builders.an_account(funds="0")
    client = Client()
    client.force_login(owner)
    stranger = other.members.get()
    assert client.delete(f"/api/v1/members/{stranger.pk}").status_code == 404
    assert client.post(reverse("requester:settings-remove-member", args=[stranger.pk])).status_code == 404
    assert accounts.role_of(account=other, user=stranger) == Role.OWNER
