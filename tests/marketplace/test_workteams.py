"""Workers, private teams and the public pool."""

import pytest

from marketplace.errors import Forbidden, InUse, Invalid, NotFound
from marketplace.models import Crowd, Worker, WorkerStatus, Workteam
from marketplace.services import eligibility, scope, workteams
from tests import builders

pytestmark = pytest.mark.django_db


def eligible(*, worker: Worker, team: Workteam) -> bool:
    """Whether work that is open to the team, asked for by its account (the pool: by any), is shown to the worker."""
    account = team.account or builders.an_account()
    audience = eligibility.audience_for([eligibility.group_of(team)])
    return eligibility.refusal(worker_id=worker.pk, audience_id=audience.pk, account_id=account.pk) is None


def test_a_worker_is_registered_once_and_known_by_a_random_id():
    user = builders.a_user()
    worker = workteams.register_worker(user)
    assert workteams.register_worker(user) == worker
    assert len(worker.public_id) == 16


def test_members_of_a_team_are_eligible_and_others_are_not():
    account = builders.an_account()
    inside, outside = builders.a_worker(), builders.a_worker()
    team = builders.a_team(account=account, workers=[inside])
    assert eligible(worker=inside, team=team)
    assert not eligible(worker=outside, team=team)
    workteams.remove_worker(team=team, worker=inside, by="system")
    assert not eligible(worker=inside, team=team)
    with pytest.raises(NotFound):
        workteams.remove_worker(team=team, worker=inside, by="system")


def test_a_suspended_worker_is_not_eligible_and_cannot_join():
    account = builders.an_account()
    worker = builders.a_worker()
    team = builders.a_team(account=account, workers=[worker])
    Worker.objects.filter(pk=worker.pk).update(status=WorkerStatus.SUSPENDED)
    worker.refresh_from_db()
    assert not eligible(worker=worker, team=team)
    with pytest.raises(Forbidden):
        workteams.join_public_pool(worker)


def test_there_is_one_public_pool():
    pool = workteams.public_pool()
    assert workteams.public_pool() == pool
    assert (pool.crowd, pool.account, pool.name) == (Crowd.PUBLIC, None, "default")
    worker = builders.a_worker()
    workteams.join_public_pool(worker)
    workteams.join_public_pool(worker)
    assert pool.memberships.count() == 1
    assert eligible(worker=worker, team=pool)


def test_names_are_checked_and_unique_in_an_account():
    account = builders.an_account()
    builders.a_team(account=account, name="bees")
    builders.a_team(account=builders.an_account(), name="bees")
    with pytest.raises(InUse):
        builders.a_team(account=account, name="bees")
    with pytest.raises(Invalid):
        builders.a_team(account=account, name="-bees")
    assert Workteam.objects.filter(account=account).count() == 1


def test_an_account_sees_its_own_teams_and_the_pool():
    account, other = builders.an_account(), builders.an_account()
    own = builders.a_team(account=account)
    builders.a_team(account=other)
    pool = workteams.public_pool()
    assert set(scope.teams(account)) == {own, pool}
