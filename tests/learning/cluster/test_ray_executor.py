"""The executor on a real Ray cluster, without rows: a node is lost, a start is repeated, a model is served."""

import time

import pytest
import urllib3

from learning.contract import TRAIN, JobFolder
from learning.serving.paths import ADDRESS
from tests.learning.serving.test_serve import picture, staged
from tests.learning.test_executor_contract import COUNTING, ended, reaches
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("ray")]
TOKEN = "known-to-the-web-alone"
SECONDS = 900.0


@pytest.fixture(autouse=True)
def store(settings, make_bucket, s3_servers):  # noqa: F811
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"


def test_a_program_goes_on_elsewhere_when_its_node_is_lost(cluster, tmp_path):
    folder = JobFolder(tmp_path / f"trainingjob-{time.time_ns()}")
    folder.prepare(hyperparameters={"_steps": 100_000, "_pause": 0.1}, channels={TRAIN: {}})
    executor = cluster.executor()
    if not cluster.runs:
        cluster.add()
    program = executor.start(COUNTING, folder.root)
    reaches(program, folder, 40)
    cluster.kill_node_of(program.submission)
    assert ended(program) < 0
    assert "the cluster lost the program" in (folder.output / "log.txt").read_text()
    seen = len((folder.output / "steps").read_text().splitlines())
    assert not folder.stopped.exists() and executor.clear(folder.root) == 0
    # The newest checkpoint may be of a later step than the newest metrics that have come.
    steps = seen + 500
    folder.prepare(hyperparameters={"_steps": steps, "_pause": 0}, channels={TRAIN: {}})
    cluster.add()
    assert ended(executor.start(COUNTING, folder.root, number=2)) == 0
    # From the newest checkpoint that was sent, and not from the beginning.
    taken = [int(line.split()[1]) for line in (folder.output / "steps").read_text().splitlines()]
    assert taken[-1] == steps and taken.count(1) == 1
    assert steps <= len(taken) < steps + seen


def test_a_start_that_is_repeated_is_one_start(cluster, tmp_path):
    if not cluster.runs:
        cluster.add()
    folder = JobFolder(tmp_path / f"trainingjob-{time.time_ns()}")
    folder.prepare(hyperparameters={"_steps": 30, "_pause": 0.05}, channels={TRAIN: {}})
    first, second = cluster.executor(), cluster.executor()
    programs = [one.start(COUNTING, folder.root, number=3) for one in (first, second)]
    assert [ended(program) for program in programs] == [0, 0]
    assert first.condition() == {"nodes": cluster.runs, "cpus": cluster.runs, "gpus": 0}
    assert len((folder.output / "steps").read_text().splitlines()) == 30
    assert len([job for job in first.client().list_jobs() if folder.root.name in (job.submission_id or "")]) == 1


def test_a_model_is_served_to_those_who_know_its_token_until_it_is_told_to_end(cluster, tmp_path):
    while cluster.runs < 2:
        cluster.add()
    folder = staged(tmp_path / f"endpointreplica-{time.time_ns()}", token=TOKEN)
    executor = cluster.serving(threads=1)
    program = executor.start(["-m", "learning.serving.serve"], folder.root)
    address = folder.root / ADDRESS
    end = time.monotonic() + SECONDS
    while not address.exists():
        assert time.monotonic() < end, "it is not served"
        assert program.poll() is None, (folder.output / "log.txt").read_text()
        time.sleep(0.2)
    url = address.read_text()

    def ask(path, token=TOKEN, method="POST"):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/png"}
        return urllib3.request(method, f"{url}/{path}", body=picture(), headers=headers, retries=False, timeout=30)

    assert ask("ping", method="GET").status == 200
    answer = ask("invocations")
    assert answer.status == 200
    assert {row[0] for row in answer.json()["prediction"]} >= {3.0, 7.0}
    assert ask("invocations", token="guessed").status == 401
    assert ask("elsewhere").status == 404
    program.terminate()
    assert ended(program) == 0
    assert not executor.client().applications()
    assert ask("invocations").status in (404, 503)
