"""Golds themselves: where they come from, how answers are scored, and what is made of golds that are wrong or known."""

import pytest
from django.utils import timezone

from labeling import subjects, task_types
from labeling.models import Assignment, DataObject, Gold, GoldResult, Label, LabelingJob, Task
from labeling.queries import worker_models
from labeling.services.golds import keeping, options, scoring, sources, verdicts
from labeling.services.golds.verdicts import Answered, verdict
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments
from labeling.services.results import adjudication, consolidating
from marketplace.errors import Invalid, WrongState
from marketplace.models import Evidence
from marketplace.services import ledger_audit, reputation
from tests import builders
from tests.labeling import stories
from tests.labeling.golds import TRUE, WRONG, a_job_with_golds, state_of

pytestmark = pytest.mark.django_db


def answer_all(worker, job, gold_content=TRUE, seconds=8.5):
    """Answer every task, golds with their own content; returns the results of the golds, scored."""
    while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
        content = gold_content if seat.task.gold_id else TRUE
        assignments.submit(assignment=seat, worker=worker, content=content, seconds=seconds, key=f"k{seat.pk}")
    scoring.score_new(job)
    return list(GoldResult.objects.filter(worker=worker).order_by("pk"))


def believed(worker):
    return reputation.accuracies_of([worker.pk], task_type="BoundingBox")[worker.pk]


# --- scores ----------------------------------------------------------------------------------------------------------


def test_answers_are_scored_and_become_evidence_by_class():
    job, (ann, bob, _), golds = a_job_with_golds(golds=3, objects=30, rate=50)
    two = stories.boxes((100, 100, 50, 40), (300, 200, 50, 40))
    assert [row.score for row in answer_all(ann, job, two)] == [pytest.approx(2 / 3)] * 3
    assert [row.score for row in answer_all(bob, job, WRONG)] == [0, 0, 0]
    rows = Evidence.objects.filter(worker=ann, source="gold", label="")
    assert [row.correct for row in rows] == [pytest.approx(2 / 3)] * 3
    assert set(rows.values_list("subject_id", flat=True)) == set(
        Assignment.objects.filter(worker=ann, task__gold__isnull=False).values_list("pk", flat=True)
    )
    assert Evidence.objects.filter(worker=ann, label="bee").count() == 3 and believed(ann).mean > believed(bob).mean
    assert scoring.score_new(job) == 0 and Evidence.objects.filter(worker=ann, label="").count() == 3


def test_each_type_scores_by_class():
    box = task_types.get("BoundingBox")
    true = box.read_answer(TRUE, labels=["bee", "wasp"], size=stories.SIZE)
    wasp = box.read_answer(stories.boxes((100, 100, 50, 40), label="wasp"), labels=["bee", "wasp"], size=stories.SIZE)
    assert box.scores_by_class(true + wasp, true) == {"bee": 1} and box.scores_by_class(wasp, true) == {"bee": 0}
    choice = task_types.get("ImageMultiClass")
    bee, other = (choice.read_value({"choice": label, "confidence": 1}) for label in ("bee", "wasp"))
    assert choice.scores_by_class(bee, bee) == {"bee": 1} and choice.scores_by_class(other, bee) == {"bee": 0}


def test_answers_to_golds_teach_the_models_of_workers_and_change_no_label():
    job, (ann, bob, _), golds = a_job_with_golds(golds=6, objects=20, rate=50)
    answer_all(ann, job)
    answer_all(bob, job, WRONG)
    labels = Label.objects.filter(data_object__in=[gold.data_object_id for gold in golds])
    assert labels.count() == 6 and {label.source for label in labels} == {"adjudicated"}
    assert consolidating.refit(job=job, at_least=1)
    models = task_types.get(job.task_type).load_workers(worker_models.fitted(job)["models"])
    rows = task_types.get(job.task_type).skills(models, [ann.public_id, bob.public_id], labels=job.labels)
    recall = {row.worker: row.figures["recall"] for row in rows if not row.label}
    assert recall[ann.public_id] > recall[bob.public_id] + 0.2


# --- sources ---------------------------------------------------------------------------------------------------------


def truth(label="bee", class_id=0):
    return {
        "annotations": [{"class_id": class_id, "left": 10, "top": 10, "width": 20, "height": 15}],
        "image_size": [{"width": 48, "height": 32, "depth": 3}],
    }, {
        "class-map": {"0": label},
        "objects": [{"confidence": 1}],
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2026-01-01T00:00:00",
        "job-name": "earlier",
    }


def a_manifest_job(account, known, count=10, **golds):
    team = builders.a_team(account=account, workers=stories.a_crowd(3))
    lines = [{"source-ref": uri} for uri in builders.tiny_images(count, account=account)]
    for place, label in known.items():
        lines[place]["truth"], lines[place]["truth-metadata"] = truth(label)
    uri = builders.a_manifest(account, lines)
    design = stories.a_design(account, team, input_manifest_uri=uri, golds={"rate": 20, "attribute": "truth"} | golds)
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    return job


def test_truths_of_the_manifest_become_golds_and_are_not_labeled_anew():
    job = a_manifest_job(stories.an_account(), {1: "bee", 3: "moth", 4: "bee", 6: "bee"})
    golds = Gold.objects.filter(queue=job.queue).select_related("data_object__label")
    assert job.status == "InProgress" and len(golds) == 2, "one object in five at most"
    assert {gold.data_object.index for gold in golds} <= {1, 4, 6}
    assert {(gold.source, gold.state, gold.data_object.label.source) for gold in golds} == {
        ("manifest", "Active", "adjudicated")
    }
    assert golds[0].truth["boxes"][0]["left"] == 10 and job.golds["taken"] == 2
    assert DataObject.objects.filter(job=job, state="PendingHuman").count() == 8
    assert Task.objects.filter(queue=job.queue, gold__isnull=False).count() == 2
    sources.take_from_manifest(job)
    assert Gold.objects.filter(queue=job.queue).count() == 2


def test_a_job_without_a_usable_truth_fails_and_says_why():
    job = a_manifest_job(stories.an_account(), {3: "moth"})
    assert job.status == "Failed" and "has a class that the job does not have: moth" in job.failure_reason
    with pytest.raises(Invalid) as refused:
        a_manifest_job(stories.an_account(), {}, rate=60, mint=-1, attribute="no spaces")
    assert {field for field, _ in refused.value.errors} == {"golds.rate", "golds.mint", "golds.attribute"}


def test_unanimous_objects_become_golds():
    job, workers, _ = a_job_with_golds(golds=0, objects=4, rate=20, golds_options={"mint": 2}, batch=False)
    advancing.advance_job(job.pk)
    odd = Task.objects.filter(queue=job.queue).order_by("queue_position")[0].data_object_id
    for number, worker in enumerate(workers):
        while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
            stories.answer(seat, WRONG if number == 0 and seat.task.data_object_id == odd else TRUE)
    stories.add_objects(job, 6)
    advancing.advance_job(job.pk)
    golds = list(Gold.objects.filter(queue=job.queue))
    sure = DataObject.objects.filter(job=job, label__confidence__gte=sources.SURE, label__source="human").count()
    assert len(golds) == min(2, sure) > 0
    assert {gold.source for gold in golds} == {"minted"} and odd not in {gold.data_object_id for gold in golds}
    assert GoldResult.objects.filter(gold__in=golds, assignment=None).count() == 3 * len(golds)
    assert Task.objects.filter(gold__in=golds).count() == len(golds)
    assert {True for worker in workers for row in answer_all(worker, job) if row.assignment_id} == set()
    assert list(ledger_audit.findings()) == []


def test_an_object_is_a_gold_once_and_needs_a_label():
    job, _, (gold, *_) = a_job_with_golds(golds=1, objects=2)
    with pytest.raises(WrongState, match="none is used twice"):
        keeping.add(data_object=DataObject.objects.get(pk=gold.data_object_id), by="user:1")
    stories.add_objects(job, 1)
    blank = DataObject.objects.filter(job=job).order_by("-index")[0]
    with pytest.raises(WrongState, match="decide this object first"):
        keeping.add(data_object=blank, by="user:1")
    with pytest.raises(Invalid):
        keeping.add(data_object=blank, content={"boundingBox": {}}, by="user:1")
    assert Gold.objects.count() == 1


# --- wrong golds, known golds ----------------------------------------------------------------------------------------


def test_verdicts():
    right, wrong = Answered(True, 20, 1.0), Answered(False, 20, 0.9)
    assert verdict([wrong] * 4) is None
    assert verdict([wrong] * 5)[0] == "Suspect" and verdict([wrong] * 3 + [right] * 2) is None
    # People who pass no other gold either doubt nothing.
    assert verdict([Answered(False, 2, 0.1)] * 50) is None
    quick = Answered(True, 9, 1.0)
    assert verdict([right] * 10 + [quick] * 9) is None
    state, reason = verdict([right] * 10 + [quick] * 10)
    assert (state, reason) == ("Retired", "10 of the newest 10 answers are right, in 9 seconds instead of 20")
    assert verdict([right] * 10 + [Answered(True, 11, 1.0)] * 10) is None
    assert verdict([right] * 10 + [Answered(False, 2, 1.0)] * 2 + [quick] * 8) is None
    assert verdicts.FEWEST_TO_RETIRE == 20


def a_wrong_gold():
    """A job whose first gold has a wrong truth, which six workers answered."""
    job, workers, golds = a_job_with_golds(golds=3, objects=30, rate=50, workers=6, workers_per_object=6)
    wrong = golds[0]
    value = Gold.objects.get(pk=golds[1].pk).truth
    value["boxes"][0] |= {"left": 400, "top": 300}
    Gold.objects.filter(pk=wrong.pk).update(truth=value)
    for worker in workers:
        answer_all(worker, job)
    return job, workers, Gold.objects.get(pk=wrong.pk), golds[1]


def test_a_gold_with_which_most_disagree_is_put_aside_and_correcting_it_scores_everybody_again():
    job, (ann, *_), wrong, right = a_wrong_gold()
    assert (state_of(wrong), state_of(right)) == ("Suspect", "Active")
    assert "0 of 5 answers of reliable workers agree with it" in wrong.reason
    assert Task.objects.get(gold=wrong).seats_free == 0 and list(ledger_audit.findings()) == []
    before = believed(ann).mean
    keeping.correct(gold=wrong, content=TRUE, by="user:1")
    wrong.refresh_from_db()
    assert (wrong.state, wrong.truth["boxes"][0]["left"]) == ("Active", 100)
    assert set(GoldResult.objects.filter(gold=wrong).values_list("score", flat=True)) == {1.0}
    assert believed(ann).mean > before
    assert wrong.data_object.labels.count() == 2


def test_confirming_a_suspect_gold_gives_it_out_again_for_good():
    job, _, wrong, _ = a_wrong_gold()
    keeping.confirm(gold=wrong, by="user:1")
    assert state_of(wrong) == "Active"
    scoring._judge(job, wrong)
    assert state_of(wrong) == "Active"


def test_withdrawing_a_gold_takes_back_what_it_said_about_workers():
    job, (ann, *_), wrong, _ = a_wrong_gold()
    keeping.withdraw(gold=wrong, reason="a wasp", by="user:1")
    keeping.withdraw(gold=wrong, reason="again", by="user:1")
    wrong.refresh_from_db()
    assert (wrong.state, wrong.reason) == ("Withdrawn", "a wasp")
    mine = Assignment.objects.filter(worker=ann, task__gold=wrong)
    assert mine.exists() and not Evidence.objects.filter(subject_id__in=mine, subject_type=subjects.ASSIGNMENT).exists()
    assert Evidence.objects.filter(worker=ann).exists()
    for change in (
        lambda: keeping.correct(gold=wrong, content=TRUE, by="u"),
        lambda: keeping.confirm(gold=wrong, by="u"),
    ):
        with pytest.raises(WrongState):
            change()


def test_a_gold_follows_the_label_that_an_import_gives_its_object():
    job, (ann, *_), (gold, other) = a_job_with_golds(golds=2, objects=8, rate=50)
    answer_all(ann, job)
    kind = task_types.get(job.task_type)
    moved = kind.read_answer(WRONG, labels=job.labels, size=stories.SIZE)
    keys = [gold.data_object_id, other.data_object_id]
    adjudication.adjudicate_many(job=job, answers={keys[0]: moved}, explanation={"label_import": 1})
    assert keeping.follow(job=job, object_ids=keys, by="user:1") == 1
    gold.refresh_from_db()
    assert gold.truth["boxes"][0]["left"] == 400
    assert set(GoldResult.objects.filter(worker=ann).values_list("gold", "score")) == {(gold.pk, 0), (other.pk, 1)}
    assert keeping.follow(job=job, object_ids=keys, by="user:1") == 0


def test_the_spending_limit_must_pay_for_one_object_with_its_golds():
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    one = 3 * (stories.PRICE + stories.FEE)
    creation.create_job(**stories.a_design(account, team, max_spend_micros=one))
    with pytest.raises(Invalid) as refused:
        creation.create_job(**stories.a_design(account, team, max_spend_micros=one, golds={"rate": 10}))
    assert dict(refused.value.errors).keys() == {"max_spend"}


def test_a_gold_that_is_known_among_the_workers_is_retired():
    job, workers, (gold, *_) = a_job_with_golds(golds=1, objects=8, rate=50, workers=20, workers_per_object=9)
    task = Task.objects.get(gold=gold)
    now = timezone.now()
    for number, worker in enumerate(workers):
        seat = Assignment.objects.create(
            task=task,
            queue=job.queue,
            worker=worker,
            state="Submitted",
            accepted_at=now,
            lease_expires_at=now,
            seconds_spent=30 if number < 10 else 6,
        )
        GoldResult.objects.create(
            gold=gold, worker=worker, assignment=seat, score=1, scored_at=now + timezone.timedelta(seconds=number)
        )
    options.change(job=job, pass_mark=0.9, by="user:1")
    scoring._judge(LabelingJob.objects.get(pk=job.pk), gold)
    gold.refresh_from_db()
    assert gold.state == "Retired" and "in 6 seconds instead of 30" in gold.reason
    task.refresh_from_db()
    assert task.seats_free == 0
