"""A training of several processes is one run to its supervisor: it ends, stops, fails and is killed as a whole."""

import json
import os
import signal

import pytest

from learning.contract import TRAIN
from learning.models import Model, TrainingMetric
from learning.services import training
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.models import Account
from tests.learning.test_supervisor import account, finished, wait, working_in  # noqa: F401  (a fixture)
from tests.learning.vision import jobs

TOGETHER = {"num_processes": 2, "device": "cpu", "validation_share": 0, "weights": "none", "checkpoint_seconds": 0}
# Leaves a process in a group of its own, as torch's launcher does, and goes on for so many seconds.
LEAVES_ONE = "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=True); time.sleep({})"


@pytest.fixture
def make(account: Account, tmp_path, settings):  # noqa: F811
    """A training on eight pictures in the store."""
    made = jobs.training_job(tmp_path / "made")
    root = storage.join(settings.STORE_URL, account.number)
    lines = [json.loads(line) for line in made.manifest(TRAIN).read_text().splitlines()]
    for number, line in enumerate(lines):
        with open(line["source-ref"], "rb") as stream:
            line["source-ref"] = storage.join(root, f"{number}.png")
            storage.write(line["source-ref"], stream)
    manifest = storage.join(root, "train.manifest")
    storage.write(manifest, "\n".join(map(json.dumps, lines)).encode())

    def _make(name="bees", **hyperparameters):
        return training.create_training(
            account=account,
            name=name,
            hyperparameters={"label_attribute_name": jobs.ATTRIBUTE, **jobs.QUICK, **TOGETHER} | hyperparameters,
            channels={"train": {"manifest_uri": manifest}},
            by="user:1",
        )

    return _make


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=2), slots=1, root=tmp_path / "programs")
    yield made
    made.stopping.set()
    made.shut_down()


def programs(root):
    """The processes of learning.vision.train in the folder: what started the others, and the others."""
    return [process for process in working_in(root) if "learning.vision.train" in process.cmdline()]


@pytest.mark.parametrize("seconds", [0, 600])
def test_what_a_program_started_in_a_group_of_its_own_ends_with_it(seconds, tmp_path):
    program = LocalExecutor().start(["-c", LEAVES_ONE.format(seconds)], tmp_path)
    if seconds:
        wait(lambda: any(process.cmdline()[:1] == ["sleep"] for process in working_in(tmp_path)))
        program.kill()
    else:
        wait(lambda: program.poll() == 0)
    wait(lambda: not working_in(tmp_path), seconds=10)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_two_processes_are_killed_and_make_one_model(make, supervisor, tmp_path):
    run = make(epochs=6)
    wait(lambda: TrainingMetric.objects.filter(training_job=run).exists(), step=supervisor.step, seconds=400)
    first, *others = programs(tmp_path / "programs")
    assert len(others) == 2  # what started them does not learn
    os.kill(others[-1].pid, signal.SIGKILL)
    wait(lambda: finished(run), step=supervisor.step, seconds=400)
    assert (run.status, run.failure_reason, run.model.metrics["steps"]) == ("Completed", "", 12)
    assert Model.objects.filter(account=run.account).count() == 1
    points = TrainingMetric.objects.filter(training_job=run, name="train:progress")
    assert points.get(value=1.0).step == 12
    wait(lambda: not working_in(tmp_path / "programs"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_stop_reaches_all_of_them(make, supervisor, tmp_path):
    run = make(epochs=100_000)
    wait(lambda: TrainingMetric.objects.filter(training_job=run).exists(), step=supervisor.step, seconds=400)
    training.stop(training_job=run, by="user:1")
    wait(lambda: finished(run), step=supervisor.step, seconds=400)
    assert run.status == "Stopped" and run.model is not None
    wait(lambda: not working_in(tmp_path / "programs"))


@pytest.mark.slow
def test_bad_input_of_several_processes_is_bad_input(tmp_path):
    folder = jobs.training_job(tmp_path, **TOGETHER | {"class_map": {"7": "neither"}})
    status, _, log = jobs.finish("train", folder)
    assert status == 2, log
    assert "2 processes train together" in log and folder.read_failure()
