"""The whole loop with our own programs: a real detector is trained, predicts, and labels. Slow, and worth it."""

import pytest

from learning.models import TrainingMetric
from learning.services import registry, transforms
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests.learning.loop_stories import HUMAN, MACHINE, a_story, drive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_real_detector_learns_and_labels(tmp_path):
    automated = {"seed_size": 40, "batch_size": 20, "train_seconds": 25, "image_size": 96, "max_rounds": 3}
    story = a_story(tmp_path / "pictures", count=80, automated=automated)
    supervisor = Supervisor(executor=LocalExecutor(), slots=1, root=tmp_path / "programs")
    try:
        drive(story, supervisor, seconds=800)
    finally:
        supervisor.shut_down()
    assert story.job.status == "Completed", story.job.failure_reason
    states = story.states()
    assert states[HUMAN] + states.get(MACHINE, 0) == 80
    rounds = list(story.loop.rounds.order_by("number"))
    run = rounds[0].training_job
    assert run.status == "Completed", run.failure_reason
    assert TrainingMetric.objects.filter(training_job=run, name="train:loss").exists()
    assert TrainingMetric.objects.filter(training_job=run, name="validation:mAP_50").exists()
    assert 0 <= rounds[0].figures["mAP_50"] <= 1
    found = list(transforms.predictions(rounds[0].transform_job))
    assert len(found) == 20 + 40
    assert all(prediction.error is None and len(prediction.embedding) > 0 for prediction in found)
    assert storage.size(registry.part_uri(story.loop.final_model, "model.tar.gz")) > 10_000
    if states.get(MACHINE):
        assert story.mean_iou(MACHINE) >= 0.6
    print([round_.figures | {"threshold": round_.threshold} for round_ in rounds], states)
