"""A loop that reckons: no calibration objects that do not pay, people label the rest when models will not help."""

from dataclasses import replace

import numpy as np
import pytest

from labeling.models import Label
from learning.models import LoopObject, Split
from learning.selection import bounds, error_rates, planning, trust
from learning.selection.candidates import SureCandidates
from learning.selection.quality import Outcomes
from learning.services.active import choosing, planned
from learning.services.programs.supervisor import Supervisor
from marketplace.services import wallets
from tests.learning.loop_stories import HUMAN, a_story, drive
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tell(tmp_path):
    """Makes a story and the supervisor whose detector is good at a share `skill` of the pictures."""
    supervisors = []

    def _tell(*, skill, **design):
        story = a_story(tmp_path / "pictures", **design)
        executor = OracleExecutor(truth=story.coco, skill=skill)
        supervisors.append(Supervisor(executor=executor, slots=1, root=tmp_path / "programs"))
        return story, supervisors[-1]

    yield _tell
    for supervisor in supervisors:
        supervisor.shut_down()


def rounds_of(story):
    return list(story.loop.rounds.order_by("number").select_related("training_job__model", "batch"))


def aside(story):
    return LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION).count()


def test_a_hopeless_set_goes_to_people_after_the_first_model_and_no_label_is_lost(tell):
    story, supervisor = tell(skill=0.0, count=80)
    before = wallets.balance(story.job.account)
    drive(story, supervisor)
    assert story.job.status == "Completed"
    assert story.states() == {HUMAN: 80}
    assert story.mean_iou(HUMAN) == pytest.approx(1.0)
    first, second = rounds_of(story)
    assert first.training_job is not None
    plan = first.figures["plan"]
    assert (plan["pays"], plan["calibration"], plan["left"]) == (False, 0, 48)
    assert "Training further models is not expected to pay: of the 16 checked objects" in plan["text"]
    # Everything else at once, in no calibration split, and the page says why nothing was trained on it.
    assert (second.training_job, second.batch.tasks.count()) == (None, 48)
    assert second.figures["selection"] == {"rest": 48}
    assert aside(story) == 16
    people = Label.objects.filter(data_object__job=story.job, source="human").values("data_object").distinct().count()
    each = story.job.price_micros + story.job.fee_micros
    assert before - wallets.balance(story.job.account) == people * each == 80 * each


@pytest.mark.slow
def test_a_loop_that_may_not_give_up_goes_on_without_calibration_objects_and_within_its_boxes(tell):
    automated = {"least_saving": 0.0, "batch_boxes": 20}
    story, supervisor = tell(skill=0.0, count=64, automated=automated)
    drive(story, supervisor)
    assert story.states() == {HUMAN: 64}
    rounds = rounds_of(story)
    assert len([row for row in rounds if row.training_job]) >= 2
    # All of these would have been set aside in vain.
    assert aside(story) == 16
    for row in rounds[1:]:
        told = row.figures["selection"]
        assert told["calibration"] == 0
        assert told["random"] + told["uncertain"] == row.batch.tasks.count()
    assert rounds[1].batch.tasks.count() < 16
    assert rounds[1].figures["selection"]["expected_boxes"] <= 20


@pytest.mark.slow
def test_the_plan_sets_no_more_aside_than_the_settings_allow(tell):
    story, supervisor = tell(skill=0.0, count=96, automated={"least_saving": 0.0})
    drive(story, supervisor, until=lambda: any("plan" in row.figures for row in story.loop.rounds.all()))
    loop = story.loop
    settings = choosing.LoopSettings(**loop.settings)
    for wanted, expected in ((0, 0), (2, 2), (99, 3), (None, 3)):
        chosen = choosing.next_objects(loop, settings, number=7, count=16, calibration=wanted)
        splits = list(chosen.splits.values())
        assert splits.count(Split.VALIDATION) == chosen.figures["selection"]["calibration"] == expected
        # The random ones are the first of the same random order, whatever the model thinks of them.
        first = [pk for pk, split in chosen.splits.items() if split == Split.VALIDATION]
        assert first == choosing._shuffled(loop, settings, 7)[:expected]
    view = choosing._view(loop, choosing._newest(loop), set(choosing._shuffled(loop, settings, 7)))
    assert view.precision.shape == view.labeled.shape == (2,)
    assert view.labeled.min() > 0
    first = rounds_of(story)[0]
    assert first.figures["plan"]["exponent"] == planning.USUAL_EXPONENT
    # A promised share of wrong labels is planned for by its own test, and said in its own words.
    lost = (np.arange(60) >= 6).astype(float)
    labels = trust.labels(
        SureCandidates(np.linspace(0.9, 0.4, 60), Outcomes(1 - lost[:, None], np.ones((60, 1)))), kind="image", iou=0.5
    )
    decision = error_rates.decide(labels, target_error=0.05)
    plan = planned.make(loop, replace(settings, least_saving=0.02), first, decision, pool=200)
    assert (plan["pays"], plan["calibration"], plan["left"]) == (False, 0, 200)
    assert "of the 60 checked objects" in plan["text"]
    assert "wrong ones, at most 5.0% is promised" in plan["text"]
    alphas = [test.alpha for test in planned.next_tests(loop, settings, first, decision)]
    assert alphas[0] == pytest.approx(bounds.spent(1 - settings.confidence, 1 + decision.tested))
    assert alphas == sorted(alphas, reverse=True)
