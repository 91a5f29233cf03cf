"""Objects that a model has labeled and people label too: the model's label stays until theirs replaces it."""

import pytest

from labeling.formats.shapes import Box
from labeling.models import Answer, DataObject, Label, LabelWithdrawal, Task
from labeling.services.jobs import advancing, finishing
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments, batches
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace.errors import WrongState
from marketplace.models import AuditEvent
from marketplace.services import wallets
from tests.labeling.stories import FEE, PRICE, a_funded_job, boxes, claim_and_answer

pytestmark = pytest.mark.django_db


def machine_labeled(**changes):
    """A job whose objects a model has labeled, its workers and its objects."""
    job, workers = a_funded_job(workers_per_object=2, automated_labeling={"enabled": True}, **changes)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    made = [ExternalLabel(row.pk, [Box("wasp", 10, 10, 20, 20, 0.9)], 0.8, {"round": 1}) for row in rows]
    labels.record_labels(job=job, rows=made, model_name="bees-1", algorithm="active-learning", by="learning")
    return job, workers, rows


def sources(row):
    return list(row.labels.order_by("revision").values_list("source", flat=True))


def test_the_models_label_stays_until_people_have_answered_and_theirs_replaces_it():
    job, workers, rows = machine_labeled(objects=2)
    before = wallets.balance(job.account)
    batch = open_batch(job=job, object_ids=[rows[0].pk], relabels=True, by="learning")
    assert before - wallets.balance(job.account) == 2 * (PRICE + FEE)
    # What people are shown says nothing of the model's label.
    assert set(Task.objects.get(batch=batch).input) == {"object", "width", "height"}
    claim_and_answer(workers[0], job)
    advancing.advance_job(job.pk)
    rows[0].refresh_from_db()
    assert (rows[0].state, rows[0].label.source) == ("MachineLabeled", "machine")
    claim_and_answer(workers[1], job)
    advancing.advance_job(job.pk)
    rows[0].refresh_from_db()
    rows[1].refresh_from_db()
    assert (rows[0].state, rows[0].label.value["boxes"][0]["label"]) == ("HumanLabeled", "bee")
    assert sources(rows[0]) == ["machine", "human"]
    assert (rows[1].state, sources(rows[1])) == ("MachineLabeled", ["machine"])
    batch.refresh_from_db()
    assert batch.status == "Completed"


@pytest.mark.parametrize("early", [True, False])
def test_the_models_label_stays_when_nobody_answers(early):
    job, _, rows = machine_labeled(objects=1)
    before = wallets.balance(job.account)
    batch = open_batch(job=job, object_ids=[rows[0].pk], relabels=True, by="learning")
    if early:
        batches.stop_batch(batch=batch, by="user:1")
    else:
        batch.__class__.objects.filter(pk=batch.pk).update(expires_at="2020-01-01T00:00:00Z")
        advancing.advance_job(job.pk)
    rows[0].refresh_from_db()
    assert (rows[0].state, sources(rows[0])) == ("MachineLabeled", ["machine"])
    batch.refresh_from_db()
    assert batch.status == ("Stopped" if early else "Completed")
    assert wallets.balance(job.account) == before


def test_the_models_label_stays_when_the_answers_give_none():
    job, workers, rows = machine_labeled(objects=1, workers=2)
    open_batch(job=job, object_ids=[rows[0].pk], relabels=True, by="learning")
    for worker in workers:
        seat = assignments.claim(worker=worker, queue=job.queue)
        assignments.submit(assignment=seat, worker=worker, content=boxes((1, 1, 9, 9)), seconds=5, key=f"k{seat.pk}")
    # An answer that cannot be read any more: the class is gone from what is stored.
    Answer.objects.filter(assignment__task__data_object=rows[0]).update(content={"boundingBox": "broken"})
    advancing.advance_job(job.pk)
    rows[0].refresh_from_db()
    assert (rows[0].state, rows[0].failure_reason, sources(rows[0])) == ("MachineLabeled", "", ["machine"])


def test_only_objects_with_a_models_label_are_labeled_a_second_time():
    job, _ = a_funded_job(objects=1)
    row = DataObject.objects.get(job=job)
    with pytest.raises(WrongState, match="is Unlabeled, only MachineLabeled ones can be opened"):
        open_batch(job=job, object_ids=[row.pk], relabels=True, by="learning")
    assert not job.queue.batches.exists()


def test_labels_are_taken_back_once_and_their_revisions_are_kept():
    job, workers, rows = machine_labeled(objects=3)
    open_batch(job=job, object_ids=[rows[0].pk], relabels=True, by="learning")
    for worker in workers[:2]:
        claim_and_answer(worker, job)
    advancing.advance_job(job.pk)
    ids = [row.pk for row in rows]
    assert labels.take_back(job=job, ids=ids, reason="too many are wrong", by="learning") == 2
    assert labels.take_back(job=job, ids=ids, reason="too many are wrong", by="learning") == 0
    states = list(DataObject.objects.filter(job=job).order_by("index").values_list("state", "label__source"))
    assert states == [("HumanLabeled", "human"), ("Unlabeled", None), ("Unlabeled", None)]
    assert Label.objects.filter(data_object__job=job, source="machine").count() == 3
    told = LabelWithdrawal.objects.order_by("label__data_object__index").values_list("label__data_object", "reason")
    assert list(told) == [(rows[1].pk, "too many are wrong"), (rows[2].pk, "too many are wrong")]
    event = AuditEvent.objects.filter(object_id=job.pk, because__startswith="the labels of").get()
    assert event.because == "the labels of 2 objects taken back: too many are wrong"
    # The objects can be opened to people like any others.
    open_batch(job=job, object_ids=ids[1:], by="learning")
    finishing.fail_job(job=job, reason="over")
    with pytest.raises(WrongState, match="Failed"):
        labels.take_back(job=job, ids=ids, reason="late", by="learning")
