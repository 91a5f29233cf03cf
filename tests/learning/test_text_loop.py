"""A loop about texts with our own programs: a classifier is trained, predicts, and labels what it is sure of."""

import json

import pytest

from labeling.models import DataObject
from labeling.services.output import manifests
from learning import queries
from learning.models import TrainingMetric
from learning.services import transforms
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests.learning.class_stories import a_text_story, say_the_truth
from tests.learning.loop_stories import HUMAN, MACHINE, drive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


def machine_lines(job):
    lines = [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]
    return [line for line in lines if line["texts-metadata"]["human-annotated"] == "no"]


def test_a_classifier_labels_the_texts_that_it_is_sure_of(supervisor):
    story = a_text_story(
        count=110, seed_size=70, batch_size=20, validation_share=0.4, target_quality=0.8, audit_share=0.1
    )
    drive(story, supervisor, seconds=800, work=say_the_truth)
    assert story.job.status == "Completed", story.job.failure_reason
    states = story.states()
    assert states[HUMAN] + states[MACHINE] == 110 and states[MACHINE] >= 18
    assert story.share_right(MACHINE) >= 0.8 and story.share_right(HUMAN) == 1.0
    first = story.loop.rounds.order_by("number").first()
    assert first.training_job.hyperparameters["architecture"] == "tfidf_logistic_regression"
    assert first.figures["accuracy"] > 0.7 and 0.8 <= first.figures["quality_lower_bound"] <= 1
    assert TrainingMetric.objects.filter(training_job=first.training_job, name="validation:accuracy").exists()
    found = list(transforms.predictions(first.transform_job))
    # Those that it learned from as well: the next objects are to differ from them.
    assert len(found) == 110 and all(len(one.classes) == 3 and len(one.embedding) == 64 for one in found)
    lines = machine_lines(story.job)
    assert len(lines) == states[MACHINE]
    for line in lines:
        metadata = line["texts-metadata"]
        assert metadata["class-name"] == story.job.labels[line["texts"]]
        assert metadata["type"] == "groundtruth/text-classification" and metadata["model-name"]
        assert 0.5 < metadata["confidence"] <= 1
    view = queries.loop_view(story.job)
    assert (view["measure"], view["target_quality"], view["target_iou"]) == ("accuracy", 0.8, None)
    assert view["machine"]["lower_bound"] >= 0.8
    (audit,) = view["audits"]
    assert audit["status"] == "Kept" and audit["answered"] == audit["asked"] > 0
    assert audit["wrong"] == round(audit["error"] * audit["answered"])


def test_with_several_topics_each_text_gets_those_above_their_cuts(supervisor):
    story = a_text_story(
        count=140, several=True, seed_size=100, batch_size=20, validation_share=0.4, target_quality=0.7, max_rounds=1
    )
    drive(story, supervisor, seconds=800, work=say_the_truth)
    assert story.job.status == "Completed", story.job.failure_reason
    states = story.states()
    assert states[HUMAN] + states.get(MACHINE, 0) == 140 and states[MACHINE] > 0
    first = story.loop.rounds.order_by("number").first()
    assert "jaccard" in first.figures and len(first.figures["score_cuts"]) == 3
    for line in machine_lines(story.job):
        metadata = line["texts-metadata"]
        assert all(0.5 < metadata["confidence-map"][str(number)] <= 1 for number in line["texts"])
    row = DataObject.objects.filter(job=story.job, state=MACHINE).select_related("label").first()
    assert row.label.explanation["score_cuts"].keys() == set(story.job.labels)
