"""One program on several nodes of a real Ray cluster at once: a training by torchrun, and how such programs end."""

import time

import pytest

from learning.contract import TRAIN, JobFolder
from learning.models import Model, TrainingMetric
from learning.services.programs.supervisor import Supervisor
from tests.learning.cluster.clusters import cluster  # noqa: F401  (a fixture)
from tests.learning.test_executor_contract import COUNTING, ended, reaches
from tests.learning.test_supervisor import account, finished, wait  # noqa: F401  (a fixture)
from tests.learning.test_training_together import make  # noqa: F401  (a fixture)
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("ray")]
SECONDS = 900.0


@pytest.fixture(autouse=True)
def nodes(cluster, settings, make_bucket, s3_servers):  # noqa: F811
    """The cluster, with two nodes at least, and a store that they reach."""
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    settings.RAY_TRAINING_NODES = 2
    while cluster.runs < 2:
        cluster.add()
    return cluster


@pytest.fixture
def learner(nodes, tmp_path):
    made = Supervisor(executor=nodes.executor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


def folder_of(tmp_path, **hyperparameters):
    folder = JobFolder(tmp_path / f"trainingjob-{time.time_ns()}")
    folder.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}})
    return folder


@pytest.mark.django_db(transaction=True)
def test_a_training_on_two_nodes_goes_on_from_its_checkpoint_when_one_is_lost(
    nodes,
    make,  # noqa: F811
    learner,
    account,  # noqa: F811
):
    run = make(num_nodes=2, num_processes=1, epochs=400)
    wait(lambda: newest_step(run) >= 20, step=learner.step, seconds=SECONDS)
    # Where the job itself runs is another story (test_ray_jobs.py).
    client = learner.executor.client()
    job = client.get_job_info(f"{learner.executor.prefix}-trainingjob-{run.pk}-1")
    nodes.kill(next(node for node in nodes.nodes if node.node_id != job.driver_node_id))
    seen = newest_step(run)
    nodes.add()
    wait(lambda: run_of(run).starts >= 2 and newest_step(run) > seen, step=learner.step, seconds=SECONDS)
    wait(lambda: finished(run), step=learner.step, seconds=SECONDS)
    assert (run.status, run.failure_reason, run.model.metrics["steps"]) == ("Completed", "", 800)
    assert Model.objects.filter(account=account).count() == 1


def run_of(run):
    run.refresh_from_db()
    return run


def newest_step(run):
    newest = TrainingMetric.objects.filter(training_job=run, name="train:progress").order_by("-step").first()
    return newest.step if newest else 0


def test_the_first_of_several_nodes_ends_in_order_and_its_result_comes_back(nodes, tmp_path):
    folder = folder_of(tmp_path, _steps=100_000, _pause=0.05, _say="hello")
    program = nodes.executor().start(COUNTING, folder.root, nodes=2)
    reaches(program, folder, 3)
    program.terminate()
    assert ended(program) == 0
    assert folder.stopped.exists() and (folder.model / "model.safetensors").exists()
    log = (folder.output / "log.txt").read_text()
    assert "2 nodes work together" in log and "\nhello\n" in f"\n{log}" and "node 1: hello" in log


def test_a_program_that_fails_on_several_nodes_fails_with_its_reason(nodes, tmp_path):
    folder = folder_of(tmp_path, _steps=1, _fail="no bees", _exit=2)
    assert ended(nodes.executor().start(COUNTING, folder.root, nodes=2)) == 2
    assert folder.read_failure() == "no bees"


def test_what_waits_for_more_nodes_than_there_are_is_ended(nodes, tmp_path):
    folder = folder_of(tmp_path, _steps=1)
    executor = nodes.executor()
    program = executor.start(COUNTING, folder.root, nodes=40)
    wait(lambda: "waiting for 40 nodes" in log_of(folder), step=program.poll, seconds=SECONDS)
    assert executor.clear(folder.root) == 1
    assert ended(program) < 0


def log_of(folder):
    path = folder.output / "log.txt"
    return path.read_text() if path.exists() else ""
