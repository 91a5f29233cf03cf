"""One program on several nodes of a real Ray cluster at once: a training by torchrun, and how such programs end."""

import shutil
import time

import pytest

from learning.contract import TRAIN, JobFolder, ModelConfig, read_metrics
from learning.services.programs.executor import LOG
from tests.learning.test_executor_contract import COUNTING, ended, reaches
from tests.learning.test_supervisor import wait
from tests.learning.vision import jobs
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("ray")]
TRAINING = ["-m", "learning.vision.train"]
SECONDS = 900.0


@pytest.fixture(autouse=True)
def nodes(cluster, settings, make_bucket, s3_servers):  # noqa: F811
    """The cluster, with two nodes at least, and a store that they reach."""
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    while cluster.runs < 2:
        cluster.add()
    return cluster


@pytest.fixture
def folder(tmp_path):
    return tmp_path / f"trainingjob-{time.time_ns()}"


def counting(root, **hyperparameters):
    made = JobFolder(root)
    made.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}})
    return made


def steps(made):
    return max((one.step for one in read_metrics(made.metrics)[0]), default=0)


def test_a_training_on_two_nodes_goes_on_from_its_checkpoint_when_one_is_lost(nodes, folder):
    made = jobs.training_job(folder, epochs=5000, checkpoint_seconds=0, validation_share=0, device="cpu")
    executor = nodes.executor(threads=1)
    program = executor.start(TRAINING, made.root, nodes=2)
    wait(lambda: steps(made) >= 20, step=program.poll, seconds=SECONDS)
    # Where the job itself runs is another story (test_ray_jobs.py).
    job = executor.client().get_job_info(program.submission)
    nodes.kill(next(node for node in nodes.nodes if node.node_id != job.driver_node_id))
    assert ended(program) < 0
    assert "a node of the 2 that work together was lost" in (made.output / LOG).read_text()
    seen = steps(made)
    nodes.add()
    shutil.rmtree(made.output)
    hyperparameters = made.read_hyperparameters() | {"epochs": str(seen // 2 + 10)}
    made.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}})
    assert ended(executor.start(TRAINING, made.root, number=2, nodes=2)) == 0
    assert ModelConfig.read(made.model).metrics["steps"] == 2 * (seen // 2 + 10)
    log = (made.output / LOG).read_text()
    assert "1 processes train together on each of 2 machines" in log and "resumed at step" in log


def test_the_first_of_several_nodes_ends_in_order_and_its_result_comes_back(nodes, folder):
    made = counting(folder, _steps=100_000, _pause=0.05, _say="hello")
    program = nodes.executor().start(COUNTING, made.root, nodes=2)
    reaches(program, made, 3)
    program.terminate()
    assert ended(program) == 0
    assert made.stopped.exists() and (made.model / "model.safetensors").exists()
    lines = (made.output / LOG).read_text().splitlines()
    assert any("2 nodes work together" in line for line in lines) and "hello" in lines and "node 1: hello" in lines


def test_a_program_that_fails_on_several_nodes_fails_with_its_reason(nodes, folder):
    made = counting(folder, _steps=1, _fail="no bees", _exit=2)
    assert ended(nodes.executor().start(COUNTING, made.root, nodes=2)) == 2
    assert made.read_failure() == "no bees"


def test_what_waits_for_more_nodes_than_there_are_is_ended(nodes, folder):
    made = counting(folder, _steps=1)
    executor = nodes.executor()
    program = executor.start(COUNTING, made.root, nodes=40)
    log = made.output / LOG
    wait(lambda: log.exists() and "waiting for 40 nodes" in log.read_text(), step=program.poll, seconds=SECONDS)
    assert executor.clear(made.root) == 1
    assert ended(program) < 0
