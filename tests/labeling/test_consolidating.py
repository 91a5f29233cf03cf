"""From answers to labels: revisions, explanations, dynamic redundancy, skills, and the requester's decision."""

import pytest

from labeling.models import Batch, DataObject, Label, LabelingJob, Task, WorkQueue
from labeling.queries import people, progress, worker_models
from labeling.services.jobs import advancing
from labeling.services.queue import assignments, due
from labeling.services.results import adjudication, consolidating
from marketplace.errors import InUse, Invalid
from marketplace.services import wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db
EACH = 3 * (stories.PRICE + stories.FEE)
DYNAMIC = {"kind": "dynamic", "start": 2, "target_confidence": 0.8}


def answered(job, workers, contents):
    """Let each worker answer every task with their own answer, and advance the job."""
    advancing.advance_job(job.pk)
    for worker, content in zip(workers, contents, strict=True):
        stories.work(worker, job, content)
    advancing.advance_job(job.pk)
    job.refresh_from_db()


def test_three_answers_become_one_label_with_an_explanation():
    job, workers = stories.a_funded_job(objects=1)
    drawn = [(100, 100, 50, 40), (102, 100, 50, 40), (101, 102, 50, 40)]
    answered(job, workers, [stories.boxes(box) for box in drawn])
    row = DataObject.objects.select_related("label").get(job=job)
    (box,) = row.label.value["boxes"]
    assert (row.state, row.label.revision, row.label.source) == ("HumanLabeled", 1, "human")
    assert box["label"] == "bee" and abs(box["left"] - 101) < 1.5 and abs(box["width"] - 50) < 1.5
    assert 0.5 < box["confidence"] <= 1 and row.label.confidence == box["confidence"]
    (cluster,) = row.label.explanation["clusters"]
    assert cluster["kept"] and {w["worker"] for w in row.label.explanation["workers"]} == {w.public_id for w in workers}


def test_answers_without_boxes_become_a_label_without_boxes():
    job, workers = stories.a_funded_job(objects=1)
    answered(job, workers, [stories.boxes()] * 3)
    row = DataObject.objects.select_related("label").get(job=job)
    assert row.state == "HumanLabeled" and row.label.value == {"boxes": []} and row.label.confidence is None


def test_consolidating_again_changes_nothing():
    job, workers = stories.a_funded_job(objects=3)
    answered(job, workers, [stories.ONE_BEE] * 3)
    assert due.settle_due(job.queue) == 0
    assert consolidating.recompute(job=job) == 0
    assert Label.objects.count() == 3


def test_recomputing_adds_a_revision_only_where_the_label_changes():
    job, workers = stories.a_funded_job(objects=2)
    answered(job, workers, [stories.ONE_BEE] * 3)
    first = Label.objects.filter(data_object__job=job).order_by("data_object__index").first()
    Label.objects.filter(pk=first.pk).update(value={"boxes": []})
    assert consolidating.recompute(job=job) == 1
    row = DataObject.objects.select_related("label").get(pk=first.data_object_id)
    assert row.label.revision == 2 and len(row.label.value["boxes"]) == 1
    assert list(row.labels.order_by("revision").values_list("revision", flat=True)) == [1, 2]


def test_the_third_answer_is_refunded_when_two_workers_agree():
    job, workers = stories.a_funded_job(objects=2, redundancy=DYNAMIC)
    advancing.advance_job(job.pk)
    assert set(Task.objects.values_list("seats_total", flat=True)) == {2}
    assert wallets.balance(job.account) == 100_000_000 - 2 * EACH
    answered(job, workers[:2], [stories.ONE_BEE] * 2)
    assert job.status == "Completed"
    assert assignments.claim(worker=workers[2], queue=job.queue) is None
    assert wallets.balance(job.account) == 100_000_000 - 4 * (stories.PRICE + stories.FEE)
    found = progress.progress(job)
    assert (found["answers_saved"], found["saved_micros"]) == (2, 2 * (stories.PRICE + stories.FEE))


def test_a_third_worker_is_asked_when_two_disagree():
    job, workers = stories.a_funded_job(objects=1, redundancy=DYNAMIC)
    answered(job, workers[:2], [stories.boxes((10, 10, 60, 60), (300, 300, 90, 50)), stories.boxes()])
    task = Task.objects.get()
    assert (task.state, task.seats_total, task.seats_free, task.due) == ("Open", 3, 1, False)
    assert not Label.objects.exists()
    for worker in workers[:2]:
        assert assignments.claim(worker=worker, queue=job.queue) is None
    answered(job, workers[2:], [stories.boxes((10, 10, 60, 60))])
    assert job.status == "Completed" and Task.objects.get().answers_count == 3
    assert wallets.balance(job.account) == 100_000_000 - EACH


def test_no_further_answer_is_asked_for_after_the_batch_expired():
    job, workers = stories.a_funded_job(objects=1, redundancy=DYNAMIC)
    advancing.advance_job(job.pk)
    for worker, content in zip(workers, [stories.boxes((10, 10, 60, 60)), stories.boxes()], strict=False):
        stories.work(worker, job, content)
    Batch.objects.update(expires_at="2020-01-01T00:00:00Z")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed" and Task.objects.get().state == "Done"


def test_skills_are_estimated_after_enough_objects():
    job, workers = stories.a_funded_job(objects=24)
    good = stories.boxes((100, 100, 50, 40), (300, 200, 80, 80))
    answered(job, workers, [good, good, stories.boxes((100, 100, 50, 40))])
    assert worker_models.fitted(job)["objects"] == 24
    skills = {row["worker"]: row for row in people.worker_skills(job)}
    careful, sloppy = skills[workers[0].public_id], skills[workers[2].public_id]
    assert careful["answers"] == 24 and careful["paid_micros"] == 24 * stories.PRICE
    assert careful["recall"] > sloppy["recall"]
    assert max(careful["false_positives"], sloppy["false_positives"]) < 0.05
    assert careful["weakest"] is None
    assert consolidating.refit(job=job) is False


def test_false_positives_are_counted_per_image():
    job, workers = stories.a_funded_job(objects=24)
    good = stories.boxes((100, 100, 50, 40))
    answered(job, workers, [good, good, stories.boxes((100, 100, 50, 40), (400, 300, 40, 40), (200, 350, 40, 40))])
    found = {row["worker"]: row["false_positives"] for row in people.worker_skills(job)}
    assert found[workers[0].public_id] == pytest.approx(0, abs=0.05)
    assert 1.5 < found[workers[2].public_id] <= 2


def test_the_class_with_a_workers_lowest_recall_is_named():
    job, workers = stories.a_funded_job(objects=24)
    bee, wasp = stories.boxes((100, 100, 50, 40)), stories.boxes((300, 200, 80, 80), label="wasp")
    both = stories.boxes((100, 100, 50, 40))
    both["boundingBox"]["boundingBoxes"] += wasp["boundingBox"]["boundingBoxes"]
    answered(job, workers, [both, both, bee])
    weakest = {row["worker"]: row["weakest"] for row in people.worker_skills(job)}
    assert weakest[workers[0].public_id] is None
    found = weakest[workers[2].public_id]
    assert found["label"] == "wasp" and found["recall"] < 0.6


def test_earlier_labels_are_recomputed_when_the_labels_have_grown_by_half():
    """Batches of 20, 20 and 5 objects: the second leads to new labels for the first, the third does not."""
    job, workers = stories.a_funded_job(objects=45, max_concurrent_tasks=20)
    revisions = []
    for labeled in (20, 40, 45):
        newest = Label.objects.filter(data_object__job=job, data_object__index=0).order_by("-revision")
        Label.objects.filter(pk__in=newest.values("pk")[:1]).update(value={"boxes": []})
        answered(job, workers, [stories.ONE_BEE] * 3)
        assert progress.counters(job)["HumanLabeled"] == labeled
        revisions.append(newest.count())
    assert revisions[1] == revisions[0] + 1 and revisions[2] == revisions[1]


def test_the_requester_sees_every_workers_answer_and_the_disagreements():
    job, workers = stories.a_funded_job(objects=2)
    advancing.advance_job(job.pk)
    for worker in workers:
        for _ in range(2):
            seat = assignments.claim(worker=worker, queue=job.queue)
            far = 100 + 150 * workers.index(worker) if seat.task.data_object.index else 100
            stories.answer(seat, stories.boxes((far, 100, 50, 40)))
    advancing.advance_job(job.pk)
    rows = people.answers_of(DataObject.objects.get(job=job, index=0))
    assert [row["worker"] for row in rows] == sorted(w.public_id for w in workers)
    assert len({row["colour"] for row in rows}) == 3
    assert sum(people.confidence_histogram(job)) + Label.objects.filter(confidence=None).count() == 2
    assert len(people.disagreements(job)) == 2


def test_the_requesters_decision_is_kept_and_becomes_a_gold():
    job, workers = stories.a_funded_job(objects=1)
    answered(job, workers, [stories.ONE_BEE] * 3)
    row = DataObject.objects.get(job=job)
    label = adjudication.adjudicate(
        data_object=row, content=stories.boxes((200, 200, 30, 30), label="wasp"), by="user:1"
    )
    row.refresh_from_db()
    assert row.label_id == label.pk and (label.revision, label.source, label.confidence) == (2, "adjudicated", 1.0)
    assert consolidating.recompute(job=job) == 0 and people.disagreements(job) == []
    row.refresh_from_db()
    assert row.label_id == label.pk
    gold = consolidating.read_answers(job, [row])[row.pk].image.gold
    assert [(box.left, box.label) for box in gold] == [(200, "wasp")]


@pytest.mark.parametrize(
    "state, width, status, reason",
    [
        ("Unlabeled", 640, "InProgress", None),
        ("Failed", 640, "Completed", None),
        ("HumanLabeled", 640, "Completed", None),
        ("Failed", None, "InProgress", "the size"),
        ("PendingHuman", 640, "InProgress", "people are working"),
        ("Unlabeled", 640, "Stopped", "the job is over"),
    ],
)
def test_a_page_can_ask_beforehand_whether_the_requester_may_label_an_object(state, width, status, reason):
    job = LabelingJob(status=status, queue=WorkQueue(task_type="BoundingBox"))
    found = adjudication.refusal(DataObject(job=job, state=state, width=width, height=width))
    assert found is None if reason is None else reason in found


def test_an_object_at_work_and_an_invalid_decision_are_refused():
    job, _ = stories.a_funded_job(objects=1)
    advancing.advance_job(job.pk)
    row = DataObject.objects.get(job=job)
    with pytest.raises(InUse, match="people are working"):
        adjudication.adjudicate(data_object=row, content=stories.ONE_BEE, by="user:1")
    with pytest.raises(Invalid) as refused:
        adjudication.adjudicate(data_object=row, content=stories.boxes((1, 1, 2, 2), label="cow"), by="user:1")
    assert refused.value.field == "answer.boundingBox.boundingBoxes[0].label"
    assert not Label.objects.exists() and LabelingJob.objects.get().status == "InProgress"
