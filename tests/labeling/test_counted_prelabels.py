"""Models that count as one more worker about classes: who sees nothing of them, who is paid what, what they decide."""

import json

import pytest

from labeling.models import Batch, DataObject, LabelingJob, ObjectLine, PreLabel, PreLabelUse, Task
from labeling.services.jobs import advancing, creation
from labeling.services.jobs.batches import open_batch
from labeling.services.prelabels import showing
from labeling.services.queue import assignments
from labeling.services.results import consolidating
from marketplace.errors import Invalid
from marketplace.models.reputation import Evidence
from marketplace.services import earnings, ledger_audit
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
LABELS = ["bee", "wasp"]
ONE = {"task_type": "ImageMultiClass", "labels": LABELS}
SEVERAL = {"task_type": "ImageMultiClassMultiLabel", "labels": LABELS}
DYNAMIC = {"kind": "dynamic", "target_confidence": 0.8, "start": 1}
COUNTED = {"source": "manifest", "attribute": "guess", "blind_share": 0.0}


def choice(label="bee"):
    return {"crowd-image-classifier": {"label": label}}


def choices(*labels):
    return {"crowd-image-classifier-multi-select": {"labels": list(labels)}}


def label_of(index):
    """What people and the model say of the object: both classes are as common."""
    return LABELS[index % 2]


def guessed(job, *, sure=0.9, several=False):
    """The input has `label_of` each object under `guess`."""
    about = {"human-annotated": "no", "creation-date": "2026-01-01T00:00:00", "job-name": "labeling-job/earlier"}
    for line in ObjectLine.objects.filter(data_object__job=job).select_related("data_object"):
        label, value = label_of(line.data_object.index), line.data_object.index % 2
        if several:
            kind = {"type": "groundtruth/image-classification-multilabel", "class-map": {str(value): label}}
            guess, kind = [value], kind | {"confidence-map": {str(value): sure}}
        else:
            guess, kind = value, {"type": "groundtruth/image-classification", "class-name": label, "confidence": sure}
        line.text = json.dumps(json.loads(line.text) | {"guess": guess, "guess-metadata": about | kind})
        line.save()


def a_counted_job(*, first=None, apart=False, prelabels=COUNTED, **changes):
    """A job of which the `first` objects are open to people, and its workers; the model may be kept `apart` there."""
    design = {**ONE, "workers_per_object": 3, "redundancy": dict(DYNAMIC), **changes}
    job, workers = stories.a_funded_job(prelabels=dict(prelabels), **design)
    guessed(job, several=design["task_type"] == SEVERAL["task_type"])
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))[:first]
    assert showing.prepare(job, ids, apart=ids if apart else ())
    open_batch(job=job, object_ids=ids, by="system")
    return job, workers


def work(worker, job, say=choice, wrong=()):
    """Let a worker answer all that they are given, rightly but for the objects with these numbers."""
    done = 0
    while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
        index = seat.task.data_object.index
        stories.answer(seat, say(label_of(index + (index in wrong))))
        done += 1
    return done


def test_people_do_not_see_what_counts_and_are_paid_the_whole_price():
    job, workers = a_counted_job(objects=2, redundancy={"kind": "fixed"})
    assert (job.prelabels, job.queue.check_price_micros) == (COUNTED, None)
    rows = PreLabel.objects.filter(data_object__job=job)
    assert {row.use for row in rows} == {PreLabelUse.COUNTED}
    assert [row.value for row in rows.order_by("data_object__index")] == [
        {"choice": "bee", "confidence": 0.9},
        {"choice": "wasp", "confidence": 0.9},
    ]
    assert not Task.objects.filter(queue=job.queue, checks=True).exists()
    task = Task.objects.filter(queue=job.queue).first()
    assert showing.shown(object_id=task.data_object_id, task_type=job.task_type).initial_value is None
    assert set(task.input) == {"object", "width", "height"}
    assert work(workers[0], job) == 2
    assert earnings.balance(workers[0]) == 2 * stories.PRICE
    assert ledger_audit.findings() == []


CASES = [(ONE, choice, 0.0), (ONE, choice, 1.0), (SEVERAL, choices, 0.0)]


@pytest.mark.parametrize(("design", "say", "blind_share"), CASES)
def test_fewer_people_are_asked_where_the_model_has_proved_itself(design, say, blind_share):
    job, workers = a_counted_job(
        objects=26, first=22, apart=True, prelabels=COUNTED | {"blind_share": blind_share}, **design
    )
    # Each of the people errs now and then, and the model does not.
    while DataObject.objects.filter(job=job, state="HumanLabeled").count() < 22:
        for place, worker in enumerate(workers):
            work(worker, job, say, wrong=range(place, 22, 9))
        advancing.advance_job(job.pk)
    models = consolidating.worker_models(job)
    assert set(models.proposers) == {"model:input"} and "model:input" not in models.workers
    assert not PreLabel.objects.filter(data_object__index__lt=22).exclude(use=PreLabelUse.APART).exists()
    # The rest is open by now, to one person each at first.
    assert work(workers[0], job, say) == 4
    advancing.advance_job(job.pk)
    more = sum(work(worker, job, say) for worker in workers[1:])
    assert (more == 0) == (blind_share == 0.0)
    for _ in range(5):
        advancing.advance_job(job.pk)
        for worker in workers[1:]:
            work(worker, job, say)
    label = DataObject.objects.get(job=job, index=25).label
    assert ("proposed_by" in label.explanation) == (blind_share == 0.0)
    assert label.source == "human"
    found = LabelingJob.objects.get(pk=job.pk).prelabel_figures
    if blind_share == 0.0:
        assert found["counted"] == {"objects": 4, "answers": 1.0}
        assert (found["compared"], found["right"]) == (22, 1.0)
    else:
        assert found["blind"]["objects"] == 4 and found["blind"]["answers"] > 1
        assert found["counted"] == {"objects": 0, "answers": 0.0}
    assert ledger_audit.findings() == []


def test_an_answer_beside_a_model_says_nothing_of_its_workers_reputation():
    job, workers = a_counted_job(objects=1, redundancy={"kind": "fixed"}, workers_per_object=1)
    work(workers[0], job)
    advancing.advance_job(job.pk)
    label = DataObject.objects.get(job=job).label
    assert label.explanation["proposed_by"][0]["worker"] == "model:input"
    assert [row["worker"] for row in label.explanation["votes"]] == [workers[0].public_id]
    assert not Evidence.objects.exists()


def test_a_second_label_is_made_without_the_model():
    job, _ = a_counted_job(objects=2, first=1)
    machine = DataObject.objects.get(job=job, index=1)
    showing.prepare(job, [machine.pk])
    assert PreLabel.objects.get(data_object=machine).use == PreLabelUse.COUNTED
    DataObject.objects.filter(pk=machine.pk).update(state="MachineLabeled")
    Batch.objects.filter(queue=job.queue).update(status="Completed")
    open_batch(job=job, object_ids=[machine.pk], relabels=True, by="system")
    assert PreLabel.objects.get(data_object=machine).use == PreLabelUse.APART


@pytest.mark.parametrize(
    ("design", "prelabels", "field"),
    [
        (ONE, COUNTED | {"check_price_micros": 12_000}, "prelabels.check_price"),
        (SEVERAL, COUNTED | {"least_quality": 0.5}, "prelabels.least_quality"),
        (ONE, COUNTED | {"blind_share": 1.5}, "prelabels.blind_share"),
        ({"task_type": "SemanticSegmentation", "labels": LABELS}, COUNTED, "prelabels.source"),
    ],
)
def test_options_that_make_no_sense_where_nobody_checks_are_named(design, prelabels, field):
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    with pytest.raises(Invalid) as refused:
        creation.create_job(**stories.a_design(account, team, prelabels=prelabels, **design))
    assert field in [name for name, _ in refused.value.errors]
    assert not LabelingJob.objects.exists()
