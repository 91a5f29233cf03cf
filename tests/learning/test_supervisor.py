"""The supervisor: whatever is killed and whenever, a training ends once, with the same result, and leaves nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from learning.models import Model, TrainingJob, TrainingMetric
from learning.services import registry, training
from learning.services.programs.executor import MARK
from learning.services.programs.running import MAX_ATTEMPTS
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.errors import Forbidden, InUse, Invalid, NotFound
from marketplace.models import Account
from tests.learning.programs.executor import CountingExecutor

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = 30


@pytest.fixture
def account():
    # A number of its own for each test: the store outlives the database's rows.
    return Account.objects.create(name="Bees & Co", number=f"{time.time_ns() % 10**12:012d}")


@pytest.fixture
def manifest(settings, account):
    uri = storage.join(settings.STORE_URL, account.number, "train.manifest")
    storage.write(uri, b'{"source-ref": "file:///nowhere/a.png"}\n')
    return uri


@pytest.fixture
def make(account, manifest):
    def _make(name="bees-1", **options):
        run = training.create_training(
            account=account,
            name=name,
            hyperparameters={"label_attribute_name": "bees", "_steps": STEPS} | options,
            channels={"train": {"manifest_uri": manifest}},
            by="user:1",
        )
        assert run.status == "InProgress"
        return run

    return _make


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=CountingExecutor(), slots=2, root=tmp_path / "programs")
    yield made
    made.stopping.set()
    made.shut_down()


def wait(condition, *, seconds=60.0, step=None):
    """Until the condition holds; `step` is called in between."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        if step:
            step()
        time.sleep(0.05)
    return found


def finished(run):
    run.refresh_from_db()
    return run.status in ("Completed", "Failed", "Stopped")


def working_in(folder):
    """Processes that work in a folder of `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(str(folder)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def assert_whole(run, root, *, extra_steps=0):
    """It completed once: every point once, the model in the store, nothing left behind."""
    run.refresh_from_db()
    assert (run.status, run.failure_reason, run.progress, run.claimed_by) == ("Completed", "", 1.0, "")
    assert TrainingMetric.objects.filter(training_job=run, name="train:loss").count() == STEPS
    assert Model.objects.filter(account=run.account, name=run.name).count() == 1
    assert storage.read(registry.part_uri(run.model, "model.safetensors")) == b"weights after %d" % STEPS
    assert STEPS <= run.model.metrics["steps_taken"] <= STEPS + extra_steps
    # The row says so first, then its folder goes.
    wait(lambda: not (root / run.folder).exists())
    assert not working_in(root)


def test_a_training_runs_to_its_end_and_its_model_is_kept(make, supervisor):
    run = make()
    wait(lambda: finished(run), step=supervisor.step)
    assert_whole(run, supervisor.root)
    assert run.attempts == 1
    assert run.model.labels == ["bee"]
    assert training.curves(run)["train:loss"][-1]["value"] == pytest.approx(1 / STEPS, abs=1e-6)
    assert [point["step"] for point in training.curves(run)["train:loss"]] == list(range(1, STEPS + 1))
    assert run.model.name == "bees-1"
    assert set(registry.parts(run.model)) == {"model.tar.gz", "config.json", "model.onnx", "model.safetensors"}
    assert all(storage.exists(uri) for uri in registry.parts(run.model).values())


def test_stop_ends_it_keeps_what_it_learned_and_is_safe_to_repeat(make, supervisor):
    run = make(_steps=100_000)
    wait(lambda: TrainingMetric.objects.filter(training_job=run).exists(), step=supervisor.step)
    training.stop(training_job=run, by="user:1")
    assert run.status == "Stopping"
    wait(lambda: finished(run), step=supervisor.step)
    assert run.status == "Stopped"
    assert run.model is not None
    assert not working_in(supervisor.root)
    training.stop(training_job=run, by="user:1")
    assert run.status == "Stopped"


def test_a_program_that_ignores_the_request_to_stop_is_killed(make, supervisor, monkeypatch):
    monkeypatch.setattr("learning.services.programs.running.GRACE_SECONDS", 0.5)
    run = make(_steps=100_000, _stubborn=True)
    wait(lambda: TrainingMetric.objects.filter(training_job=run).exists(), step=supervisor.step)
    training.stop(training_job=run, by="user:1")
    wait(lambda: finished(run), step=supervisor.step)
    assert (run.status, run.model) == ("Stopped", None)
    assert not working_in(supervisor.root)


def test_a_training_nobody_has_claimed_is_stopped_at_once(make):
    run = make()
    training.stop(training_job=run, by="user:1")
    assert run.status == "Stopped"


def test_a_killed_program_goes_on_from_where_it_was(make, supervisor):
    run = make(_die_at=10)
    wait(lambda: finished(run), step=supervisor.step)
    assert_whole(run, supervisor.root)


@pytest.mark.slow
def test_a_program_killed_again_and_again_still_ends_while_it_gets_further(make, supervisor):
    run = make(_pause=0.2)
    kills = 0
    while kills <= MAX_ATTEMPTS and not finished(run):
        supervisor.step()
        wait(lambda seen=run.progress: finished(run) or run.progress > seen + 0.05, step=supervisor.step)
        for process in working_in(supervisor.root):
            process.kill()
            kills += 1
    assert kills > MAX_ATTEMPTS
    wait(lambda: finished(run), step=supervisor.step)
    assert_whole(run, supervisor.root, extra_steps=kills)


def test_bad_input_fails_at_once_and_a_passing_failure_is_tried_again(make, supervisor):
    bad = make(name="bad", _fail="line 3: no boxes", _exit=2)
    wait(lambda: finished(bad), step=supervisor.step)
    assert (bad.status, bad.failure_reason, bad.attempts) == ("Failed", "line 3: no boxes", 1)
    again = make(name="again", _fail="the loss is not finite")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        wait(lambda n=attempt: finished(again) or (again.attempts == n and not again.claimed_by), step=supervisor.step)
        # No need to sit out the pause.
        TrainingJob.objects.filter(pk=again.pk).update(not_before=None)
    assert (again.status, again.failure_reason) == ("Failed", "the loss is not finite")
    assert again.attempts == MAX_ATTEMPTS


def test_an_orderly_end_of_the_supervisor_hands_the_training_over(make, supervisor, tmp_path):
    run = make(_pause=0.05)
    wait(lambda: TrainingMetric.objects.filter(training_job=run).count() > 5, step=supervisor.step)
    supervisor.shut_down()
    run.refresh_from_db()
    assert (run.status, run.claimed_by) == ("InProgress", "")
    assert not working_in(supervisor.root)
    successor = Supervisor(executor=CountingExecutor(), slots=1, root=supervisor.root)
    wait(lambda: finished(run), step=successor.step)
    assert_whole(run, supervisor.root)
    assert run.attempts == 1


def test_a_silent_supervisor_loses_its_training_and_changes_nothing_more(make, tmp_path):
    run = make(_steps=100_000)
    first = Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path / "one")
    second = Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path / "two")
    wait(lambda: TrainingMetric.objects.filter(training_job=run).exists(), step=first.step)
    second.step()
    assert not second.runners, "it is alive: nobody may take it over"

    def take_over() -> bool:
        # Again and again, because the first one is alive and may report in between.
        TrainingJob.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        second.step()
        return len(second.runners) == 1

    wait(take_over)
    wait(lambda: working_in(second.root))
    first.step()
    wait(lambda: not working_in(first.root))
    run.refresh_from_db()
    assert run.claimed_by == second.identity
    second.shut_down()
    first.shut_down()


def test_two_supervisors_share_the_work_and_never_a_row(make, tmp_path):
    runs = [make(name=f"bees-{number}", _steps=5, _pause=0) for number in range(6)]
    both = [Supervisor(executor=CountingExecutor(), slots=2, root=tmp_path / str(n)) for n in range(2)]

    def drive(one):
        try:
            wait(lambda: all(finished(TrainingJob.objects.get(pk=run.pk)) for run in runs), step=one.step, seconds=60)
        finally:
            connection.close()

    threads = [threading.Thread(target=drive, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in runs:
        run.refresh_from_db()
        assert (run.status, run.attempts, run.model.metrics["steps_taken"]) == ("Completed", 1, 5)


def test_only_one_supervisor_works_in_a_folder(tmp_path):
    first = Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path)
    with first._alone(), pytest.raises(InUse, match="another run_programs works in"):
        Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path).run()


# --- kill -9 of the supervisor itself, a process of its own ---------------------------------------------------------


@pytest.fixture
def processes(tmp_path, settings):
    """Starts supervisors as processes; all are ended afterwards."""
    database = settings.DATABASES["default"]
    host = database["OPTIONS"].get("host", database["HOST"])
    url = f"postgresql://{database['USER']}@/{connection.settings_dict['NAME']}?host={host}"
    environment = os.environ | {"WAGGLE_DATABASE_URL": url}
    script = Path(__file__).parent / "programs" / "supervise.py"
    started = []

    def start(name="programs", *options):
        command = [sys.executable, str(script), str(tmp_path / name), *options]
        process = subprocess.Popen(command, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    for process in working_in(tmp_path):
        process.kill()


def test_kill_9_of_the_supervisor_changes_nothing_in_the_result(make, processes, tmp_path):
    run = make(_steps=STEPS, _pause=0.15)
    supervisor = processes()
    wait(lambda: TrainingMetric.objects.filter(training_job=run).count() > 5)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    orphans = working_in(tmp_path / "programs")
    assert orphans, "the program outlives its supervisor, else this test shows nothing"
    processes()
    wait(lambda: finished(run), seconds=40)
    assert not [process for process in orphans if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    # The orphan worked on until its successor killed it, which then went on from the last checkpoint.
    assert_whole(run, tmp_path / "programs", extra_steps=2)
    assert run.attempts <= 2


@pytest.mark.slow
def test_a_machine_that_dies_blocks_nothing_and_loses_its_training_to_another(make, processes, tmp_path):
    run = make(_steps=STEPS, _pause=0.3)
    dies = processes("one")
    wait(lambda: TrainingMetric.objects.filter(training_job=run).count() > 5)
    dies.kill()
    dies.wait()
    for process in working_in(tmp_path / "one"):
        process.kill()
    other = make(name="bees-2", _steps=STEPS, _pause=0)
    processes("two", "15")
    wait(lambda: finished(other) and finished(run), seconds=180)
    # What waits does not wait for the dead machine; and of its folder nothing is left to go on from.
    assert other.status == "Completed" and other.ended_at < run.ended_at
    assert_whole(run, tmp_path / "two")
    assert run.starts == 2 and run.folder.startswith(f"trainingjob-{run.pk}-")


# --- asking -----------------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_training_is_said_before_it_exists(make, account, manifest):
    make()
    with pytest.raises(InUse, match="a training job 'bees-1' already"):
        make()
    channels = {"train": {"manifest_uri": manifest}}

    def ask(**changes):
        design = {"account": account, "name": "new", "hyperparameters": {"label_attribute_name": "b"}, "by": "user:1"}
        return training.create_training(**({"channels": channels} | design | changes))

    with pytest.raises(Invalid, match="letters, digits and inner hyphens"):
        ask(name="-x")
    with pytest.raises(Invalid, match="did you mean 'epochs'"):
        ask(hyperparameters={"label_attribute_name": "b", "epoch": 3})
    with pytest.raises(Invalid, match="'train' is missing"):
        ask(channels={})
    with pytest.raises(Invalid, match="no manifest_uri"):
        ask(channels={"train": {}})
    with pytest.raises(Forbidden, match="belongs to another account"):
        ask(channels={"train": {"manifest_uri": manifest.replace(account.number, "999999999999")}})
    with pytest.raises(NotFound, match="no model 'none'"):
        ask(channels=channels | {"model": {"name": "none"}})
    assert TrainingJob.objects.count() == 1
