"""Inviting a list of people to a team: how addresses are read, and that all or none are invited."""

import pytest

from marketplace.errors import Forbidden, Invalid, LimitExceeded
from marketplace.models import Invitation
from marketplace.services import accounts, invitation_lists, invitations
from tests import builders


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@x.org,b@x.org; c@x.org\nd@x.org\te@x.org  f@x.org", [f"{n}@x.org" for n in "abcdef"]),
        ("Ada Lovelace <ada@x.org>, Bob<bob@x.org>", ["ada@x.org", "bob@x.org"]),
        ('"Lovelace, Ada" <ada@x.org> "Bob" <bob@x.org>', ["ada@x.org", "bob@x.org"]),
        ("first@x.org Ada <ada@x.org>\r\nlast@x.org", ["first@x.org", "ada@x.org", "last@x.org"]),
        ("Ada <ada@x.org", ["ada@x.org"]),
        ("nobody, a@@x.org, <>", ["nobody", "a@@x.org", "<>"]),
        (" \n,;", []),
    ],
)
def test_a_pasted_text_is_split_into_addresses(text, found):
    assert invitation_lists.split(text) == found


@pytest.fixture
def team(db):
    return builders.a_team(
        account=builders.an_account(), workers=[builders.a_worker(user=builders.a_user(email="on@x.org"))]
    )


def invite(team, given, *, skip_bad=False):
    return invitation_lists.to_team_many(team=team, given=given, skip_bad=skip_bad, acting=team.account.members.get())


def test_fifty_are_invited_at_once_and_doubles_and_members_are_told(team):
    given = [f"w{number}@x.org" for number in range(48)] + ["W0@X.org", "On@x.org"]
    done = invite(team, given)
    assert [row.email for row in done.invitations] == given[:48]
    assert (done.left_out.duplicates, done.left_out.members) == (["w0@x.org"], ["on@x.org"])
    with pytest.raises(Invalid, match="51 addresses found, 1 to 50 expected"):
        invite(team, [f"v{number}@x.org" for number in range(51)])
    assert Invitation.objects.count() == 48


def test_a_bad_address_refuses_all_or_is_left_out(team):
    given = ["good@x.org", "bad@", "also bad"]
    with pytest.raises(Invalid) as refused:
        invite(team, given)
    assert [reason for _, reason in refused.value.errors] == [
        "'bad@': is not an e-mail address",
        "'also bad': is not an e-mail address",
    ]
    assert not Invitation.objects.exists()
    done = invite(team, given, skip_bad=True)
    assert [row.email for row in done.invitations] == ["good@x.org"]
    assert [text for text, _ in done.left_out.bad] == ["bad@", "also bad"]


def test_above_the_limit_of_a_day_nobody_of_the_list_is_invited(team, monkeypatch):
    monkeypatch.setattr(invitations, "PER_DAY", 3)
    with pytest.raises(LimitExceeded):
        invite(team, [f"w{number}@x.org" for number in range(4)])
    assert not Invitation.objects.exists()
    assert len(invite(team, ["w0@x.org", "w1@x.org", "w2@x.org"]).invitations) == 3


def test_only_admins_invite(team):
    member = builders.a_user()
    accounts.add_member(account=team.account, user=member, role="Member")
    with pytest.raises(Forbidden):
        invitation_lists.to_team_many(team=team, given=["a@x.org"], skip_bad=False, acting=member)
    assert not Invitation.objects.exists()
