"""Routing rules: who may see which object, asked before a claim is one."""

import pytest
from django.db.models import F

from labeling.models import Assignment, DataObject, ObjectLine, Task, WorkQueue
from labeling.services.queue import assignments, routing, visibility
from marketplace.errors import Invalid, RoutingFailed
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
HERE = "tests.labeling.routing_rules"


@pytest.fixture(autouse=True)
def rules(settings):
    settings.ROUTING_RULES = [f"{HERE}:{name}" for name in ("even", "north_only", "broken", "vague", "missing")]


def a_job(rule, **changes):
    return stories.an_open_job(workers=2, routing_rule=f"{HERE}:{rule}", workers_per_object=2, **changes)


def seats(job):
    """Of each task in order: free seats, declines, and its place in the queue."""
    rows = Task.objects.filter(queue=job.queue).order_by("pk")
    return list(rows.values_list("seats_free", "declines_count", "queue_position"))


def test_a_worker_gets_only_what_the_rule_lets_them_see():
    job, (worker, other) = a_job("even", objects=5)
    before = seats(job)
    assert stories.work(worker, job) == 3
    indexes = Assignment.objects.filter(worker=worker, state="Submitted").values_list("task__data_object__index")
    assert sorted(index for (index,) in indexes) == [0, 2, 4]
    after = seats(job)
    assert [(free, declines) for free, declines, _ in after] == [(1, 0), (2, 0), (1, 0), (2, 0), (1, 0)]
    assert after[1] == before[1] and after[3] == before[3]
    withheld = Assignment.objects.filter(worker=worker, state="Withheld")
    assert withheld.count() == 2 and not withheld.exclude(claim_key="").exists()
    # Refused for good, also when the rule would agree now; the other worker is asked about anew.
    WorkQueue.objects.update(routing_rule=f"{HERE}:north_only")
    assert stories.work(worker, job) == 0 and stories.work(other, job) == 5


def test_the_rule_knows_the_workers_teams_and_the_objects_line():
    account = stories.an_account()
    north, south = stories.a_crowd(2)
    team = builders.a_team(account=account, workers=[north, south])
    builders.a_team(account=account, workers=[north], name="north")
    job = stories.a_job(account, team, objects=4, routing_rule=f"{HERE}:north_only", workers_per_object=2)
    for line in ObjectLine.objects.filter(data_object__job=job, data_object__index__lt=2):
        line.text = line.text[:-1] + ', "region": "north"}'
        line.save()
    stories.open_pictures(job)
    assert stories.work(south, job) == 2 and stories.work(north, job) == 4


def test_pictures_of_withheld_objects_stay_unseen():
    job, (worker, _) = a_job("even", objects=2)
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert assignments.peek(worker=worker, queue=job.queue) is None
    stories.answer(seat)
    assert assignments.claim(worker=worker, queue=job.queue) is None
    first, second = DataObject.objects.filter(job=job).order_by("index")
    assert visibility.may_see_object(worker_id=worker.pk, data_object=first)
    assert not visibility.may_see_object(worker_id=worker.pk, data_object=second)


def test_a_claim_with_a_key_passes_over_what_is_withheld_and_can_be_repeated():
    job, (worker, _) = a_job("even", objects=3)
    stories.answer(assignments.claim(worker=worker, queue=job.queue, key="a"))
    second = assignments.claim(worker=worker, queue=job.queue, key="b")
    assert second.task.data_object.index == 2
    WorkQueue.objects.update(routing_rule=f"{HERE}:broken")
    assert assignments.claim(worker=worker, queue=job.queue, key="b") == second


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("broken", "failed with KeyError"),
        ("vague", "returned str, True or False expected"),
        ("missing", "cannot be loaded"),
    ],
)
def test_a_rule_that_gives_no_answer_gives_nobody_a_task(rule, said):
    job, (worker, _) = a_job(rule)
    before = seats(job)
    with pytest.raises(RoutingFailed, match=said):
        assignments.claim(worker=worker, queue=job.queue)
    assert not Assignment.objects.exists() and seats(job) == before


@pytest.mark.django_db(transaction=True)
def test_a_rule_that_is_not_allowed_any_more_gives_nobody_a_task(settings):
    job, (worker, _) = a_job("even")
    settings.ROUTING_RULES = []
    with pytest.raises(RoutingFailed, match="not among WAGGLE_ROUTING_RULES"):
        assignments.claim(worker=worker, queue=job.queue)
    assert not Assignment.objects.filter(state="Leased").exists()
    assert [free for free, *_ in seats(job)] == [2, 2, 2, 2]


def test_a_job_names_only_rules_that_are_allowed():
    with pytest.raises(Invalid) as refused:
        a_job("other")
    assert [field for field, _ in refused.value.errors] == ["routing_rule"]


def test_one_claim_asks_about_a_bounded_number_of_tasks(monkeypatch):
    monkeypatch.setattr(routing, "MOST_TRIES", 2)
    job, (worker, _) = a_job("even", objects=8)
    DataObject.objects.filter(job=job).update(index=1001 + 2 * F("index"))
    DataObject.objects.filter(pk=DataObject.objects.latest("pk").pk).update(index=0)
    claimed = [assignments.claim(worker=worker, queue=job.queue) for _ in range(4)]
    assert [seat is not None for seat in claimed] == [False, False, False, True]
