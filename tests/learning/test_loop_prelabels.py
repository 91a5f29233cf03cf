"""A loop whose people check what its newest model proposes: who sees it, who is paid what, and what it proves."""

import time

import pytest

from labeling.models import PreLabel, PreLabelUse, Task
from labeling.services.jobs import advancing
from labeling.services.results import consolidating
from learning import queries
from learning.models import LoopObject, PreLabelRun, Split
from learning.services import registry
from learning.services.programs.supervisor import Supervisor
from marketplace.errors import Invalid
from marketplace.services import earnings, ledger_audit, wallets
from tests.learning.loop_stories import HUMAN, a_story, drive, work
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)
PRICE, FEE, CHECK, CHECK_FEE = 36_000, 7_200, 12_000, 2_400


@pytest.fixture
def tell(tmp_path):
    """Makes a story and the supervisor whose detector is good at a share `skill` of the pictures."""
    supervisors = []

    def _tell(*, skill=0.7, **design):
        story = a_story(tmp_path / f"pictures-{len(list(tmp_path.iterdir()))}", **design)
        executor = OracleExecutor(truth=story.coco, skill=skill)
        supervisors.append(Supervisor(executor=executor, slots=1, root=tmp_path / f"programs-{len(supervisors)}"))
        return story, supervisors[-1]

    yield _tell
    for supervisor in supervisors:
        supervisor.shut_down()


def test_after_the_first_model_people_check_and_everybody_is_paid_right(tell):
    # Nothing can be promised of this model's labels, so people get every object.
    story, supervisor = tell(
        prelabels={"source": "loop", "blind_share": 0.3, "least_quality": 0.2},
        automated={"target_iou": 0.99, "least_saving": 0.0, "max_rounds": 2},
    )
    before = wallets.balance(story.job.account)
    drive(story, supervisor)
    assert (story.job.status, story.states()) == ("Completed", {HUMAN: 60})
    first = story.loop.rounds.get(number=1)
    assert not Task.objects.filter(batch=first.batch, checks=True).exists()
    checked = set(Task.objects.filter(queue=story.job.queue, checks=True).values_list("data_object", flat=True))
    blind = set(PreLabel.objects.filter(use=PreLabelUse.BLIND).values_list("data_object", flat=True))
    assert len(checked) >= 5
    assert blind
    assert not checked & blind
    # What proves the model's labels is never labeled by people who have seen them.
    aside = LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION).values_list("data_object", flat=True)
    assert not checked & set(aside)
    spent = before - wallets.balance(story.job.account)
    assert spent == len(checked) * (CHECK + CHECK_FEE) + (60 - len(checked)) * (PRICE + FEE)
    paid = sum(map(earnings.balance, story.workers))
    assert paid == len(checked) * CHECK + (60 - len(checked)) * PRICE
    assert ledger_audit.findings() == []
    # What it saved and how far people are led by it is told.
    told = queries.loop_view(story.job)["checking"]
    assert told["answers"] == len(checked)
    assert told["saved_micros"] == len(checked) * (PRICE + FEE - CHECK - CHECK_FEE)
    assert told["checked"]["objects"] == len(checked)
    assert told["blind"]["objects"] == len(blind)
    # The people of this story correct everything, so next to nothing is left of the model's mistakes.
    assert story.mean_iou(HUMAN) >= 0.98


def test_the_model_is_learned_of_where_people_did_not_see_it(tell):
    story, supervisor = tell(
        prelabels={"source": "loop", "least_quality": 0.2}, automated={"target_iou": 0.99, "max_rounds": 1}
    )
    drive(story, supervisor)
    models = consolidating.worker_models(story.job)
    (name,) = models.proposers
    model = story.loop.rounds.get(number=1).training_job.model
    assert name == f"model:{model.name}"
    # Of the 16 validation objects of the first round, beside what is taken for seen of every model.
    assert models.proposers[name].images >= 16
    assert models.checks.real > 0


@pytest.mark.slow
def test_a_model_of_before_proposes_from_the_first_object_on(tell):
    story, supervisor = tell(skill=0.9, count=40)
    drive(story, supervisor)
    model = story.loop.final_model
    other, supervisor = tell(
        skill=0.9,
        count=40,
        automated={"enabled": False},
        name="later",
        prelabels={"source": "model", "model": registry.arn(model), "blind_share": 0.2},
        account=story.job.account,
    )
    for _ in range(200):
        advancing.advance_job(other.job.pk)
        work(other)
        supervisor.step()
        other.job.refresh_from_db()
        if other.job.status == "Completed":
            break
        time.sleep(0.02)
    assert other.job.status == "Completed"
    assert PreLabelRun.objects.get(job=other.job).transform_job.status == "Completed"
    assert Task.objects.filter(queue=other.job.queue, checks=True).count() >= 20
    assert PreLabel.objects.filter(data_object__job=other.job, model_name=model.name).exists()
    assert ledger_audit.findings() == []


def test_what_cannot_propose_is_refused(tell):
    with pytest.raises(Invalid) as refused:
        tell(automated={"enabled": False}, prelabels={"source": "loop"})
    assert refused.value.errors[0][0] == "prelabels.source"
    with pytest.raises(Invalid) as refused:
        tell(prelabels={"source": "model", "model": "nobody"})
    assert refused.value.errors[0][0] == "prelabels.model"
    with pytest.raises(Invalid) as refused:
        tell(prelabels={"source": "endpoint", "endpoint": "nowhere"})
    assert refused.value.errors[0][0] == "prelabels.endpoint"
