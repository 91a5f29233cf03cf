"""Loops about pictures with our own programs: a classifier, and a segmenter whose labels are files."""

import json

import pytest

from learning.services import transforms
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests.learning.class_stories import a_picture_story, say_the_truth
from tests.learning.loop_stories import HUMAN, MACHINE, drive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]
QUICK = {"max_rounds": 1, "image_size": 32, "weights": "none", "validation_share": 0.5, "batch_size": 20}


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


def test_a_classifier_labels_the_pictures_that_it_is_sure_of(supervisor):
    story = a_picture_story(
        "ImageMultiClass", name="discs", count=80, seed_size=60, epochs=10, target_quality=0.7, **QUICK
    )
    drive(story, supervisor, seconds=800, work=say_the_truth)
    assert story.job.status == "Completed", story.job.failure_reason
    first = story.loop.rounds.order_by("number").first()
    assert first.training_job.status == "Completed", first.training_job.failure_reason
    assert first.training_job.model.architecture == "resnet18"
    assert first.figures["accuracy"] > 0.7 and first.figures["auto_labeled"] > 0
    assert story.states()[MACHINE] + story.states()[HUMAN] == 80
    assert story.share_right(MACHINE) >= 0.7 and story.share_right(HUMAN) == 1.0


def test_a_segmenter_learns_from_masks_that_are_files_and_people_do_what_it_cannot(supervisor):
    story = a_picture_story(
        "SemanticSegmentation", name="discs-ref", count=30, seed_size=24, epochs=2, **QUICK | {"image_size": 64}
    )
    drive(story, supervisor, seconds=800, work=say_the_truth)
    assert story.job.status == "Completed", story.job.failure_reason
    first = story.loop.rounds.order_by("number").first()
    assert first.training_job.status == "Completed", first.training_job.failure_reason
    assert 0 <= first.figures["mIoU"] <= 1 and first.figures["train_images"] == 12
    uri = first.training_job.channels["train"]["manifest_uri"]
    lines = [json.loads(line) for line in storage.read(uri).splitlines()]
    assert all(storage.read(line["discs-ref"])[:4] == b"\x89PNG" for line in lines)
    found = list(transforms.predictions(first.transform_job))
    assert len(found) == 12 + 6 + 12 and all(one.error is None and len(one.embedding) == 960 for one in found)
    assert first.figures["quality_all"] is not None
    assert story.states()[HUMAN] + story.states().get(MACHINE, 0) == 30
