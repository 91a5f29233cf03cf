"""The audit of a loop's machine labels: people look at some of them unseen, and a broken promise takes labels back."""

import json

import pytest

from labeling.models import DataObject, Label, LabelWithdrawal
from labeling.services.jobs import creation
from labeling.services.output import manifests
from labeling.services.queue import assignments, batches
from learning import queries
from learning.models import AuditedObject, LoopAudit, LoopObject, Split, TrainingJob
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.models import AuditEvent, Notice
from marketplace.services import wallets
from tests.learning.loop_stories import HUMAN, MACHINE, a_story, drive, work
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)
AUDITED = {"audit_share": 0.3}


@pytest.fixture
def tell(tmp_path):
    """Makes a story and the supervisor of its oracle."""
    supervisors = []

    def _tell(*, automated=AUDITED, skill=0.85, **design):
        story = a_story(tmp_path / "pictures", automated=automated, **design)
        executor = OracleExecutor(truth=story.coco, skill=skill)
        supervisors.append(Supervisor(executor=executor, slots=1, root=tmp_path / "programs"))
        return story, supervisors[-1]

    yield _tell
    for supervisor in supervisors:
        supervisor.shut_down()


def look_away(story):
    """As `work`, but nobody answers an audit."""
    live = batches.live_batch(story.job.queue)
    return 0 if live is not None and live.relabels else work(story)


def disagree(story):
    """As `work`, but of an audit people say that there is one small disc in the corner, whatever the model says."""
    live = batches.live_batch(story.job.queue)
    if live is None or not live.relabels:
        return work(story)
    done = 0
    for worker in story.workers:
        while (seat := assignments.claim(worker=worker, queue=story.job.queue)) is not None:
            row = seat.task.data_object
            corner = {"left": 0, "top": 0, "width": 3, "height": 3, "label": story.job.labels[0]}
            size = {"width": row.width, "height": row.height}
            content = {"boundingBox": {"boundingBoxes": [corner], "inputImageProperties": size}}
            assignments.submit(assignment=seat, worker=worker, content=content, seconds=5, key=f"k{seat.pk}")
            done += 1
    return done


def lines_of(story, annotated):
    found = [json.loads(line) for line in storage.read(manifests.manifest_uri(story.job)).splitlines()]
    return [line for line in found if line["pictures-metadata"]["human-annotated"] == annotated]


def test_people_label_a_random_sample_unseen_and_the_realised_error_is_told(tell):
    story, supervisor = tell()
    before = wallets.balance(story.job.account)
    drive(story, supervisor, until=LoopAudit.objects.exists, times=2, work=look_away)
    audit = LoopAudit.objects.get()
    made = story.states()[MACHINE]
    asked = audit.figures["asked"]
    assert (audit.status, audit.figures["labels"], asked) == ("Labeling", made, -(-made * 3 // 10))
    # Until people have answered the model's labels are the labels, and its tasks are like all others.
    assert set(AuditedObject.objects.values_list("data_object__state", "data_object__label__source")) == {
        (MACHINE, "machine")
    }
    assert {frozenset(task.input) for task in audit.batch.tasks.all()} == {frozenset({"object", "width", "height"})}
    assert "of the model's objects again, without seeing its labels" in queries.loop_view(story.job)["activity"]
    drive(story, supervisor, times=2)
    audit.refresh_from_db()
    assert (audit.status, story.job.status, story.loop.status) == ("Kept", "Completed", "Completed")
    told = queries.loop_view(story.job)["audits"]
    assert [(one["number"], one["status"], one["answered"]) for one in told] == [(1, "Kept", asked)]
    # The oracle's boxes are a pixel off, which is much of a small square: now and then one is wrong.
    losses = list(AuditedObject.objects.values_list("loss", flat=True))
    assert told[0]["wrong"] == sum(losses) <= asked / 2
    assert told[0]["error"] == pytest.approx(sum(losses) / asked)
    assert told[0]["error_low"] <= told[0]["error"] < told[0]["error_high"] < 1
    assert told[0]["quality_low"] < told[0]["quality"] <= 1
    # People's label is the one in the output, and both are kept.
    rows = DataObject.objects.filter(audited_in__isnull=False)
    assert {(row.state, *row.labels.order_by("revision").values_list("source", flat=True)[:2]) for row in rows} == {
        (HUMAN, "machine", "human")
    }
    audited = LoopObject.objects.filter(loop=story.loop, data_object__audited_in__isnull=False)
    assert not audited.filter(split=Split.VALIDATION).exists()
    assert len(lines_of(story, "no")) == story.states()[MACHINE] == made - asked
    # It is paid like all other work, and nothing else is.
    people = Label.objects.filter(data_object__job=story.job, source="human").values("data_object").distinct().count()
    assert people == story.states()[HUMAN]
    each = story.job.price_micros + story.job.fee_micros
    assert before - wallets.balance(story.job.account) == people * each


@pytest.mark.parametrize(
    "promise",
    [{}, pytest.param({"target_error": 0.5, "confidence": 0.8}, marks=pytest.mark.slow)],
    ids=["mean", "error"],
)
def test_a_broken_promise_takes_the_labels_back_and_people_label_their_objects(tell, promise):
    story, supervisor = tell(automated=AUDITED | promise)
    drive(story, supervisor, times=2, work=disagree)
    audit = LoopAudit.objects.get()
    assert audit.status == "Broken"
    found = audit.figures
    assert found["wrong"] == found["answered"] == found["asked"] > 1
    if promise:
        assert found["error_low"] > found["promised_error"] == 0.5
    else:
        assert found["quality_high"] < found["promised_quality"] == 0.6
    assert found["withdrawn"] == found["labels"] - found["asked"] > 0
    # Nothing of the machine is left, and no other model was asked for.
    assert (story.job.status, story.states()) == ("Completed", {HUMAN: 60})
    assert lines_of(story, "no") == []
    after = story.loop.rounds.filter(created_at__gt=audit.status_changed_at)
    assert after.exists()
    assert not after.exclude(training_job=None).exists()
    assert {round_.figures["no_training"] for round_ in after} <= {
        "an audit has found the model's labels worse than promised, people label the rest",
        "no object is left to label",
    }
    # Revisions are kept, each with the reason why it was taken back; the requester and the audit log are told.
    assert LabelWithdrawal.objects.count() == found["withdrawn"]
    assert Label.objects.filter(data_object__job=story.job, source="machine").count() == found["labels"]
    assert not LoopObject.objects.filter(loop=story.loop).exclude(passed_in=None).exists()
    notice = Notice.objects.get(kind="flag")
    assert f"{found['wrong']} of {found['answered']} labels of the model were not what people say" in notice.text
    because = AuditEvent.objects.filter(account=story.job.account).values_list("because", flat=True)
    assert [one for one in because if one.startswith(f"the labels of {found['withdrawn']} objects taken back")]
    view = queries.loop_view(story.job)
    assert view["machine"]["quality"] is None
    assert view["audits"][0]["withdrawn"] == found["withdrawn"]


@pytest.mark.slow
def test_labels_nobody_answers_about_stay_and_prove_nothing(tell):
    story, supervisor = tell()
    drive(story, supervisor, until=LoopAudit.objects.exists, work=look_away)
    audit = LoopAudit.objects.get()
    made = story.states()[MACHINE]
    batches.stop_batch(batch=audit.batch, by="user:1")
    drive(story, supervisor)
    audit.refresh_from_db()
    assert (audit.status, audit.figures["answered"], audit.figures["error"]) == ("Kept", 0, None)
    assert (story.job.status, story.states()[MACHINE]) == ("Completed", made)


@pytest.mark.slow
def test_a_job_that_is_stopped_ends_its_audit(tell):
    story, supervisor = tell()
    drive(story, supervisor, until=LoopAudit.objects.exists, work=look_away)
    creation.stop_job(job=story.job, by="user:1")
    drive(story, supervisor)
    assert (LoopAudit.objects.get().status, story.job.status, story.loop.status) == ("Stopped",) * 3
    assert story.states()[MACHINE] > 0


@pytest.mark.slow
def test_where_nobody_may_be_asked_the_reason_is_noted(tell):
    story, supervisor = tell(max_human_labeled_objects=32)
    drive(story, supervisor)
    audit = LoopAudit.objects.get()
    assert (audit.status, audit.batch, audit.figures["asked"]) == ("Skipped", None, 0)
    assert audit.figures["note"] == "people have labeled as many objects as the job allows"
    assert (story.job.status, story.states()[HUMAN]) == ("Completed", 32)


@pytest.mark.slow
def test_a_model_that_got_too_few_steps_is_trained_on_once_and_the_page_is_told(tell):
    # The oracle says that it took one step.
    story, supervisor = tell(automated={"train_seconds": 30, "audit_share": 0.0})
    drive(story, supervisor, times=2)
    first = story.loop.rounds.get(number=1)
    runs = list(TrainingJob.objects.filter(name__startswith=f"pictures-{story.loop.pk}-round-1").order_by("pk"))
    assert [run.hyperparameters["max_seconds"] for run in runs] == ["30", "90.0"]
    assert runs[1].channels["model"] == {"name": runs[0].model.name}
    assert runs[1].channels["train"] == runs[0].channels["train"]
    assert first.training_job == runs[1]
    assert first.figures["steps"] == 2
    assert first.figures["short_training"] == {"steps": 2, "least": 300, "longer_seconds": 90.0}
    assert first.figures["model"] == runs[1].model.name
    assert story.job.status == "Completed"
    # A share of zero asks nobody.
    assert not LoopAudit.objects.exists()
    assert queries.loop_view(story.job)["audits"] == []


@pytest.mark.slow
def test_a_narrow_audit_of_a_promised_error_looks_at_doubted_labels_more_often(tell):
    # So many labels that an interval of this width takes fewer when the draws follow the doubts.
    promise = {"target_error": 0.2, "confidence": 0.9, "audit_share": 1.0, "audit_width": 0.06}
    wanted = promise | {"seed_size": 120, "max_rounds": 1}
    story, supervisor = tell(automated=wanted, skill=0.93, count=500, funds="1000")
    drive(story, supervisor, times=2, seconds=280)
    audit = LoopAudit.objects.get()
    draws = audit.figures["draws"]
    made = audit.figures["labels"]
    assert (audit.status, story.job.status) == ("Kept", "Completed")
    # Some labels were drawn more than once, and each counts for as many as it stood for.
    assert len({pk for pk, _ in draws}) == audit.figures["asked"] < len(draws)
    assert len({round(weight, 6) for _, weight in draws}) > 1
    told = queries.loop_view(story.job)["audits"][0]
    lost = dict(AuditedObject.objects.values_list("data_object", "loss"))
    assert told["answered"] == len(lost) == audit.figures["asked"] < made
    weighted = sum(weight * lost[pk] for pk, weight in draws) / len(draws)
    assert told["error"] == pytest.approx(weighted)
    assert told["error_low"] <= told["error"] <= told["error_high"] <= told["error_low"] + 0.1
