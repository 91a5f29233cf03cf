"""Qualification tests made of labeled objects, training and exams; what work earns; work that is closed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import background
from labeling.models import Assignment, QualificationAttempt, QualificationQuestion, WorkQueue
from labeling.services.qualifications import earning, making, showing, taking
from labeling.services.qualifications.making import TestDesign
from labeling.services.queue import assignments
from labeling.services.results import deciding
from marketplace.errors import Forbidden, Invalid, NotFound, WrongState
from marketplace.models import AudienceRequirement, Qualification, QualificationType
from marketplace.services import eligibility, qualifications, workteams
from tests import builders
from tests.labeling import qualification_stories as quals
from tests.labeling import stories

pytestmark = pytest.mark.django_db
HALF = stories.boxes((100, 100, 50, 40), (300, 300, 50, 40))


@pytest.fixture
def account():
    return stories.an_account()


@pytest.fixture
def worker():
    return stories.a_crowd(1)[0]


@pytest.fixture
def team(account, worker):
    return builders.a_team(account=account, workers=[worker])


@pytest.fixture
def job(account, team):
    return quals.a_labeled_job(account, team)


def later(**by):
    """Let time pass for every attempt."""
    for attempt in QualificationAttempt.objects.all():
        for name in ("started_at", "due_at", "ended_at"):
            if getattr(attempt, name):
                setattr(attempt, name, getattr(attempt, name) - timedelta(**by))
        attempt.save()


def held(worker, row):
    return Qualification.objects.filter(worker=worker, qualification_type=row).first()


def test_training_shows_the_truth_and_the_exam_grants_the_score(account, worker, job):
    row = quals.a_test(account, job, valid_days=30)
    assert job.labels == row.qualification_test.labels and row.qualification_test.task_type == "BoundingBox"
    with pytest.raises(WrongState, match="training first"):
        taking.start(row=row, worker=worker, training=False)

    training = taking.start(row=row, worker=worker, training=True)
    assert taking.start(row=row, worker=worker, training=True) == training
    asked = taking.current(training)
    answered = taking.answer(attempt=training, question_id=asked.question_id, content=HALF)
    assert round(answered.score, 3) == 0.667 and answered.question.truth["boxes"][0]["label"] == "bee"
    assert (training.ended_at is None, training.passed, training.score) == (False, None, 66)
    assert held(worker, row) is None

    exam = taking.start(row=row, worker=worker, training=False)
    assert taking.start(row=row, worker=worker, training=False) == exam
    first = taking.current(exam)
    with pytest.raises(Invalid, match="boundingBox"):
        taking.answer(attempt=exam, question_id=first.question_id, content={})
    taking.answer(attempt=exam, question_id=first.question_id, content=stories.ONE_BEE)
    with pytest.raises(WrongState, match="answered already"):
        taking.answer(attempt=exam, question_id=first.question_id, content=quals.NO_BOX)
    with pytest.raises(WrongState, match="not asked in this attempt"):
        taking.answer(attempt=exam, question_id=asked.question_id, content=quals.NO_BOX)
    quals.work_off(exam, HALF)
    assert (exam.passed, exam.score) == (True, 83)
    granted = held(worker, row)
    assert granted.value == 83 and granted.expires_at - granted.granted_at == timedelta(days=30)
    with pytest.raises(WrongState, match="have this qualification already"):
        taking.start(row=row, worker=worker, training=False)


def test_a_failed_exam_is_taken_again_later_and_only_so_often(account, worker, job):
    row = quals.a_test(account, job, retry_hours=24, most_attempts=2, design={"training": 0})
    quals.work_off(taking.start(row=row, worker=worker, training=False), HALF, quals.NO_BOX)
    assert held(worker, row) is None
    with pytest.raises(WrongState, match="again from"):
        taking.start(row=row, worker=worker, training=False)
    later(hours=25)
    second = quals.work_off(taking.start(row=row, worker=worker, training=False), quals.NO_BOX)
    assert (second.passed, second.score) == (False, 0)
    later(hours=25)
    with pytest.raises(WrongState, match="taken this test 2 times"):
        taking.start(row=row, worker=worker, training=False)
    with pytest.raises(WrongState, match="has no training"):
        taking.start(row=row, worker=worker, training=True)


def test_an_exam_ends_when_its_time_is_up(account, worker, job):
    row = quals.a_test(account, job, design={"training": 0, "time_limit_minutes": 5})
    exam = taking.start(row=row, worker=worker, training=False)
    assert exam.due_at - exam.started_at == timedelta(minutes=5)
    first = taking.current(exam)
    taking.answer(attempt=exam, question_id=first.question_id, content=stories.ONE_BEE)
    second = taking.current(exam)
    later(minutes=6)
    exam.refresh_from_db()
    with pytest.raises(WrongState, match="time for this exam is up"):
        taking.answer(attempt=exam, question_id=second.question_id, content=stories.ONE_BEE)
    assert (exam.ended_at, exam.score, exam.passed) == (exam.due_at, 50, False) and held(worker, row) is None
    assert taking.current(exam) is None

    later(hours=1)
    left = taking.start(row=row, worker=worker, training=False)
    later(minutes=6)
    assert taking.refusal(row=row, worker=worker).startswith("the time is up")
    background.sweep()
    left.refresh_from_db()
    assert (left.score, left.passed) == (0, False)


def test_a_qualification_that_expired_is_taken_anew_and_a_revoked_one_is_not(account, worker, job):
    row = quals.a_test(account, job, valid_days=1, most_attempts=1, design={"training": 0})
    quals.work_off(taking.start(row=row, worker=worker, training=False), stories.ONE_BEE)
    Qualification.objects.update(expires_at=timezone.now())
    quals.work_off(taking.start(row=row, worker=worker, training=False), stories.ONE_BEE)
    assert qualifications.holds(held(worker, row))
    qualifications.revoke(row=row, worker=worker, reason="copied", by="user:1")
    with pytest.raises(WrongState, match="revoked: copied"):
        taking.start(row=row, worker=worker, training=False)


def test_a_test_is_made_of_a_labeled_data_set_and_skips_what_cannot_be_shown(account):
    uris = builders.tiny_images(4, account=account, size=(64, 48))
    lines = [
        {
            "source-ref": uri,
            "insect": place % 2,
            "insect-metadata": {
                "class-name": ("bee", "wasp")[place % 2],
                "confidence": 1,
                "type": "groundtruth/image-classification",
                "human-annotated": "yes",
                "creation-date": "2026-01-01T00:00:00",
                "job-name": "labeling-job/x",
            },
        }
        for place, uri in enumerate([*uris, "s3://nowhere/x.png"])
    ]
    manifest = builders.a_manifest(account, [*lines, {"source-ref": uris[0]}])
    dataset = builders.a_dataset(account=account, kind="manifest", uri=manifest)
    design = TestDesign(
        dataset=dataset,
        label_attribute_name="insect",
        task_type="ImageMultiClass",
        questions=2,
        training=1,
    )
    values = {"name": "Insects", "description": "x", "granted_by": "Test", "mark": 50}
    row = making.create(account=account, by="user:1", test=design, **values)
    questions = list(row.qualification_test.questions.order_by("place"))
    assert row.qualification_test.labels == ["bee", "wasp"]
    assert [one.training for one in questions] == [True, False, False, False]
    assert {one.source_ref for one in questions} == set(uris) and {one.width for one in questions} == {64}
    right = {uri: ("bee", "wasp")[place % 2] for place, uri in enumerate(uris)}
    assert all(one.truth["choice"] == right[one.source_ref] for one in questions)
    with pytest.raises(Invalid) as refused:
        making.create(account=account, by="user:1", test=TestDesign(**{**vars(design), "questions": 9}), **values)
    assert refused.value.errors == [("test.dataset", "10 labeled pictures expected, 4 found")]


def test_a_wrong_test_is_named_field_by_field_and_makes_nothing(account, job):
    values = {"name": "Bees", "description": "x", "granted_by": "Test", "mark": 80}
    bad = TestDesign(questions=0, training=11, time_limit_minutes=0, task_type="Boxes", instructions="x" * 2001)
    with pytest.raises(Invalid) as refused:
        making.create(account=account, by="user:1", test=bad, **values)
    names = ("job", "task_type", "questions", "training", "time_limit_minutes", "instructions")
    assert [field for field, _ in refused.value.errors] == [f"test.{name}" for name in names]
    for test, given in ((None, values), (TestDesign(job=job), values | {"granted_by": "Manual", "mark": None})):
        with pytest.raises(Invalid):
            making.create(account=account, by="user:1", test=test, **given)
    with pytest.raises(Invalid, match="belongs to an account"):
        making.create(account=None, by="user:1", test=TestDesign(job=job), **values)
    assert not QualificationType.objects.exists() and not QualificationQuestion.objects.exists()


def test_a_second_exam_asks_other_questions_too(account, worker, team):
    job = quals.a_labeled_job(account, team, objects=8)
    row = quals.a_test(account, job, design={"training": 0, "questions": 4})
    assert row.qualification_test.questions.count() == 8
    asked = set()
    for _ in range(8):
        exam = quals.work_off(taking.start(row=row, worker=worker, training=False), quals.NO_BOX)
        asked |= set(exam.answers.values_list("question", flat=True))
    assert len(asked) > 4 and exam.answers.count() == 4


# --- earned by work


def test_tasks_done_earn_a_qualification_at_the_account_or_everywhere(account, worker, team):
    here = qualifications.create_type(
        account=account, name="Ten", description="x", granted_by="TasksDone", mark=3, by="user:1"
    )
    anywhere = qualifications.create_type(
        account=None, name="Ten", description="x", granted_by="TasksDone", mark=6, by="user:1"
    )
    one = stories.open_pictures(stories.a_job(account, team, objects=2))
    assert stories.work(worker, one) == 2
    with pytest.raises(WrongState, match="your figure is 2, at least 3"):
        earning.ask(row=here, worker=worker)
    other = stories.an_account()
    elsewhere = builders.a_team(account=other, workers=[worker])
    assert stories.work(worker, stories.open_pictures(stories.a_job(other, elsewhere, objects=4))) == 4
    assert earning.figure(row=here, worker=worker).value == 2
    assert earning.ask(row=anywhere, worker=worker).value == 6
    with pytest.raises(WrongState, match="already"):
        earning.ask(row=anywhere, worker=worker)
    by_hand = qualifications.create_type(
        account=account, name="Hand", description="x", granted_by="Manual", by="user:1"
    )
    with pytest.raises(WrongState, match="not granted for a figure"):
        earning.ask(row=by_hand, worker=worker)


def test_an_approval_rate_needs_enough_reviews_and_ends_with_the_rate(account, worker, team):
    row = qualifications.create_type(
        account=account, name="Good", description="x", granted_by="ApprovalRate", mark=90, by="user:1"
    )
    job = stories.open_pictures(stories.a_job(account, team, objects=12, review_days=3))
    assert stories.work(worker, job) == 12
    reviews = list(job.queue.reviews.order_by("pk"))
    for review in reviews[:9]:
        deciding.accept_one(review=review, by="user:1")
    with pytest.raises(WrongState, match="9 of your answers were accepted or rejected, at least 10"):
        earning.ask(row=row, worker=worker)
    deciding.reject_one(review=reviews[9], reason="no", by="user:1")
    assert earning.ask(row=row, worker=worker).value == 90
    deciding.reject_one(review=reviews[10], reason="no", by="user:1")
    assert earning.renew() == 0
    tomorrow = timezone.now() + earning.RENEWED_AFTER
    assert earning.renew(tomorrow) == 1
    ended = held(worker, row)
    assert ended.value == 90 and ended.expires_at == tomorrow
    assert earning.renew(tomorrow + earning.RENEWED_AFTER) == 0


# --- work that asks for it


def test_only_who_passed_sees_the_work_and_the_others_are_told_what_to_do(account, worker, team, job):
    row = quals.a_test(account, job, design={"training": 0})
    asked = [{"qualification_type": row.pk, "comparator": "GreaterThanOrEqualTo", "integer_values": [80]}]
    work = stories.open_pictures(stories.a_job(account, team, qualification_requirements=asked))
    with pytest.raises(Forbidden, match="asks for the qualification 'Bees': you do not have it yet"):
        assignments.claim(worker=worker, queue=work.queue)
    assert stories.work_list(worker) == [] and not Assignment.objects.exists()
    (closed,) = showing.closed(showing.closed_queues(worker))
    assert (closed.queue.pk, closed.action, closed.qualification_type_id) == (
        work.queue.pk,
        showing.TAKE_TEST,
        row.pk,
    )
    outsider = stories.a_crowd(1)[0]
    assert not showing.closed_queues(outsider).exists() and not showing.types(outsider).exists()
    with pytest.raises(NotFound):
        showing.type_shown(outsider, row.pk)

    quals.work_off(taking.start(row=showing.type_shown(worker, row.pk), worker=worker, training=False), stories.ONE_BEE)
    assert not showing.closed_queues(worker).exists()
    assert [one.queue_id for one in stories.work_list(worker)] == [work.queue.pk]
    assert stories.work(worker, work) == 4
    qualifications.revoke(row=row, worker=worker, reason="copied", by="user:1")
    (closed,) = showing.closed(showing.closed_queues(worker))
    assert closed.action == "" and "yours was revoked" in closed.reason


def test_what_is_hidden_stays_hidden_and_a_job_of_the_pool_says_how_to_join(account, worker):
    row = qualifications.create_type(account=account, name="Bees", description="x", granted_by="Manual", by="user:1")
    asked = {"qualification_type": row.pk}
    pool = workteams.public_pool()
    hidden = asked | {"actions_guarded": "DiscoverPreviewAndAccept"}
    secret = stories.a_job(account, pool, qualification_requirements=[hidden])
    plain = stories.a_job(account, pool)
    open_to_some = stories.a_job(account, pool, qualification_requirements=[asked])
    listed = showing.closed(showing.closed_queues(worker))
    assert {one.queue.pk for one in listed} == {plain.queue.pk, open_to_some.queue.pk}
    assert {one.action for one in listed} == {showing.JOIN_POOL} and not showing.types(worker).exists()
    workteams.join_public_pool(worker)
    (closed,) = showing.closed(showing.closed_queues(worker))
    assert closed.queue.pk == open_to_some.queue.pk and closed.action == ""
    assert list(showing.types(worker)) == [row]
    with pytest.raises(Forbidden, match="not a member"):
        assignments.claim(worker=worker, queue=secret.queue)
    eligibility.block(account=account, worker=worker, by="user:1")
    assert not showing.closed_queues(worker).exists() and not showing.types(worker).exists()


def test_the_head_start_of_preferred_workers_begins_when_the_job_opens(account, worker, team):
    row = qualifications.create_type(account=account, name="Bees", description="x", granted_by="Manual", by="user:1")
    asked = [{"qualification_type": row.pk, "head_start_minutes": 10}]
    work = stories.open_pictures(stories.a_job(account, team, qualification_requirements=asked))
    queue = WorkQueue.objects.get(pk=work.queue.pk)
    (requirement,) = queue.audience.requirements.all()
    opened = requirement.head_start_until - queue.status_changed_at
    assert abs(opened - timedelta(minutes=10)) < timedelta(minutes=1)
    with pytest.raises(Forbidden):
        assignments.claim(worker=worker, queue=queue)
    AudienceRequirement.objects.update(head_start_until=timezone.now())
    assert assignments.claim(worker=worker, queue=queue) is not None


def test_a_job_names_every_wrong_requirement(account, team):
    with pytest.raises(Invalid) as refused:
        stories.a_job(account, team, qualification_requirements=[{"qualification_type": 0}, {"comparator": "X"}])
    fields = [field for field, _ in refused.value.errors]
    assert fields[0] == "qualification_requirements[0].qualification_type"
    assert "qualification_requirements[1].comparator" in fields
