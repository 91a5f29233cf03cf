"""Reputation: evidence, its sums, and what is believed of a worker."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.models import Evidence, Reputation, Subject
from marketplace.services import reputation
from tests import builders

pytestmark = pytest.mark.django_db
BOXES = "BoundingBox"
NOW = timezone.now()


def record(worker, number, correct, *, label="", source="gold", at=NOW, weight=1.0, task_type=BOXES):
    reputation.record(
        worker=worker,
        task_type=task_type,
        label=label,
        source=source,
        correct=correct,
        weight=weight,
        subject=Subject("answer", number),
        at=at,
    )


def believed(worker, *, label="", at=NOW, task_type=BOXES):
    return reputation.accuracies_of([worker.pk], task_type=task_type, label=label, at=at)[worker.pk]


def sums():
    return list(
        Reputation.objects.order_by("worker", "task_type", "label").values_list(
            "worker", "task_type", "label", "right", "wrong", "pieces"
        )
    )


def test_without_evidence_the_prior_is_believed_and_the_worker_has_no_row():
    worker = builders.a_worker()
    found = believed(worker)
    assert found.mean == pytest.approx(2 / 3)
    assert (found.answers, found.pieces) == (0, 0)
    # The 5 % and 95 % points of Beta(1, 1/2), whose distribution function is 1 - sqrt(1 - x).
    assert (found.low, found.high) == pytest.approx((1 - 0.95**2, 1 - 0.05**2))
    assert reputation.accuracies(worker) == []


def test_right_answers_raise_the_mean_and_narrow_the_interval():
    worker = builders.a_worker()
    before = believed(worker)
    for number in range(20):
        record(worker, number, 1.0 if number % 10 else 0.0)
    after = believed(worker)
    assert after.mean == pytest.approx((1 + 18) / (1.5 + 20))
    assert before.low < after.low < after.mean < after.high
    assert after.high - after.low < before.high - before.low
    assert after.pieces == 20


def test_recording_again_replaces_and_forgetting_takes_back():
    worker = builders.a_worker()
    record(worker, 1, 0.0, label="bee", source="review")
    record(worker, 1, 1.0, label="bee", source="review")
    assert believed(worker, label="bee").mean == pytest.approx(2 / 2.5)
    record(worker, 1, 1.0, label="bee", source="gold")
    assert believed(worker, label="bee").pieces == 2
    reputation.forget(subject=Subject("answer", 1), source="gold")
    assert believed(worker, label="bee").pieces == 1
    reputation.forget(subject=Subject("answer", 1))
    reputation.forget(subject=Subject("answer", 1))
    assert believed(worker, label="bee") == believed(builders.a_worker(), label="bee")
    assert not Evidence.objects.exists()


def test_labels_task_types_and_workers_are_kept_apart():
    one, other = builders.a_worker(), builders.a_worker()
    record(one, 1, 1.0, label="bee")
    record(one, 1, 0.0, label="wasp")
    record(other, 1, 0.0, label="bee")
    record(one, 2, 0.5, task_type="ImageClassificationMultiClass")
    found = {(row.task_type, row.label): row.mean for row in reputation.accuracies(one, at=NOW)}
    assert found == {
        (BOXES, "bee"): pytest.approx(2 / 2.5),
        (BOXES, "wasp"): pytest.approx(1 / 2.5),
        ("ImageClassificationMultiClass", ""): pytest.approx(1.5 / 2.5),
    }
    assert believed(other, label="bee").mean == pytest.approx(1 / 2.5)


def test_evidence_counts_half_after_the_half_life():
    worker = builders.a_worker()
    record(worker, 1, 0.0, weight=8)
    later = NOW + timedelta(days=reputation.HALF_LIFE_DAYS)
    assert believed(worker).answers == pytest.approx(8)
    assert believed(worker, at=later).answers == pytest.approx(4)
    assert believed(worker).mean < believed(worker, at=later).mean < 2 / 3


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 3),
            st.sampled_from(["", "bee"]),
            st.sampled_from(["gold", "agreement", "review"]),
            st.floats(0, 1),
            st.floats(0.001, 50),
            st.integers(-4000, 15000),
            st.booleans(),
        ),
        max_size=25,
    )
)
@settings(max_examples=10, deadline=None)
def test_sums_are_rebuilt_identically_from_the_evidence(steps):
    with builders.rolled_back():
        workers = [builders.a_worker() for _ in range(3)]
        for who, number, label, source, correct, weight, days, forgets in steps:
            if forgets:
                reputation.forget(subject=Subject("answer", number))
            else:
                at = NOW + timedelta(days=days)
                record(workers[who], number, correct, label=label, source=source, weight=weight, at=at)
        before = sums()
        Reputation.objects.update(right=7, wrong=7, pieces=7)
        for worker in workers:
            reputation.rebuild(worker=worker)
        assert sums() == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"correct": 1.2}, "correct"), ({"correct": float("nan")}, "correct"), ({"weight": 0}, "weight")],
)
def test_evidence_that_says_nothing_is_refused(wrong, field):
    worker = builders.a_worker()
    with pytest.raises(Invalid) as error:
        record(worker, 1, wrong.pop("correct", 1.0), **wrong)
    assert error.value.field == field
    with pytest.raises(Invalid):
        record(worker, 1, 1.0, source="hearsay")
    assert not Evidence.objects.exists()


def test_many_findings_take_as_many_statements_as_one(django_assert_num_queries):
    workers = [builders.a_worker() for _ in range(4)]

    def findings(numbers):
        return [
            reputation.Finding(worker.pk, BOXES, "", "agreement", 0.75, Subject("answer", number), NOW, 0.5)
            for number in numbers
            for worker in workers
        ]

    with django_assert_num_queries(8):
        reputation.record_all(findings(range(1)))
    with django_assert_num_queries(8):
        reputation.record_all(findings(range(40)))
    assert believed(workers[0]).answers == pytest.approx(20)
