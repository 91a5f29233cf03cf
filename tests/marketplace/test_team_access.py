"""The portal's address of a team, and its networks."""

import pytest

from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Workteam
from marketplace.services import team_access, workteams
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return builders.a_team(account=builders.an_account(), workers=1)


def outside(team, address):
    rows = Workteam.objects.annotate(found=team_access.outside_expression(address, cidrs="source_cidrs"))
    return rows.get(pk=team.pk).found


def test_each_team_has_a_portal_that_nobody_guesses_until_it_chooses_one(team):
    other = builders.a_team(account=team.account, workers=0)
    assert len({team.portal_slug, other.portal_slug}) == 2 and len(team.portal_slug) >= 20
    first = team.portal_slug
    team_access.set_portal(team=team, slug="Field-Team", by="system")
    assert team_access.of_slug("field-team") == team
    with pytest.raises(NotFound):
        team_access.of_slug(first)
    with pytest.raises(NameTaken):
        team_access.set_portal(team=other, slug="field-team", by="system")
    for bad in ("ab", "-abc", "a b c", "a/b", "ä-team", "x" * 64):
        with pytest.raises(Invalid):
            team_access.set_portal(team=other, slug=bad, by="system")
    assert team_access.of_slug(Workteam.objects.get(pk=other.pk).portal_slug) == other
    team_access.set_portal(team=team, slug="", by="system")
    assert team.portal_slug not in (first, "field-team") and len(team.portal_slug) >= 20


def test_the_public_pool_has_no_portal():
    with pytest.raises(NotFound):
        team_access.of_slug(workteams.public_pool().portal_slug)


@pytest.mark.parametrize(
    ("cidrs", "address", "expected"),
    [
        ([], "203.0.113.9", False),
        ([], "", False),
        (["203.0.113.0/24"], "203.0.113.9", False),
        (["203.0.113.0/24"], "203.0.114.9", True),
        (["203.0.113.9"], "203.0.113.9", False),
        (["203.0.113.9"], "203.0.113.10", True),
        (["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.255", False),
        (["0.0.0.0/0"], "8.8.8.8", False),
        (["0.0.0.0/0"], "2001:db8::", True),
        (["203.0.113.0/24"], "", True),
        (["203.0.113.0/24"], None, False),
    ],
)
def test_who_is_outside(team, cidrs, address, expected):
    team_access.set_networks(team=team, cidrs=cidrs, by="system")
    assert outside(team, address) is expected


def test_every_bad_network_is_named_and_nothing_changes(team):
    team_access.set_networks(team=team, cidrs=["198.51.100.7/24", "198.51.100.0/24"], by="system")
    assert team.source_cidrs == ["198.51.100.0/24"]
    with pytest.raises(Invalid) as refused:
        team_access.set_networks(team=team, cidrs=["10.0.0.0/8", "10.0.0.0/33", "::/0", "300.1.1.1"], by="system")
    assert [field for field, _ in refused.value.errors] == [f"source_cidrs[{n}]" for n in (1, 2, 3)]
    with pytest.raises(Invalid, match="11 networks found, 0 to 10 expected"):
        team_access.set_networks(team=team, cidrs=[f"10.{n}.0.0/16" for n in range(11)], by="system")
    assert Workteam.objects.get(pk=team.pk).source_cidrs == ["198.51.100.0/24"]
