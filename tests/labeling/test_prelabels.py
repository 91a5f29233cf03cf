"""People who check labels that a model proposes: what they begin with, what they are paid, what their answers prove."""

import json
from dataclasses import replace

import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.models import Assignment, DataObject, LabelingJob, ObjectLine, PreLabel, PreLabelUse, Task
from labeling.queries import progress
from labeling.services.jobs import advancing, creation, repricing
from labeling.services.jobs.batches import open_batch
from labeling.services.prelabels import showing
from labeling.services.queue import assignments
from labeling.services.results import consolidating
from marketplace.errors import Invalid
from marketplace.models.reputation import Evidence
from marketplace.services import earnings, ledger_audit, wallets
from tests import builders
from tests.labeling import panel_stories, stories

pytestmark = pytest.mark.django_db
CHECK, CHECK_FEE = 12_000, 2_400
BEE = (100, 100, 50, 40)
BOXES = task_types.get("BoundingBox")
EVERY = {"source": "manifest", "attribute": "guess", "blind_share": 0.0}


def guessed(job, *boxes):
    """The input has these boxes under `guess` for every object."""
    sides = ("left", "top", "width", "height")
    value = {
        "annotations": [{"class_id": 0, **dict(zip(sides, box, strict=True))} for box in boxes],
        "image_size": [{"width": stories.SIZE[0], "height": stories.SIZE[1], "depth": 3}],
    }
    about = {"type": "groundtruth/object-detection", "class-map": {"0": "bee"}, "objects": [{"confidence": 0.8}]}
    for line in ObjectLine.objects.filter(data_object__job=job):
        line.text = json.dumps(json.loads(line.text) | {"guess": value, "guess-metadata": about})
        line.save()


def a_checked_job(*boxes, prelabels=EVERY, **changes):
    """A job whose open tasks show these boxes, and its workers."""
    job, workers = stories.a_funded_job(prelabels=dict(prelabels), **changes)
    guessed(job, *(boxes or (BEE,)))
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    assert showing.prepare(job, ids)
    open_batch(job=job, object_ids=ids, by="system")
    return job, workers


def test_checking_is_reserved_shown_and_paid_at_its_own_price():
    job, workers = a_checked_job(objects=2)
    assert (job.queue.check_price_micros, job.queue.check_fee_micros) == (CHECK, CHECK_FEE)
    assert wallets.balance(job.account) == 100_000_000 - 6 * (CHECK + CHECK_FEE)
    assert ledger_audit.findings() == []
    row = stories.work_list(workers[0])[0]
    assert (row.price_micros, row.check_price_micros) == (stories.PRICE, CHECK)
    seat = assignments.claim(worker=workers[0], queue=job.queue)
    assert Assignment.objects.get(pk=seat.pk).promised_micros == CHECK
    assert stories.answer(seat, stories.boxes(BEE)).paid_micros == CHECK
    assert earnings.balance(workers[0]) == CHECK
    assert ledger_audit.findings() == []
    for worker in workers:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    assert wallets.balance(job.account) == 100_000_000 - 6 * (CHECK + CHECK_FEE)
    assert wallets.held(job.account) == 0
    assert ledger_audit.findings() == []


def test_the_element_begins_with_the_boxes_in_whole_pixels():
    job, _ = a_checked_job((100.4, 99.6, 50.2, 40.1), objects=1)
    task = Task.objects.get(queue=job.queue)
    assert task.checks
    shown = showing.shown(object_id=task.data_object_id, task_type=job.task_type)
    assert shown.initial_value == [{"label": "bee", "left": 100, "top": 100, "width": 50, "height": 40}]
    # Others of the same queue learn nothing of it from what the task is made of.
    assert set(task.input) == {"object", "width", "height"}


def test_a_blind_share_draws_for_the_full_price_and_is_the_same_whenever_it_is_drawn():
    job, workers = a_checked_job(objects=40, prelabels=EVERY | {"blind_share": 0.5}, workers_per_object=1)
    blind = PreLabel.objects.filter(data_object__job=job, use=PreLabelUse.BLIND).count()
    assert 8 <= blind <= 32
    assert Task.objects.filter(queue=job.queue, checks=False).count() == blind
    reserved = blind * (stories.PRICE + stories.FEE) + (40 - blind) * (CHECK + CHECK_FEE)
    assert wallets.balance(job.account) == 100_000_000 - reserved
    before = dict(PreLabel.objects.values_list("data_object", "use"))
    assert showing.prepare(job, list(before))
    assert dict(PreLabel.objects.values_list("data_object", "use")) == before
    for worker in workers:
        stories.work(worker, job)
    assert sum(map(earnings.balance, workers)) == blind * stories.PRICE + (40 - blind) * CHECK
    assert ledger_audit.findings() == []


def test_objects_without_a_label_in_the_input_or_with_another_class_are_drawn():
    job, _ = stories.a_funded_job(objects=2, prelabels=dict(EVERY))
    guessed(job, BEE)
    lines = list(ObjectLine.objects.order_by("pk"))
    lines[0].text = lines[0].text.replace('"0": "bee"', '"0": "hornet"')
    lines[1].text = '{"source-ref": "s3://bees/1.png"}'
    ObjectLine.objects.bulk_update(lines, ["text"])
    ids = [line.pk for line in lines]
    assert showing.prepare(job, ids)
    open_batch(job=job, object_ids=ids, by="system")
    assert not Task.objects.filter(queue=job.queue, checks=True).exists()


def test_a_rise_of_the_price_leaves_checking_as_it_is():
    job, workers = a_checked_job(objects=2, prelabels=EVERY | {"blind_share": 0.5})
    drawn = Task.objects.filter(queue=job.queue, checks=False).count()
    repricing.raise_price(job=LabelingJob.objects.get(pk=job.pk), price_micros=40_000, by="user:1")
    assert ledger_audit.findings() == []
    for worker in workers:
        stories.work(worker, job)
    assert sum(map(earnings.balance, workers)) == 3 * (drawn * 40_000 + (2 - drawn) * CHECK)
    advancing.advance_job(job.pk)
    assert (wallets.held(job.account), ledger_audit.findings()) == (0, [])


def test_a_panel_pays_for_checking_elsewhere():
    panel = panel_stories.a_panel(stories.an_account())
    job = panel_stories.a_job_of(panel, objects=1, prelabels=dict(EVERY))
    assert (job.queue.check_price_micros, job.queue.price_of(checks=True)) == (None, 0)
    with pytest.raises(Invalid, match=r"prelabels\.check_price"):
        panel_stories.a_job_of(panel, objects=1, prelabels=EVERY | {"check_price_micros": 0})


@pytest.mark.parametrize(
    ("prelabels", "field"),
    [
        ({"source": "crystal"}, "prelabels.source"),
        ({"source": "manifest"}, "prelabels.attribute"),
        (EVERY | {"attribute": "no good"}, "prelabels.attribute"),
        (EVERY | {"blind_share": 1.5}, "prelabels.blind_share"),
        (EVERY | {"blind_share": float("nan")}, "prelabels.blind_share"),
        (EVERY | {"check_price_micros": 37_000}, "prelabels.check_price"),
        (EVERY | {"check_price_micros": -1}, "prelabels.check_price"),
        (EVERY | {"colour": "blue"}, "prelabels.colour"),
    ],
)
def test_options_that_make_no_sense_are_named(prelabels, field):
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    with pytest.raises(Invalid) as refused:
        creation.create_job(**stories.a_design(account, team, prelabels=prelabels))
    assert field in [name for name, _ in refused.value.errors]
    assert not LabelingJob.objects.exists()


def test_leaving_a_proposed_box_proves_less_than_drawing_it():
    job, workers = a_checked_job(objects=1)
    for worker in workers[:2]:
        seat = assignments.claim(worker=worker, queue=job.queue)
        stories.answer(seat, stories.boxes(BEE))
    row = DataObject.objects.get(job=job)
    read = consolidating.read_answers(job, [row])[row.pk].image
    (proposal,) = read.proposals
    assert proposal.seen_by == {worker.public_id for worker in workers[:2]}
    made = consolidating.consolidated(job, [row])[row.pk]
    (cluster,) = made.explanation["clusters"]
    assert sorted(cluster["left_as_proposed_by"]) == sorted(proposal.seen_by)
    assert made.explanation["proposed_by"][0]["worker"] == "model:input"
    # Three people who drew the same box by themselves are surer than two who left a proposed one.
    drawn = [*read.answers, WorkerAnswer("third", read.answers[0].value)]
    (alone,) = BOXES.consolidate_many(
        [replace(read, answers=tuple(drawn), proposals=())], labels=job.labels, workers=BOXES.load_workers(None)
    )
    assert cluster["confidence"] < alone.explanation["clusters"][0]["confidence"]


def test_a_corrected_box_is_about_where_people_put_it():
    job, workers = a_checked_job((100, 100, 90, 90), objects=1)
    for worker in workers:
        seat = assignments.claim(worker=worker, queue=job.queue)
        stories.answer(seat, stories.boxes(BEE))
    advancing.advance_job(job.pk)
    (box,) = DataObject.objects.get(job=job).label.value["boxes"]
    assert [box["width"], box["height"]] == pytest.approx(BEE[2:], abs=4)


def test_answers_that_began_with_a_label_say_nothing_of_their_workers_reputation():
    job, workers = a_checked_job(objects=1)
    for worker in workers:
        seat = assignments.claim(worker=worker, queue=job.queue)
        stories.answer(seat, stories.boxes(BEE))
    advancing.advance_job(job.pk)
    assert DataObject.objects.get(job=job).state == "HumanLabeled"
    assert not Evidence.objects.exists()


def test_a_dynamic_job_counts_what_checking_has_saved():
    job, workers = a_checked_job(
        objects=2, redundancy={"kind": "dynamic", "target_confidence": 0.6, "start": 1}, workers_per_object=3
    )
    stories.work(workers[0], job)
    advancing.advance_job(job.pk)
    found = progress.progress(LabelingJob.objects.get(pk=job.pk))
    assert found["saved_micros"] == found["answers_saved"] * (CHECK + CHECK_FEE)


def test_a_task_that_checks_opens_with_one_seat_less_where_more_are_opened_as_they_are_needed():
    dynamic = {"kind": "dynamic", "target_confidence": 0.9, "start": 2}
    half = EVERY | {"blind_share": 0.5}
    job, _ = a_checked_job(objects=20, prelabels=half, redundancy=dynamic, workers_per_object=3)
    found = set(Task.objects.filter(queue=job.queue).values_list("checks", "seats_total", "max_seats"))
    assert found == {(True, 1, 3), (False, 2, 3)}
