"""The labels of a job that are likely wrong, and the jobs that look at them first."""

import pytest

from labeling.models import DataObject, LabelingJob, LikelyError
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments
from labeling.services.results import adjudication, likely_errors
from marketplace.errors import Invalid
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
SURE = stories.boxes((100, 100, 50, 40))
ALONE = stories.boxes((100, 100, 50, 40), (300, 200, 60, 60))
ELSEWHERE = stories.boxes((130, 120, 50, 40))
# By index: everybody agrees, one sees a second object, one is far off, everybody agrees.
ANSWERS = [[SURE] * 3, [SURE, SURE, ALONE], [SURE, ELSEWHERE, stories.boxes((90, 80, 40, 40))], [SURE] * 3]


@pytest.fixture
def over() -> LabelingJob:
    """A job of four objects that is over, and was advanced once more."""
    account, people = stories.an_account(), stories.a_crowd(3)
    lines = [{"source-ref": uri} for uri in builders.tiny_images(4, account=account, size=stories.SIZE)]
    team = builders.a_team(account=account, workers=people)
    design = stories.a_design(account, team, name="bees", input_manifest_uri=builders.a_manifest(account, lines))
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    for number, worker in enumerate(people):
        while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
            stories.answer(seat, ANSWERS[seat.task.data_object.index][number])
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    return job


def chances(job: LabelingJob) -> dict[int, float]:
    """Index -> chance."""
    rows = LikelyError.objects.filter(data_object__job=job)
    return dict(rows.values_list("data_object__index", "chance"))


def a_check(over: LabelingJob, **changes) -> LabelingJob:
    """A verification of the labels of the job that is over, after its first steps."""
    design = stories.a_design(
        over.account, over.workteam, task_type="VerificationBoundingBox", labels=["good", "bad"], name="check",
        audit_label_attribute_name=over.label_attribute_name, workers_per_object=1,
        input_manifest_uri=f"{over.output_uri}/{over.name}/manifests/output/output.manifest",
    )  # fmt: skip
    job = creation.create_job(**(design | changes))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "InProgress", job.failure_reason
    return job


def test_a_job_that_is_over_knows_which_labels_are_likely_wrong(over):
    found = chances(over)
    assert set(found) == {0, 1, 2, 3} and {0, 3}.isdisjoint(sorted(found, key=found.get)[2:])
    kinds = LikelyError.objects.get(data_object__job=over, data_object__index=1).kinds
    assert max(kinds, key=kinds.get) == "overlooked"
    row = DataObject.objects.select_related("likely_error").get(job=over, index=1)
    said = likely_errors.document(row)
    assert said["reason"].startswith("An object may have been overlooked") and said["model_name"] is None
    assert likely_errors.document(DataObject()) is None


def test_what_the_requester_decided_is_right_and_nothing_is_estimated_twice(over):
    row = DataObject.objects.get(job=over, index=1)
    adjudication.adjudicate(data_object=row, content=SURE, by="user:1")
    advancing.advance_job(over.pk)
    assert set(chances(over)) == {0, 2, 3}
    LabelingJob.objects.filter(pk=over.pk).update(errors_estimated_at="2100-01-01T00:00Z")
    over.refresh_from_db()
    assert not likely_errors.renew(over)


def test_the_likeliest_errors_are_looked_at_first(over):
    job = a_check(over, selection={"kind": "likely-wrong"})
    assert chances(job) == chances(over), "the reasons come along"
    expected = sorted(chances(over), key=lambda index: (-chances(over)[index], index))
    (worker,) = over.workteam.memberships.all()[:1]
    seen = []
    while (seat := assignments.claim(worker=worker.worker, queue=job.queue)) is not None:
        seen.append(seat.task.data_object.index)
        stories.answer(seat, {"crowd-image-classifier": {"label": "good"}})
    assert seen == expected and set(seen[:2]) == {1, 2}


def test_only_so_many_are_looked_at(over):
    job = a_check(over, selection={"kind": "likely-wrong", "count": 2})
    assert sorted(DataObject.objects.filter(job=job).values_list("index", flat=True)) == [1, 2]
    assert job.objects_total == 2 and len(chances(job)) == 2


def test_what_was_never_estimated_is_estimated_when_it_is_asked_for(over):
    LikelyError.objects.all().delete()
    LabelingJob.objects.filter(pk=over.pk).update(errors_estimated_at=None)
    assert len(chances(a_check(over, selection={"kind": "likely-wrong"}))) == 4
    assert len(chances(over)) == 4


def test_other_jobs_keep_the_order_of_the_manifest(over):
    job = a_check(over)
    assert not chances(job)
    tasks = job.queue.tasks.order_by("queue_position").values_list("data_object__index", flat=True)
    assert list(tasks) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task_type": "BoundingBox", "audit_label_attribute_name": ""}, "only verification and adjustment jobs"),
        ({"audit_label_attribute_name": "others"}, "it is known of the labels under 'bees'"),
        ({"input_manifest_uri": ""}, "the output of a labeling job of the account expected"),
        ({"selection": {"kind": "likely-wrong", "count": 0}}, "0 found, a whole number of 1 to 10,000,000 expected"),
        ({"selection": {"kind": "likely-wrong", "count": True}}, "True found"),
    ],
)
def test_it_is_refused_where_nothing_can_be_known(over, changes, reason):
    changes = {"selection": {"kind": "likely-wrong"}, **changes}
    if changes.get("input_manifest_uri") == "":
        changes["input_manifest_uri"] = builders.a_manifest(over.account, [{"source-ref": "s3://bees/0.png"}])
    jobs = LabelingJob.objects.count()
    with pytest.raises(Invalid) as refused:
        a_check(over, **changes)
    assert any(field.startswith("selection") and reason in said for field, said in refused.value.errors)
    assert LabelingJob.objects.count() == jobs


def test_another_accounts_output_says_nothing(over):
    other = stories.an_account()
    with pytest.raises(Invalid) as refused:
        creation.create_job(
            **stories.a_design(
                other, builders.a_team(account=other, workers=1), task_type="VerificationBoundingBox",
                labels=["good", "bad"], audit_label_attribute_name="bees", selection={"kind": "likely-wrong"},
            )
        )  # fmt: skip
    assert "selection.kind" in dict(refused.value.errors)
