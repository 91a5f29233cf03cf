"""The learning loop as its owner sees it: what people label, what the machine labels, when it ends, what it costs."""

import json

import pytest
from django_q.models import OrmQ

from labeling.models import DataObject, Label, LabelingJob
from labeling.queries.progress import counters
from labeling.services.jobs import advancing, creation
from labeling.services.output import manifests
from labeling.services.queue.locking import advance_lock
from learning import queries
from learning.models import LearningLoop, LoopObject, Split, TrainingJob
from learning.services import registry
from learning.services.active import lease, loop_settings, loops
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.services import wallets
from tests.learning.loop_stories import HUMAN, MACHINE, UNLABELED, a_story, drive, in_threads, work
from tests.learning.programs.executor import OracleExecutor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tell(tmp_path):
    """Makes a story and the supervisor whose detector is good at a share `skill` of the pictures."""
    supervisors = []

    def _tell(*, skill=0.85, **design):
        story = a_story(tmp_path / "pictures", **design)
        executor = OracleExecutor(truth=story.coco, skill=skill)
        supervisors.append(Supervisor(executor=executor, slots=1, root=tmp_path / "programs"))
        return story, supervisors[-1]

    yield _tell
    for supervisor in supervisors:
        supervisor.shut_down()


def rounds_of(story):
    return list(story.loop.rounds.order_by("number").select_related("training_job", "transform_job", "batch"))


def test_the_machine_labels_what_it_is_sure_of_and_people_the_rest(tell):
    story, supervisor = tell()
    drive(story, supervisor)
    assert (story.job.status, story.loop.status) == ("Completed", "Completed")
    states = story.states()
    assert states[HUMAN] + states[MACHINE] == 60
    assert states[MACHINE] >= 20
    assert story.mean_iou(MACHINE) >= 0.6
    assert story.mean_iou(HUMAN) == pytest.approx(1.0)
    # Every round is told in figures.
    first = rounds_of(story)[0]
    assert first.status == "Finished"
    assert first.figures["train_images"] == 16
    assert first.figures["validation_images"] == 16
    assert first.figures["auto_labeled"] > 0
    assert 0.6 <= first.figures["quality_lower_bound"] <= first.figures["expected_quality"] <= 1
    assert first.figures["mAP_50"] == 0.9
    assert first.curve[0].keys() == {"threshold", "quality", "coverage"}
    # The labels say who made them.
    view = queries.loop_view(story.job)
    assert (view["status"], view["activity"], view["target_iou"], view["confidence"]) == ("Completed", "done", 0.6, 0.9)
    assert view["machine"]["lower_bound"] >= 0.6
    assert view["counters"]["MachineLabeled"] == states[MACHINE]
    assert [row["status"] for row in view["rounds"]] == ["Finished"] * len(view["rounds"])
    label = DataObject.objects.filter(job=story.job, state=MACHINE).first().label
    assert (label.source, label.model_name) == ("machine", first.training_job.model.name)
    assert label.explanation["expected_quality"] >= first.threshold
    lines = [json.loads(line) for line in storage.read(manifests.manifest_uri(story.job)).splitlines()]
    machine = [line for line in lines if line["pictures-metadata"]["human-annotated"] == "no"]
    assert len(machine) == states[MACHINE]
    assert all(line["pictures-metadata"]["model-name"] for line in machine)
    # The last model is the job's, and can be downloaded.
    assert story.loop.final_model is not None
    assert storage.exists(registry.part_uri(story.loop.final_model, "model.tar.gz"))


def test_money_adds_up_and_only_people_are_paid(tell):
    story, supervisor = tell()
    before = wallets.balance(story.job.account)
    drive(story, supervisor)
    people = Label.objects.filter(data_object__job=story.job, source="human").values("data_object").distinct().count()
    each = story.job.price_micros + story.job.fee_micros
    assert before - wallets.balance(story.job.account) == people * each


def test_validation_objects_are_random_and_keep_peoples_labels(tell):
    story, supervisor = tell()
    drive(story, supervisor)
    aside = LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION)
    assert aside.count() >= 16
    assert set(aside.values_list("data_object__state", flat=True)) == {HUMAN}
    assert set(aside.values_list("data_object__label__source", flat=True)) == {"human"}
    trained_on = storage.read(rounds_of(story)[0].training_job.channels["train"]["manifest_uri"]).decode()
    assert not [pk for pk in aside.values_list("data_object", flat=True) if f'"waggle-object-id":{pk},' in trained_on]


def test_a_hopeless_model_labels_nothing_and_people_do_it_all(tell):
    story, supervisor = tell(skill=0.0, count=50)
    drive(story, supervisor)
    assert story.states() == {HUMAN: 50}
    assert story.job.status == "Completed"
    trained = [round_ for round_ in rounds_of(story) if round_.training_job]
    assert trained
    assert all(round_.threshold is None and round_.figures["auto_labeled"] == 0 for round_ in trained)


def test_models_start_from_the_one_before_and_the_first_from_the_given_one(tell):
    story, supervisor = tell(skill=0.0, count=50, automated={"least_saving": 0.0})
    drive(story, supervisor)
    given = rounds_of(story)[0].training_job.model
    trained = [r.training_job for r in rounds_of(story) if r.training_job]
    assert [run.model.metrics["warm"] for run in trained] == [0.0] + [1.0] * (len(trained) - 1)
    design = {"automated": {"initial_model": registry.arn(given)}}
    LabelingJob.objects.filter(pk=story.job.pk).update(name="older")
    LearningLoop.objects.all()
    second, queue = story.job, story.job.queue
    queue.pk, queue.status = None, "Initializing"
    queue.save(force_insert=True)
    second.queue = queue
    second.pk, second.name, second.reference_code = None, "newer", "r2"
    second.status, second.automated_labeling = "Initializing", second.automated_labeling | design["automated"]
    second.save(force_insert=True)
    story.job = second
    drive(story, supervisor)
    first = rounds_of(story)[0].training_job
    assert first.channels["model"]["name"] == given.name
    assert first.model.metrics["warm"] == 1.0


@pytest.mark.slow
def test_every_step_may_be_taken_twice(tell):
    story, supervisor = tell()
    drive(story, supervisor, times=2)
    assert story.job.status == "Completed"
    assert sum(story.states().values()) == 60
    machine = Label.objects.filter(data_object__job=story.job, source="machine")
    assert machine.count() == story.states()[MACHINE]
    assert set(machine.values_list("revision", flat=True)) == {1}
    assert len({run.name for run in TrainingJob.objects.all()}) == len(rounds_of(story)) - sum(
        "no_training" in round_.figures for round_ in rounds_of(story)
    )


def test_many_at_once_take_each_step_once(tell):
    story, supervisor = tell()
    loops.start_loop(story.job)
    advancing.advance_job(story.job.pk)

    def everybody():
        in_threads(4, lambda: loops.advance_loop(loop_id=story.loop.pk))

    for _ in range(3):
        everybody()
    assert [round_.number for round_ in rounds_of(story)] == [1]
    work(story)
    advancing.advance_job(story.job.pk)
    everybody()
    assert TrainingJob.objects.count() == 1
    drive(story, supervisor)
    assert story.job.status == "Completed"
    machine = Label.objects.filter(data_object__job=story.job, source="machine")
    assert machine.count() == story.states()[MACHINE]
    assert set(machine.values_list("revision", flat=True)) == {1}


def test_a_request_that_comes_while_the_loop_is_advanced_is_not_lost(tell):
    story, _ = tell()
    loops.start_loop(story.job)
    advancing.advance_job(story.job.pk)
    with lease.advancing(story.loop.pk) as held:
        before = held.advance_requests()
        in_threads(1, lambda: loops.advance_loop(loop_id=story.loop.pk))
        assert not story.loop.rounds.exists(), "somebody else is advancing it"
        assert story.loop.advance_requests == before + 1
        assert not held.release(unless_requested_since=before), "there is a request to look at"
    loops.advance_loop(loop_id=story.loop.pk)
    assert story.loop.rounds.count() == 1
    assert story.loop.advancing_by == ""


def advance_messages():
    """How many messages "advance this loop" are waiting in the queue."""
    return sum(message.task["func"] == loops.ADVANCE for message in OrmQ.objects.all())


def test_a_job_that_somebody_else_advances_is_ended_by_a_later_message(tell):
    story, _ = tell(count=12)
    loops.start_loop(story.job)
    advancing.advance_job(story.job.pk)
    loops.advance_loop(loop_id=story.loop.pk)
    work(story)
    advancing.advance_job(story.job.pk)
    assert story.states() == {HUMAN: 12}
    waiting = advance_messages()
    with advance_lock(story.job.queue_id) as held:
        assert held
        loops.advance_loop(loop_id=story.loop.pk)
        assert story.loop.status == "InProgress"
        assert advance_messages() == waiting + 1
    loops.advance_loop(loop_id=story.loop.pk)
    story.job.refresh_from_db()
    assert (story.loop.status, story.job.status) == ("Completed", "Completed")


def test_a_job_that_somebody_else_advances_fails_by_a_later_message(tell):
    story, _ = tell(count=4)
    loops.start_loop(story.job)
    advancing.advance_job(story.job.pk)
    LabelingJob.objects.filter(pk=story.job.pk).update(automated_labeling={"enabled": True, "initial_model": "gone"})
    waiting = advance_messages()
    with advance_lock(story.job.queue_id):
        loops.advance_loop(loop_id=story.loop.pk)
    story.job.refresh_from_db()
    assert (story.loop.status, story.job.status) == ("InProgress", "InProgress")
    assert advance_messages() == waiting + 1
    loops.advance_loop(loop_id=story.loop.pk)
    story.job.refresh_from_db()
    assert (story.loop.status, story.job.status) == ("Failed", "Failed")


def test_stopping_the_job_stops_the_training_and_keeps_what_is_labeled(tell):
    story, supervisor = tell()
    drive(story, supervisor, until=lambda: TrainingJob.objects.exists())
    creation.stop_job(job=story.job, by="user:1")
    drive(story, supervisor)
    assert (story.job.status, story.loop.status) == ("Stopped", "Stopped")
    assert rounds_of(story)[0].status == "Stopped"
    assert not TrainingJob.objects.filter(status="InProgress").exists()
    assert story.states()[HUMAN] == 32


@pytest.mark.slow
def test_when_the_money_is_spent_the_job_waits_for_more(tell):
    # 36 objects at 0.0432 dollars each
    story, supervisor = tell(skill=0.3, funds="1.5552")
    drive(story, supervisor, until=lambda: story.job.paused)
    assert (story.job.status, story.job.paused) == ("InProgress", "funds")
    states = story.states()
    assert states[HUMAN] == 36
    assert states[UNLABELED] > 0
    assert wallets.balance(story.job.account) == 0


def test_a_job_that_cannot_pay_for_one_object_goes_on_once_it_can(tell):
    story, supervisor = tell(funds="0.01", count=12)
    drive(story, supervisor, until=lambda: story.job.paused)
    assert "deposit money and the job goes on" in story.job.attention
    wallets.deposit(account=story.job.account, amount_micros=10_000_000, reference="bank-1", by="operator")
    drive(story, supervisor)
    assert (story.job.status, story.job.paused) == ("Completed", "")


def test_the_limit_on_objects_labeled_by_people_holds_and_the_machine_still_labels(tell):
    story, supervisor = tell(max_human_labeled_objects=32)
    drive(story, supervisor)
    assert story.job.status == "Completed"
    assert story.states()[HUMAN] == 32
    assert story.states()[MACHINE] > 0


def test_the_limit_on_the_share_labeled_holds_to_the_object(tell):
    story, supervisor = tell(max_percentage_labeled=65, skill=1.0)
    drive(story, supervisor)
    assert story.job.status == "Completed"
    assert counters(story.job)["TotalLabeled"] == 39


def test_a_broken_first_sample_fails_the_job(tell):
    story, supervisor = tell(count=36, broken=18)
    drive(story, supervisor)
    assert (story.job.status, story.loop.status) == ("Failed", "Failed")
    assert "of the first random sample of 32 objects failed, more than 10%" in story.job.failure_reason


def test_a_broken_image_here_and_there_is_a_failed_object_and_no_more(tell):
    story, supervisor = tell(broken=1)
    drive(story, supervisor)
    assert story.job.status == "Completed"
    assert story.states()["Failed"] == 1
    assert counters(story.job)["TotalLabeled"] == 59


def test_with_overlap_people_get_the_next_batch_while_the_model_is_trained(tell):
    story, supervisor = tell(automated={"overlap": True}, count=80)
    drive(story, supervisor, until=lambda: TrainingJob.objects.exists())
    loops.advance_loop(loop_id=story.loop.pk)
    assert [round_.status for round_ in rounds_of(story)] == ["Training", "Labeling"]
    drive(story, supervisor)
    assert story.job.status == "Completed"
    assert sum(story.states().values()) == 80
    assert story.states()[MACHINE] > 0


@pytest.mark.slow
def test_a_public_job_shows_ten_objects_first(tell):
    from marketplace.services import workteams

    story, supervisor = tell(workteam=workteams.public_pool(), count=40)
    for worker in story.workers:
        workteams.join_public_pool(worker)
    drive(story, supervisor)
    rounds = rounds_of(story)
    assert [round_.batch.tasks.count() for round_ in rounds[:2]] == [10, 22]
    assert rounds[0].figures["no_training"] == "the first sample is not complete"
    assert story.job.status == "Completed"


def test_settings_that_are_wrong_are_named(tell):
    with pytest.raises(Invalid) as caught:
        loop_settings.read({"enabled": True, "seed_sise": 3, "target_iou": 7, "architecture": "yolo"})
    assert {name for name, _ in caught.value.errors} == {
        "automated_labeling.seed_sise",
        "automated_labeling.target_iou",
        "automated_labeling.architecture",
    }
    assert loop_settings.read({"enabled": True, "target_iou": 1 / 2}).target_iou == 0.5
    # A job that came past that check fails with the reason, and does not hang.
    story, _ = tell(count=4)
    LabelingJob.objects.filter(pk=story.job.pk).update(automated_labeling={"enabled": True, "initial_model": "gone"})
    story.job.refresh_from_db()
    with pytest.raises(NotFound, match="no model 'gone'"):
        loops.start_loop(story.job)
    advancing.advance_job(story.job.pk)
    loops.advance_for_job(job_id=story.job.pk)
    story.job.refresh_from_db()
    assert story.job.status == "Failed"
    assert "no model 'gone'" in story.job.failure_reason


def test_a_job_without_automated_labeling_has_no_loop(tell):
    story, _ = tell(automated={"enabled": False})
    assert loops.start_loop(story.job) is None
    loops.advance_for_job(job_id=story.job.pk)
    assert not LearningLoop.objects.exists()


def test_a_promised_share_of_wrong_labels_is_proved_and_told(tell):
    automated = {"seed_size": 80, "validation_share": 0.5, "target_error": 0.4, "max_rounds": 2}
    story, supervisor = tell(count=140, automated=automated, skill=0.95)
    drive(story, supervisor)
    states = story.states()
    first = rounds_of(story)[0]
    figures = first.figures
    assert states.get(MACHINE, 0) > 20 and sum(states.values()) == 140, figures
    assert (figures["error_tested"], figures["target_error"], first.threshold is not None) == (True, 0.4, True)
    assert figures["expected_error"] <= figures["error_upper_bound"] <= 0.4
    assert figures["validation_wrong"] <= figures["validation_passed"] <= figures["validation_candidates"] == 40
    (chosen,) = [point for point in first.curve if point["chosen"]]
    assert chosen["upper"] == pytest.approx(figures["error_upper_bound"], abs=1e-5)
    assert chosen["threshold"] == pytest.approx(first.threshold, abs=1e-5)
    # What is proved is true of the labels that were given.
    assert story.mean_iou(MACHINE) > 0.8
    view = queries.loop_view(story.job)
    assert (view["target_error"], view["error_loss"], view["target_quality"], view["confidence"]) == (
        0.4,
        "image",
        None,
        0.95,
    )
    assert view["machine"]["error_upper_bound"] <= 0.4
    passed = LoopObject.objects.filter(loop=story.loop, split=Split.VALIDATION).exclude(passed_in=None)
    assert set(passed.values_list("loss", flat=True)) <= {0.0, 1.0}


@pytest.mark.slow
def test_too_few_validation_objects_for_the_promised_error_leave_all_to_people(tell):
    story, supervisor = tell(count=60, automated={"target_error": 0.02, "max_rounds": 1}, skill=1.0)
    drive(story, supervisor)
    assert story.states() == {HUMAN: 60}
    figures = next(round_.figures for round_ in rounds_of(story) if "error_tested" in round_.figures)
    assert not figures["error_tested"]
    assert figures["validation_needed"] > figures["validation_images"]


def test_a_promised_error_sets_its_own_confidence_and_aside_what_its_proof_takes():
    found = loop_settings.read({"enabled": True, "target_error": 0.05})
    assert (found.confidence, found.error_loss, found.right_iou) == (0.95, "image", 0.5)
    assert found.least_validation() == 65
    assert found.with_sizes(objects=2000, largest_batch=5000).validation_size() == 110
    assert found.with_sizes(objects=100, largest_batch=5000).validation_size() == 12
    assert loop_settings.read({"enabled": True}).confidence == 0.9
    with pytest.raises(Invalid, match="one of image, objects expected"):
        loop_settings.read({"enabled": True, "target_error": 0.05, "error_loss": "pixels"})
    with pytest.raises(Invalid, match="target_error: 0.6 found"):
        loop_settings.read({"enabled": True, "target_error": 0.6})
