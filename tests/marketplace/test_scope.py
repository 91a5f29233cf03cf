"""Which account a caller acts for, and which rows of people and teams an account may name."""

import pytest

from marketplace.errors import AccountNotNamed, Forbidden, NotFound
from marketplace.models import Account, Role, User
from marketplace.services import accounts, scope, workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db) -> Account:
    return stories.an_account()


@pytest.fixture
def owner(account: Account) -> User:
    return account.members.get()


def another(owner: User) -> Account:
    """A second account of the same owner."""
    return builders.an_account(owner=owner)


def test_the_only_account_needs_no_name(account, owner):
    assert scope.account_for(user=owner) == account


def test_of_several_own_accounts_one_is_named_or_chosen(account, owner):
    second = another(owner)
    with pytest.raises(AccountNotNamed):
        scope.account_for(user=owner)
    assert scope.account_for(user=owner, number=second.number) == second
    assert scope.account_for(user=owner, session_account_id=second.pk) == second
    assert scope.account_for(user=owner, number=account.number, session_account_id=second.pk) == account


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("own_first", [True, False])
def test_being_added_to_a_stranger_s_account_never_makes_it_the_default(role, own_first):
    user, theirs = builders.a_user(), stories.an_account()
    own = builders.an_account(owner=user) if own_first else None
    accounts.add_member(account=theirs, user=user, role=role)
    own = own or builders.an_account(owner=user)
    if own_first and role != Role.OWNER:
        assert scope.account_for(user=user) == own
    else:
        with pytest.raises(AccountNotNamed):
            scope.account_for(user=user)
    assert scope.account_for(user=user, number=theirs.number) == theirs
    accounts.remove_member(account=theirs, user=user, acting=user)
    assert scope.account_for(user=user) == own


def test_a_token_s_account_goes_before_everything_else(account, owner):
    second = another(owner)
    found = scope.account_for(user=owner, token_account_id=second.pk, number=account.number)
    assert found == second


def test_the_account_of_somebody_else_is_unknown(account, owner):
    stranger = stories.an_account()
    for given in ({"number": stranger.number}, {"token_account_id": stranger.pk}, {"number": "000000000000"}):
        with pytest.raises(NotFound):
            scope.account_for(user=owner, **given)
    # A choice that is no longer theirs is forgotten, not an error.
    assert scope.account_for(user=owner, session_account_id=stranger.pk) == account


def test_who_is_a_member_of_no_account_is_told_so():
    (worker,) = stories.a_crowd(1)
    with pytest.raises(Forbidden):
        scope.account_for(user=worker.user)


@pytest.mark.parametrize(
    ("role", "at_least", "allowed"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.MEMBER, False),
        (Role.ADMIN, Role.MEMBER, True),
        (Role.ADMIN, Role.OWNER, False),
    ],
)
def test_a_role_includes_the_smaller_ones(account, role, at_least, allowed):
    (worker,) = stories.a_crowd(1)
    accounts.add_member(account=account, user=worker.user, role=role)
    if allowed:
        assert scope.account_for(user=worker.user, at_least=at_least) == account
    else:
        with pytest.raises(Forbidden, match="this needs the role"):
            scope.account_for(user=worker.user, at_least=at_least)


def test_an_account_may_name_its_own_teams_and_the_public_pool(account):
    own, foreign = builders.a_team(account=account), builders.a_team(account=stories.an_account())
    pool = workteams.public_pool()
    assert {scope.team(account, own.pk), scope.team(account, pool.pk)} == {own, pool}
    assert scope.own_team(account, own.pk) == own
    for lookup, team in ((scope.team, foreign), (scope.own_team, foreign), (scope.own_team, pool)):
        with pytest.raises(NotFound):
            lookup(account, team.pk)


def test_people_are_found_by_their_address_whatever_its_case(account, owner):
    (worker,) = stories.a_crowd(1)
    team = builders.a_team(account=account, workers=[worker])
    assert scope.user_by_email(f" {owner.email.upper()} ") == owner
    assert scope.worker_by_email(worker.user.email.upper()) == worker
    assert scope.worker_in(team, worker.public_id) == worker
    with pytest.raises(NotFound):
        scope.worker_by_email(owner.email)
    with pytest.raises(NotFound):
        scope.worker_in(builders.a_team(account=account), worker.public_id)


def test_a_token_is_found_by_its_own_user_only(account, owner):
    token, _ = accounts.create_token(user=owner, account=account, name="a program")
    assert scope.token(owner, token.pk) == token
    with pytest.raises(NotFound):
        scope.token(stories.an_account().members.get(), token.pk)


def test_workers_and_operators_are_told_from_others(owner):
    (worker,) = stories.a_crowd(1)
    assert scope.worker_of(worker.user) == worker and scope.worker_or_none(owner) is None
    with pytest.raises(Forbidden):
        scope.worker_of(owner)
    with pytest.raises(Forbidden):
        scope.require_operator(owner)
    scope.require_operator(User(is_operator=True))
