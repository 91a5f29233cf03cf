"""What is read out of a run's metrics: curves that can be drawn, the newest figures, the time that is left."""

import importlib
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from learning.contract import Metric
from learning.models import Model, TrainingJob, TrainingMetric, TransformJob
from learning.services import run_figures, training
from learning.services.programs import kinds
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db):
    return TrainingJob.objects.create(account=stories.an_account(), name="bees", started_at=timezone.now())


def report(run, name, values, *, first=1, apart=10, ago=0):
    """One value a step, `apart` seconds after each other, the last one `ago` seconds before now."""
    last = timezone.now() - timedelta(seconds=ago)
    points = [
        Metric(name, value, step, step // 10, (last - timedelta(seconds=apart * (len(values) - place - 1))).isoformat())
        for place, (step, value) in enumerate(enumerate(values, start=first))
    ]
    kinds.of(run).store_metrics(run.pk, points)
    run.refresh_from_db()


def test_the_newest_value_of_each_metric_is_kept_with_the_run(run):
    report(run, "train:loss", [3.0, 2.0])
    report(run, "validation:mAP", [0.5], first=2)
    report(run, "train:loss", [1.5], first=3)
    assert run_figures.newest(run, "train:loss") == 1.5
    assert run_figures.newest(run, "validation:mAP") == 0.5
    assert run_figures.newest(run, "usage:gpu") is None
    assert {name: point[1] for name, point in run.newest.items()} == {"train:loss": 3, "validation:mAP": 2}


def test_classes_come_the_best_first(run):
    for name, value in (("wasp", 0.2), ("bee", 0.9), ("ant: red", 0.2)):
        report(run, f"validation:AP_50:{name}", [value])
    assert run_figures.by_class(run) == [("bee", 0.9), ("ant: red", 0.2), ("wasp", 0.2)]


def test_a_long_curve_is_thinned_to_means_and_a_short_one_is_left_as_it_is(run):
    report(run, "train:loss", [float(step % 2) for step in range(1000)])
    report(run, "validation:mAP", [0.1, 0.2, 0.3], first=500)
    whole = training.curves(run)
    assert len(whole["train:loss"]) == 1000
    curves = run_figures.thinned(run, points=50)
    assert len(curves["train:loss"]) <= 51
    assert {point["value"] for point in curves["train:loss"][1:-1]} <= {0.5, 10 / 21, 11 / 21}
    assert curves["train:loss"][-1]["step"] == 1000
    assert [point["value"] for point in run_figures.thinned(run, points=5000)["validation:mAP"]] == [0.1, 0.2, 0.3]
    assert run_figures.thinned(run, names=["validation:mAP"]).keys() == {"validation:mAP"}
    assert run_figures.thinned(run, names=["nothing"]) == {}


def test_the_time_that_is_left_is_told_by_the_speed_of_late(run):
    assert run_figures.seconds_left(run) is None
    report(run, "train:progress", [0.1, 0.2, 0.3, 0.4], apart=10)
    run.progress = 0.4
    assert run_figures.seconds_left(run) == pytest.approx(60)
    TrainingJob.objects.filter(pk=run.pk).update(status="Completed")
    run.refresh_from_db()
    assert run_figures.seconds_left(run) is None


def test_the_time_that_is_left_of_a_prediction_is_told_by_its_start(run):
    model = Model.objects.create(account=run.account, name="m", architecture="compact", labels=["bee"])
    started = timezone.now() - timedelta(seconds=30)
    one = TransformJob.objects.create(account=run.account, name="t", model=model, started_at=started, progress=0.75)
    assert run_figures.seconds_left(one) == pytest.approx(10, abs=1)
    one.progress = 0.0
    assert run_figures.seconds_left(one) is None


def test_the_newest_values_of_runs_from_before_are_filled_in(run):
    for step, value in ((1, 3.0), (2, 2.0)):
        TrainingMetric.objects.create(training_job=run, name="train:loss", step=step, value=value, at=timezone.now())
    migration = importlib.import_module("learning.migrations.0010_training_progress")
    with connection.cursor() as cursor:
        cursor.execute(migration.NEWEST)
    run.refresh_from_db()
    assert run.newest["train:loss"][:2] == [2.0, 2]


def test_a_name_for_a_training_like_an_earlier_one_is_free(run):
    account = run.account
    assert training.next_name(account, "bees") == "bees-2"
    TrainingJob.objects.create(account=account, name="bees-2")
    assert training.next_name(account, "bees-2") == "bees-3"
    assert training.next_name(account, "bees") == "bees-3"
    long = "b" * 63
    TrainingJob.objects.create(account=account, name=long)
    assert training.next_name(account, long) == "b" * 61 + "-2"
