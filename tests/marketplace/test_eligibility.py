"""Who may see which work: groups, audiences, blocks, and the one function that answers."""

import pytest

from marketplace.errors import Invalid
from marketplace.models import Audience, AuditEvent, GroupMember, Worker, WorkerStatus, Workteam, WorkteamMember
from marketplace.services import eligibility, workteams
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def team(account):
    return builders.a_team(account=account, workers=2)


def why_not(worker, team, account):
    audience = eligibility.audience_for([eligibility.group_of(team)])
    return eligibility.refusal(worker_id=worker.pk, audience_id=audience.pk, account_id=account.pk)


def member(team):
    return team.members.order_by("pk").first()


def test_members_are_admitted_and_others_are_told_why_not(account, team):
    assert why_not(member(team), team, account) is None
    assert why_not(builders.a_worker(), team, account) == eligibility.NOT_ADMITTED


def test_a_suspended_worker_is_refused_whatever_they_belong_to(account, team):
    worker = member(team)
    Worker.objects.filter(pk=worker.pk).update(status=WorkerStatus.SUSPENDED)
    assert why_not(worker, team, account) == eligibility.SUSPENDED


def test_a_block_is_the_exception_of_one_account(account, team):
    worker, other = member(team), builders.an_account()
    eligibility.block(account=account, worker=worker, reason="spam", by="user:1")
    eligibility.block(account=account, worker=worker, by="user:1")
    assert why_not(worker, team, account) == eligibility.BLOCKED
    assert why_not(worker, team, other) is None
    eligibility.unblock(account=account, worker=worker, by="user:1")
    assert why_not(worker, team, account) is None
    events = AuditEvent.objects.filter(object_type="marketplace.Account", object_id=account.pk)
    because = events.filter(because__startswith=f"worker:{worker.pk} ")
    assert list(because.order_by("pk").values_list("because", flat=True)) == [
        f"worker:{worker.pk} blocked: spam",
        f"worker:{worker.pk} unblocked",
    ]


def test_a_long_reason_is_refused_and_nothing_is_blocked(account, team):
    with pytest.raises(Invalid, match="201 found"):
        eligibility.block(account=account, worker=member(team), reason="x" * 201, by="user:1")
    assert why_not(member(team), team, account) is None


def test_an_audience_admits_the_members_of_any_of_its_groups(account, team):
    pool, outsider = workteams.public_pool(), builders.a_worker()
    groups = [eligibility.group_of(team), eligibility.group_of(pool)]
    both = eligibility.audience_for(groups)
    assert eligibility.audience_for(reversed(groups)) == both and Audience.objects.count() == 1
    refusal = dict(audience_id=both.pk, account_id=account.pk)
    assert eligibility.refusal(worker_id=outsider.pk, **refusal) == eligibility.NOT_ADMITTED
    workteams.join_public_pool(outsider)
    assert eligibility.refusal(worker_id=outsider.pk, **refusal) is None
    assert eligibility.refusal(worker_id=member(team).pk, **refusal) is None


def test_work_is_open_to_somebody():
    with pytest.raises(Invalid, match="at least one group"):
        eligibility.audience_for([])


def test_groups_hold_exactly_the_members_of_their_teams(account, team):
    gone = member(team)
    workteams.remove_worker(team=team, worker=gone, by="system")
    workteams.join_public_pool(gone)
    builders.a_team(account=account, workers=3)
    assert set(GroupMember.objects.values_list("group__workteam", "worker")) == set(
        WorkteamMember.objects.values_list("workteam", "worker")
    )
    assert Workteam.objects.filter(group=None).count() == 0
