"""Users, accounts, roles and tokens."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.errors import Forbidden, InUse, Invalid, NotFound
from marketplace.models import ApiToken, Membership, Role, User
from marketplace.services import accounts
from tests import builders

pytestmark = pytest.mark.django_db


def test_a_user_signs_in_by_address_in_any_case():
    user = accounts.create_user(email=" Ann@Example.org ", password=builders.PASSWORD)
    assert user.email == "ann@example.org"
    assert User.objects.get_by_natural_key("ANN@example.ORG") == user
    assert user.check_password(builders.PASSWORD)


def test_an_address_is_taken_once():
    builders.a_user(email="ann@example.org")
    with pytest.raises(InUse) as refused:
        accounts.create_user(email="ANN@example.org", password=builders.PASSWORD)
    assert refused.value.field == "email"
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("no address", builders.PASSWORD, "email"),
        ("a@b.org", "short", "password"),
        ("a@b.org", "1234567890", "password"),
    ],
)
def test_bad_input_names_its_field(email, password, field):
    with pytest.raises(Invalid) as refused:
        accounts.create_user(email=email, password=password)
    assert refused.value.field == field
    assert not User.objects.exists()


def test_an_account_has_twelve_digits_and_an_owner():
    user, account = builders.a_requester()
    assert len(account.number) == 12
    assert account.number.isdigit()
    assert accounts.role_of(account=account, user=user) == Role.OWNER


def test_roles_are_ordered_and_an_account_is_hidden_from_non_members():
    _, account = builders.a_requester()
    member, stranger = builders.a_user(), builders.a_user()
    accounts.add_member(account=account, user=member, role=Role.MEMBER)
    assert accounts.require_role(account=account, user=member, at_least=Role.VIEWER) == Role.MEMBER
    with pytest.raises(Forbidden, match="needs the role Admin"):
        accounts.require_role(account=account, user=member, at_least=Role.ADMIN)
    with pytest.raises(NotFound):
        accounts.require_role(account=account, user=stranger, at_least=Role.VIEWER)


def test_the_last_owner_stays():
    owner, account = builders.a_requester()
    with pytest.raises(InUse, match="last owner"):
        accounts.add_member(account=account, user=owner, role=Role.VIEWER)
    with pytest.raises(InUse, match="last owner"):
        accounts.remove_member(account=account, user=owner, acting=None)
    assert Membership.objects.get(account=account).role == Role.OWNER


def test_a_token_is_stored_hashed_and_found_by_its_secret():
    user, account = builders.a_requester()
    token, secret = accounts.create_token(user=user, account=account, name="ci")
    assert secret.startswith("wgl_")
    assert secret.startswith(token.prefix)
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values().get())
    found = accounts.authenticate_token(secret)
    assert (found.pk, found.user, found.account) == (token.pk, user, account)
    assert accounts.authenticate_token(secret + "x") is None
    assert accounts.authenticate_token("") is None


def test_a_used_token_costs_one_query_and_notes_its_use_once_a_minute():
    user, account = builders.a_requester()
    token, secret = accounts.create_token(user=user, account=account, name="ci")
    accounts.authenticate_token(secret)
    with CaptureQueriesContext(connection) as queries:
        found = accounts.authenticate_token(secret)
        assert found.user.email == user.email
        assert found.account_id == account.pk
    assert len(queries) == 1
    assert found.account.number == account.number
    long_ago = timezone.now() - timedelta(minutes=2)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=long_ago)
    accounts.authenticate_token(secret)
    token.refresh_from_db()
    assert token.last_used_at > long_ago


def test_revoked_tokens_and_tokens_of_inactive_users_are_refused():
    user, account = builders.a_requester()
    token, secret = accounts.create_token(user=user, account=account, name="ci")
    _, other = accounts.create_token(user=user, account=None, name="worker app")
    accounts.revoke_token(token=token, by="system")
    assert accounts.authenticate_token(secret) is None
    assert accounts.authenticate_token(other) is not None
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert accounts.authenticate_token(other) is None


def test_removing_a_member_ends_their_tokens_for_the_account():
    _, account = builders.a_requester()
    member = builders.a_user()
    accounts.add_member(account=account, user=member, role=Role.MEMBER)
    _, secret = accounts.create_token(user=member, account=account, name="laptop")
    accounts.remove_member(account=account, user=member, acting=None)
    assert accounts.authenticate_token(secret) is None
    with pytest.raises(NotFound):
        accounts.create_token(user=member, account=account, name="again")
