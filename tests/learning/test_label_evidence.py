"""The predictions that a loop has made anyway show which labels of people are likely wrong."""

import pytest

from labeling.models import DataObject, Label, LabelingJob, LikelyError
from labeling.services.results import likely_errors
from learning.models import LoopObject, Round
from learning.services.active import label_evidence
from learning.services.programs.supervisor import Supervisor
from tests.labeling import stories
from tests.learning.loop_stories import HUMAN, MACHINE, a_story, drive
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def over(tmp_path):
    """A story that is over, in which one label of the validation split has lost its boxes since."""
    story = a_story(tmp_path / "pictures", count=64)
    supervisor = Supervisor(executor=OracleExecutor(truth=story.coco, skill=0.9), slots=1, root=tmp_path / "programs")
    drive(story, supervisor)
    supervisor.shut_down()
    rows = LoopObject.objects.filter(loop=story.loop, split="validation", data_object__state=HUMAN)
    spoiled = next(row.data_object for row in rows.order_by("pk") if row.data_object.label.value["boxes"])
    said = spoiled.label.explanation | {"clusters": []}
    Label.objects.filter(pk=spoiled.label_id).update(value={"boxes": []}, explanation=said)
    return story, spoiled


def test_a_label_without_the_boxes_that_the_model_sees_is_likely_wrong(over):
    story, spoiled = over
    found = label_evidence.of_job(story.job.pk)
    name, kinds = found[spoiled.pk]
    assert name in Round.objects.filter(loop=story.loop).values_list("transform_job__model__name", flat=True)
    others = [one["overlooked"] for pk, (_, one) in found.items() if pk != spoiled.pk]
    assert kinds["overlooked"] > max(others)
    LabelingJob.objects.filter(pk=story.job.pk).update(errors_estimated_at=None)
    assert likely_errors.renew(story.job)
    first = LikelyError.objects.get(data_object=spoiled)
    assert first.model_name == name and first.kinds["overlooked"] > max(
        row.kinds.get("overlooked", 0) for row in LikelyError.objects.exclude(pk=first.pk)
    )


def test_no_label_is_judged_by_a_model_that_has_learned_from_it(over):
    story, _ = over
    found = label_evidence.of_job(story.job.pk)
    rounds = {row.transform_job.model.name: row.number for row in Round.objects.exclude(transform_job=None)}
    for row in LoopObject.objects.filter(data_object__in=list(found)):
        assert row.split == "validation" or row.round_number > rounds[found[row.data_object_id][0]]
    machine = DataObject.objects.filter(job=story.job, state=MACHINE)
    assert machine.exists() and not set(machine.values_list("pk", flat=True)) & set(found)


def test_a_job_without_a_loop_has_no_model_to_ask(db):
    job, _ = stories.a_funded_job()
    assert label_evidence.of_job(job.pk) == {}
