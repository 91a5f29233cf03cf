"""A loop about texts whose newest model counts as one more worker, whom people do not see."""

import pytest

from labeling.models import PreLabel, PreLabelUse, Task
from labeling.services.results import consolidating
from learning import queries
from learning.models import LoopObject, Split
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from tests.learning.class_stories import a_text_story, say_the_truth
from tests.learning.loop_stories import drive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


@pytest.mark.parametrize("several", [False, True])
def test_the_newest_model_counts_where_its_labels_are_not_proved_against(supervisor, several):
    # Nothing can be promised of these labels, so people get every object.
    story = a_text_story(
        count=90,
        several=several,
        prelabels={"source": "loop", "blind_share": 0.3},
        seed_size=40,
        batch_size=20,
        target_quality=0.99,
        least_saving=0.0,
        max_rounds=2,
    )
    drive(story, supervisor, seconds=800, work=say_the_truth)
    assert story.job.status == "Completed", story.job.failure_reason
    rows = PreLabel.objects.filter(data_object__job=story.job)
    counted = set(rows.filter(use=PreLabelUse.COUNTED).values_list("data_object", flat=True))
    blind = set(rows.filter(use=PreLabelUse.BLIND).values_list("data_object", flat=True))
    aside = set(
        LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION).values_list("data_object", flat=True)
    )
    assert len(counted) >= 5 and blind and not counted & (blind | aside)
    assert aside & set(rows.filter(use=PreLabelUse.APART).values_list("data_object", flat=True))
    assert not Task.objects.filter(queue=story.job.queue, checks=True).exists()
    models = consolidating.worker_models(story.job)
    names = {f"model:{one.training_job.model.name}" for one in story.loop.rounds.exclude(training_job=None)}
    assert models.proposers and set(models.proposers) <= names and not set(models.workers) & names
    found = queries.loop_view(story.job)["checking"]
    assert found["counted"]["objects"] == len(counted) and found["compared"] >= len(blind)
    assert 0 < found["right"] <= 1
