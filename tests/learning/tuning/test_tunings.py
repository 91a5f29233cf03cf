"""A tuning job from its creation to its end: which trainings it starts, what it learns of them, when it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from learning.models import HyperParameterTuningJob, Model, TrainingJob, TuningTrial
from learning.services.tuning import advancing, creating, describing, studies
from learning.services.tuning.config import TuningConfig
from marketplace.errors import Forbidden, Invalid, NameTaken, NotFound
from tests import builders
from tests.learning.tuning.stories import (
    BATCH,
    METRIC,
    OPTIMIZER,
    RATE,
    a_tuning,
    drive,
    end,
    measure,
    quality,
    running,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    return builders.an_account()


def reloaded(tuning):
    tuning.refresh_from_db()
    return tuning


def counted(tuning):
    rows = describing.with_counts(HyperParameterTuningJob.objects.filter(pk=tuning.pk))
    return describing.counters(rows.get())


def in_study(tuning):
    with studies.opened(name=tuning.study_name, asked=TuningConfig.load(tuning.config)) as search:
        return [(trial.number, trial.state.name, trial.value) for trial in search.study.get_trials()]


def test_it_trains_until_its_limit_and_names_the_best(account):
    tuning = a_tuning(account)
    advancing.advance(tuning_id=tuning.pk)
    rows = running(tuning)
    # Two at a time, each a training with the fixed hyperparameters and the searched ones, called after the job.
    assert [row.name[:9] for row in rows] == ["hive-001-", "hive-002-"]
    for row in rows:
        assert row.training_job.name == row.name
        assert row.training_job.hyperparameters.items() >= {"epochs": "9", **row.hyperparameters}.items()
        assert 0.0001 <= float(row.hyperparameters["learning_rate"]) <= 0.1
    assert counted(tuning)["training_jobs"]["InProgress"] == 2
    drive(tuning)
    assert tuning.status == "Completed" and tuning.ended_at is not None
    rows = list(describing.trials(tuning))
    assert [row.objective_value for row in rows] == [quality(row.hyperparameters) for row in rows]
    assert len(rows) == 6 == len({tuple(row.hyperparameters.items()) for row in rows})
    assert describing.best(tuning).objective_value == max(row.objective_value for row in rows)
    assert counted(tuning) == {
        "training_jobs": {"Completed": 6, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0},
        "objectives": {"Succeeded": 6, "Pending": 0, "Failed": 0},
    }
    assert in_study(tuning) == [(row.number, "COMPLETE", row.objective_value) for row in rows]
    assert set(tuning.importance) == {"learning_rate", "optimizer"}


def test_the_objective_is_that_of_the_model_that_is_kept(account):
    """A training with early stopping keeps its best weights, which are not those of its last measurement."""
    tuning = a_tuning(account, limits={"max_jobs": 1})
    advancing.advance(tuning_id=tuning.pk)
    (row,) = running(tuning)
    measure(row.training_job, 0.8, epoch=1)
    measure(row.training_job, 0.6, epoch=2)
    model = Model.objects.create(account=account, name=row.name, labels=["bee"], metrics={"mAP": 0.8})
    end(row.training_job, model=model)
    advancing.advance(tuning_id=tuning.pk)
    assert describing.best(tuning).objective_value == 0.8


def test_messages_advance_it_when_a_training_ends_and_the_sweep_when_they_are_lost(account):
    tuning = a_tuning(account)
    advancing.advance(tuning_id=tuning.pk)
    OrmQ.objects.all().delete()
    run = running(tuning)[0].training_job
    measure(run, 0.5, epoch=9)
    assert not OrmQ.objects.exists(), "nothing can follow from a measurement"
    end(run)
    assert [message.func() for message in OrmQ.objects.all()] == [
        "learning.background.advance_loop_of_run",
        "learning.background.advance_tuning_of_run",
    ]
    OrmQ.objects.all().delete()
    creating.sweep()
    assert [(m.func(), m.args()) for m in OrmQ.objects.all()] == [(creating.ADVANCE, (tuning.pk,))]
    advancing.advance_for_run(run_id=run.pk)
    assert tuning.trials.count() == 3


@pytest.mark.slow
def test_a_kill_at_any_moment_asks_nothing_twice_and_loses_no_finished_trial(account, monkeypatch):
    """Each step is broken off after each of its writes in turn, as a kill would; then it goes on."""

    class Killed(BaseException):
        pass

    def kill_after(owner, name):
        real = getattr(owner, name)

        def call(*args, **kwargs):
            real(*args, **kwargs)
            monkeypatch.setattr(owner, name, real)
            raise Killed

        monkeypatch.setattr(owner, name, call)

    places = [
        (studies.optuna.Study, "ask"),
        (studies.optuna.trial.Trial, "suggest_float"),
        (creating, "start_trial"),
        (studies.Search, "tell"),
        (studies.optuna.Study, "tell"),
    ]
    tuning = a_tuning(account, limits={"max_jobs": 8, "max_parallel_jobs": 1})
    killed = 0
    while True:
        if places and killed < 2 * len(places):
            kill_after(*places[killed % len(places)])
        try:
            advancing.advance(tuning_id=tuning.pk)
        except Killed:
            killed += 1
            continue
        monkeypatch.undo()
        rows = running(tuning)
        if not rows:
            break
        measure(rows[0].training_job, quality(rows[0].hyperparameters), epoch=9)
        end(rows[0].training_job)
    assert killed >= len(places)
    rows = list(describing.trials(reloaded(tuning)))
    assert tuning.status == "Completed" and len(rows) == 8
    assert [row.number for row in rows] == list(range(8))
    assert in_study(tuning) == [(row.number, "COMPLETE", quality(row.hyperparameters)) for row in rows]
    assert TrainingJob.objects.filter(account=account).count() == 8


def test_stopping_it_stops_its_trainings(account):
    tuning = a_tuning(account)
    drive(tuning, most=2)
    advancing.advance(tuning_id=tuning.pk)
    waiting, held = running(tuning)
    TrainingJob.objects.filter(pk=held.training_job_id).update(claimed_by="learner")
    measure(held.training_job, 0.7, epoch=3)
    creating.stop(tuning_job=tuning, by="user:1")
    advancing.advance(tuning_id=tuning.pk)
    assert reloaded(tuning).status == "Stopping"
    waiting.training_job.refresh_from_db()
    held.training_job.refresh_from_db()
    assert (waiting.training_job.status, held.training_job.status) == ("Stopped", "Stopping")
    end(held.training_job, "Stopped")
    advancing.advance(tuning_id=tuning.pk)
    assert reloaded(tuning).status == "Stopped"
    # What it had reached counts.
    assert counted(tuning)["objectives"] == {"Succeeded": 3, "Pending": 0, "Failed": 1}
    count = tuning.trials.count()
    creating.stop(tuning_job=tuning, by="user:1")
    advancing.advance(tuning_id=tuning.pk)
    assert (reloaded(tuning).status, tuning.trials.count()) == ("Stopped", count)


@pytest.mark.slow
def test_trainings_that_fail_are_told_of_and_a_search_of_nothing_but_failures_ends(account):
    tuning = a_tuning(account, limits={"max_jobs": 20})
    advancing.advance(tuning_id=tuning.pk)
    end(running(tuning)[0].training_job, "Failed", failure_reason="the loss is not finite")
    drive(tuning, most=1)
    assert tuning.status == "InProgress"
    assert counted(tuning)["objectives"]["Failed"] == 1
    other = a_tuning(account, name="wasps", limits={"max_jobs": 20})
    while reloaded(other).status == "InProgress":
        advancing.advance(tuning_id=other.pk)
        for row in running(other):
            end(row.training_job, "Failed", failure_reason="the loss is not finite")
    assert other.status == "Failed" and "the loss is not finite" in other.failure_reason
    assert 5 <= other.trials.count() <= 7
    # One whose trainings measure something else says so.
    third = a_tuning(account, name="ants", limits={"max_jobs": 1})
    advancing.advance(tuning_id=third.pk)
    end(running(third)[0].training_job)
    advancing.advance(tuning_id=third.pk)
    assert METRIC in reloaded(third).failure_reason


def test_early_stopping_ends_what_is_worse_than_the_median(account):
    tuning = a_tuning(account, early_stopping="Auto", limits={"max_jobs": 6, "max_parallel_jobs": 1})
    for value in (0.5, 0.6, 0.7, 0.8):
        advancing.advance(tuning_id=tuning.pk)
        (row,) = running(tuning)
        for epoch in (1, 2):
            measure(row.training_job, value, epoch=epoch)
        end(row.training_job)
    advancing.advance(tuning_id=tuning.pk)
    OrmQ.objects.all().delete()
    (row,) = running(tuning)
    measure(row.training_job, 0.66, epoch=1)
    assert [m.func() for m in OrmQ.objects.all()] == ["learning.background.advance_tuning_of_run"]
    advancing.advance(tuning_id=tuning.pk)
    assert running(tuning)[0].pk == row.pk
    measure(row.training_job, 0.64, epoch=2)
    advancing.advance(tuning_id=tuning.pk)
    row.refresh_from_db()
    assert row.stopped_early and row.training_job.status == "Stopped"
    assert (row.objective_status, row.objective_value) == ("Succeeded", 0.64)
    assert in_study(tuning)[4] == (row.number, "PRUNED", 0.64)


@pytest.mark.slow
def test_hyperband_trains_few_to_the_end(account):
    given = {"hyperparameters": {"label_attribute_name": "bees", "class_map": {"0": "bee"}}}
    tuning = a_tuning(
        account,
        strategy="Hyperband",
        hyperband={"min_resource": 1, "max_resource": 9},
        limits={"max_jobs": 12, "max_parallel_jobs": 1},
        **given,
    )
    while True:
        advancing.advance(tuning_id=tuning.pk)
        rows = running(tuning)
        if not rows:
            break
        run = rows[0].training_job
        assert run.hyperparameters["epochs"] == "9"
        for epoch in range(1, 10):
            measure(run, quality(rows[0].hyperparameters) * epoch / 9, epoch=epoch)
            advancing.advance(tuning_id=tuning.pk)
            run.refresh_from_db()
            if run.status != "InProgress":
                break
        else:
            end(run)
    assert reloaded(tuning).status == "Completed"
    assert 0 < tuning.trials.filter(stopped_early=True).count() < 12


@pytest.mark.parametrize(
    ("completion", "ending", "count"),
    [
        ({"target_objective_value": 0.7}, "TargetObjectiveMetricValue", 2),
        ({"max_jobs_not_improving": 3}, "BestObjectiveNotImproving", 4),
    ],
)
def test_it_ends_early_when_its_criterion_is_met(account, completion, ending, count):
    tuning = a_tuning(account, completion=completion, limits={"max_jobs": 20, "max_parallel_jobs": 1})
    values = iter([0.65, 0.6 if "NotImproving" in ending else 0.71, 0.6, 0.6, 0.6])
    drive(tuning, lambda _: next(values))
    assert (tuning.status, tuning.ending, tuning.trials.count()) == ("Completed", ending, count)


def test_it_ends_when_its_time_is_over_and_ends_what_is_running(account):
    tuning = a_tuning(account, limits={"max_runtime_seconds": 3600, "max_jobs": 20})
    drive(tuning, most=2)
    HyperParameterTuningJob.objects.filter(pk=tuning.pk).update(created_at=timezone.now() - timedelta(hours=2))
    advancing.advance(tuning_id=tuning.pk)
    assert (reloaded(tuning).status, tuning.ending) == ("Completed", "MaxRuntimeInSeconds")
    assert not running(tuning)


@pytest.mark.slow
def test_a_grid_is_as_large_as_its_values(account):
    tuning = a_tuning(
        account,
        strategy="Grid",
        searched=[OPTIMIZER, {"name": "augmentation", "type": "Categorical", "values": ["none", "strong"]}],
        limits={"max_parallel_jobs": 4},
    )
    drive(tuning)
    assert tuning.status == "Completed"
    assert len({tuple(sorted(row.hyperparameters.items())) for row in tuning.trials.all()}) == 4


@pytest.mark.slow
def test_a_warm_start_on_the_same_data_continues_the_search(account):
    parent = a_tuning(account)
    drive(parent)
    channels = parent.channels
    child = a_tuning(
        account,
        name="swarm",
        channels=channels,
        warm_start={"type": "IdenticalDataAndAlgorithm", "parents": ["hive"]},
        searched=[RATE],
        hyperparameters={**parent.hyperparameters, "optimizer": "adam"},
        limits={"max_jobs": 2},
    )
    drive(child, lambda values: 0.1)
    told = [value for _, state, value in in_study(child) if state == "COMPLETE"]
    assert told[:6] == [row.objective_value for row in describing.trials(parent)] and len(told) == 8
    assert describing.best(child).objective_value == 0.1
    assert describing.overall_best(child) == describing.best(parent)


@pytest.mark.slow
def test_transfer_learning_tries_what_was_best_elsewhere(account):
    parent = a_tuning(account)
    drive(parent)
    child = a_tuning(
        account, name="swarm", warm_start={"type": "TransferLearning", "parents": ["hive"]}, limits={"max_jobs": 4}
    )
    advancing.advance(tuning_id=child.pk)
    first = child.trials.order_by("number").first()
    assert first.hyperparameters == describing.best(parent).hyperparameters
    assert describing.overall_best(child) is None


@pytest.mark.parametrize(
    ("changes", "error", "field", "said"),
    [
        ({"name": "a" * 33}, Invalid, "name", "1 to 32"),
        ({"name": "no name"}, Invalid, "name", "letters"),
        (
            {"searched": [RATE | {"max_value": 2}]},
            Invalid,
            "ranges.0",
            "learning_rate = 2: .*allowed: more than 0, at most 1",
        ),
        ({"searched": [OPTIMIZER | {"values": ["sgd", "lion"]}]}, Invalid, "ranges.0", "lion"),
        ({"searched": [RATE, {**BATCH, "name": "batchsize"}]}, Invalid, "ranges.1", "did you mean 'batch_size'"),
        ({"hyperparameters": {"label_attribute_name": "b", "learning_rate": 1}}, Invalid, "ranges.0.name", "searched"),
        ({"hyperparameters": {}}, Invalid, "hyperparameters", "label_attribute_name"),
        ({"channels": {"train": {"manifest_uri": "file:///etc/passwd"}}}, Forbidden, None, ""),
        ({"strategy": "Hyperband", "hyperparameters": {"label_attribute_name": "b"}}, Invalid, None, "max_resource"),
        ({"strategy": "Hyperband", "hyperband": {"max_resource": 8}}, Invalid, "hyperband.max_resource", "'9'"),
        ({"warm_start": {"type": "TransferLearning", "parents": ["gone"]}}, NotFound, "warm_start.parents.0", "gone"),
        ({"warm_start": {"type": "TransferLearning", "parents": ["live"]}}, Invalid, "warm_start.parents.0", "over"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(account, changes, error, field, said):
    a_tuning(account, name="live")
    with pytest.raises(error, match=said) as refused:
        a_tuning(account, **changes)
    assert field is None or refused.value.field == field
    assert HyperParameterTuningJob.objects.count() == 1
    assert not TrainingJob.objects.exists() and not TuningTrial.objects.exists()


def test_a_warm_start_on_the_same_data_needs_the_same_data_and_hyperparameters(account):
    parent = a_tuning(account, limits={"max_jobs": 1})
    drive(parent)
    warm = {"type": "IdenticalDataAndAlgorithm", "parents": ["hive"]}
    for changes, said in (
        ({"channels": {"train": {**parent.channels["train"], "input_mode": "Pipe"}}}, "other data"),
        ({"channels": parent.channels, "searched": [RATE, BATCH, OPTIMIZER]}, "batch_size"),
        ({"channels": parent.channels, "objective": {"type": "Minimize", "metric_name": METRIC}}, "Minimize"),
    ):
        with pytest.raises(Invalid, match=said):
            a_tuning(account, name="swarm", warm_start=warm, **changes)
    with pytest.raises(NameTaken):
        a_tuning(account)
