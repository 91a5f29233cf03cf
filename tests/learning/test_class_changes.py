"""Classes that are renamed and merged while a loop runs: models follow, and count the right classes."""

import pytest

from labeling.models import DataObject
from labeling.services.jobs import classes
from learning.contract import JobFolder, ModelConfig
from learning.models import LearningLoop, LoopObject, Round
from learning.services.active import lease
from learning.services.programs.staging import _stage_model
from learning.services.programs.supervisor import Supervisor
from marketplace.errors import WrongState
from tests.journeys import pictures
from tests.learning.loop_stories import HUMAN, MACHINE, a_story, drive
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND = pictures.LABELS


@pytest.fixture
def predicting(tmp_path):
    """A story whose first model was trained and predicts, and its supervisor."""
    story = a_story(tmp_path / "pictures", count=48)
    supervisor = Supervisor(executor=OracleExecutor(truth=story.coco, skill=0.85), slots=1, root=tmp_path / "programs")
    drive(story, supervisor, until=lambda: Round.objects.filter(loop__job=story.job, status="Predicting").exists())
    yield story, supervisor
    supervisor.shut_down()


def named(story, state):
    """The classes that the labels of objects in this state name."""
    rows = DataObject.objects.filter(job=story.job, state=state).select_related("label")
    return {box["label"] for row in rows for box in row.label.value["boxes"]}


def test_a_model_labels_with_the_name_that_a_class_has_since(predicting):
    story, supervisor = predicting
    classes.rename(job=story.job, label=FIRST, name="other name", by="user:1")
    drive(story, supervisor)
    assert story.states()[MACHINE] > 0
    assert named(story, MACHINE) == named(story, HUMAN) == {"other name", SECOND}
    trained = [one.training_job.model.labels for one in story.loop.rounds.exclude(training_job=None).order_by("number")]
    assert trained[0] == [FIRST, SECOND] and all(labels == ["other name", SECOND] for labels in trained[1:])


def test_a_model_labels_with_the_class_into_which_its_own_was_merged(predicting):
    story, supervisor = predicting
    classes.merge(job=story.job, label=FIRST, into=SECOND, by="user:1")
    drive(story, supervisor)
    assert story.states()[MACHINE] > 0
    assert named(story, MACHINE) == named(story, HUMAN) == {SECOND}
    outcomes = LoopObject.objects.filter(loop=story.loop).exclude(outcome=None).values_list("outcome", flat=True)
    assert outcomes and all(len(sums) == 1 for outcome in outcomes for sums in outcome)


def test_nothing_changes_while_the_loop_is_at_work(predicting):
    story, _ = predicting
    with lease.advancing(story.loop.pk) as held:
        assert held is not None
        with pytest.raises(WrongState, match="the learning loop is at work"):
            classes.rename(job=story.job, label=FIRST, name="x", by="user:1")
    Round.objects.filter(loop=story.loop).update(status="AutoLabeling")
    with pytest.raises(WrongState, match="a model is labeling"):
        classes.merge(job=story.job, label=FIRST, into=SECOND, by="user:1")
    story.job.refresh_from_db()
    assert story.job.labels == [FIRST, SECOND]


def test_what_was_found_out_about_two_classes_is_added_up_and_trainings_start_from_their_rows(predicting, tmp_path):
    story, _ = predicting
    row = LoopObject.objects.filter(loop=story.loop).first()
    row.outcome = [[0.5, 1.5], [1, 2]]
    row.save()
    classes.merge(job=story.job, label=FIRST, into=SECOND, by="user:1")
    row.refresh_from_db()
    assert row.outcome == [[2.0], [3]]
    model = Round.objects.get(loop=story.loop, number=1).training_job.model
    folder = JobFolder(tmp_path / "next").channel("model")
    _stage_model(model, folder, {FIRST: "other name"})
    assert list(ModelConfig.read(folder).class_map.values()) == ["other name", SECOND]
    assert LearningLoop.objects.get(job=story.job).status == "InProgress"
