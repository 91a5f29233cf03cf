"""What every executor has to do, tried on each: child processes of this one, and jobs of a Ray cluster."""

import time

import pytest

from learning.contract import TRAIN, JobFolder
from learning.services.programs.executor import LOG, LocalExecutor
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

COUNTING = ["-m", "tests.learning.programs.counting"]
RAY = pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("ray")])
SECONDS = 600.0


@pytest.fixture(params=["local", RAY])
def executor(request, settings):
    if request.param == "local":
        return LocalExecutor()
    nodes = request.getfixturevalue("cluster")
    if not nodes.runs:
        nodes.add()
    servers = request.getfixturevalue("s3_servers")
    settings.STORE_URL = f"{request.getfixturevalue('make_bucket')(servers['moto'])}/store"
    return nodes.executor()


@pytest.fixture
def prepared(tmp_path):
    """A function that makes the folder of a training, named as the supervisor names it."""

    def make(**hyperparameters):
        folder = JobFolder(tmp_path / f"trainingjob-{time.time_ns()}")
        folder.prepare(hyperparameters={"_steps": 5} | hyperparameters, channels={TRAIN: {}})
        return folder

    return make


def ended(program):
    end = time.monotonic() + SECONDS
    while (status := program.poll()) is None:
        assert time.monotonic() < end, "the program does not end"
        time.sleep(0.05)
    return status


def reaches(program, folder, step):
    """Wait until the program has written the metrics of a step."""
    end = time.monotonic() + SECONDS
    while not folder.metrics.exists() or f'"step": {step}' not in folder.metrics.read_text():
        assert time.monotonic() < end, "the program does not get there"
        assert program.poll() is None
        time.sleep(0.05)


def test_a_program_ends_with_its_status_and_leaves_its_result_and_its_words(executor, prepared):
    folder = prepared(_say="hello")
    assert ended(executor.start(COUNTING, folder.root)) == 0
    assert (folder.model / "model.safetensors").read_bytes() == b"weights after 5"
    assert (folder.output / LOG).read_text().startswith("hello")
    failing = prepared(_fail="no bees", _exit=2)
    assert ended(executor.start(COUNTING, failing.root)) == 2
    assert failing.read_failure() == "no bees"
    executor.forget(folder.root)


def test_a_program_that_is_to_end_ends_in_order_and_goes_on_from_there(executor, prepared):
    folder = prepared(_steps=400, _pause=0.05)
    program = executor.start(COUNTING, folder.root)
    reaches(program, folder, 3)
    program.terminate()
    assert ended(program) == 0
    assert folder.stopped.exists()
    taken = len((folder.output / "steps").read_text().splitlines())
    assert 3 <= taken < 400
    hyperparameters = folder.read_hyperparameters() | {"_steps": str(taken + 2), "_pause": "0"}
    folder.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}})
    assert ended(executor.start(COUNTING, folder.root, number=2)) == 0
    assert not folder.stopped.exists()
    assert len((folder.output / "steps").read_text().splitlines()) == taken + 2


def test_a_program_that_is_killed_has_ended(executor, prepared):
    folder = prepared(_steps=100_000, _stubborn="true")
    program = executor.start(COUNTING, folder.root)
    reaches(program, folder, 1)
    program.kill()
    assert ended(program) < 0
    assert executor.clear(folder.root) == 0


def test_what_an_earlier_supervisor_left_is_ended(executor, prepared):
    folder = prepared(_steps=100_000)
    program = executor.start(COUNTING, folder.root)
    reaches(program, folder, 1)
    assert executor.clear(folder.root) >= 1
    assert ended(program) < 0
