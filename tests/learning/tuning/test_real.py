"""A search with real trainings: the learner runs them, and the objective is what they measure."""

import time

import pytest

from learning.models import TuningTrial
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from learning.services.tuning import advancing, creating, describing
from tests import builders
from tests.frontend.test_tunings import a_labeled_dataset
from tests.learning.tuning.stories import RATE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]


def test_the_best_of_real_trainings_is_found_and_can_be_downloaded(tmp_path):
    account = builders.an_account()
    dataset = a_labeled_dataset(account)
    tuning = creating.tune_on_dataset(
        account=account,
        dataset=dataset,
        validation=dataset,
        name="hive",
        hyperparameters={"image_size": 64, "epochs": 2, "batch_size": 2, "weights": "none"},
        strategy="Bayesian",
        objective={"type": "Maximize", "metric_name": "validation:mAP"},
        searched=[RATE],
        limits={"max_jobs": 2, "max_parallel_jobs": 1},
        by="user:1",
    )
    supervisor = Supervisor(executor=LocalExecutor(), slots=1, root=tmp_path / "programs")
    try:
        while tuning.status == "InProgress":
            advancing.advance(tuning_id=tuning.pk)
            supervisor.step()
            time.sleep(0.1)
            tuning.refresh_from_db()
    finally:
        supervisor.shut_down()
    assert tuning.status == "Completed", tuning.failure_reason
    rows = list(TuningTrial.objects.filter(tuning_job=tuning).select_related("training_job__model"))
    assert [row.objective_status for row in rows] == ["Succeeded"] * 2
    for row in rows:
        assert row.objective_value == row.training_job.model.metrics["mAP"]
        assert float(row.training_job.model.config["hyperparameters"]["learning_rate"]) == pytest.approx(
            float(row.hyperparameters["learning_rate"]), rel=1e-9
        )
    assert describing.best(tuning) in rows
