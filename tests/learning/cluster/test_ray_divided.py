"""A long prediction as several jobs of a real Ray cluster: joined in order, and what fails is done again alone."""

import json
import time

import pytest

from learning.contract import PREDICT, JobFolder, read_predictions
from learning.services.programs.executor import LOG
from marketplace import storage
from tests.learning.test_executor_contract import ended
from tests.learning.test_supervisor import wait
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("ray")]
FORETELLING = ["-m", "tests.learning.programs.foretelling"]
SECONDS = 900.0
IMAGES, LINES = 7, 2  # four jobs, the last of a single line


@pytest.fixture
def executor(cluster, settings, make_bucket, s3_servers):  # noqa: F811
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    while cluster.runs < 2:
        cluster.add()
    return cluster.executor(lines=LINES, jobs=2)


@pytest.fixture
def staged(tmp_path):
    """A function that fills the folder of a prediction, as the learner of that name does."""
    pk = time.time_ns()

    def make(learner, **hyperparameters):
        folder = JobFolder(tmp_path / learner / f"transformjob-{pk}")
        folder.prepare(hyperparameters=hyperparameters, channels={PREDICT: {}})
        lines = []
        for number in range(IMAGES):
            path = folder.channel(PREDICT) / f"{number}.jpg"
            path.write_bytes(b"picture")
            lines.append(json.dumps({"source-ref": str(path), "waggle-object-id": 10 + number}))
        folder.manifest(PREDICT).write_text("\n".join(lines) + "\n")
        return folder

    return make


def jobs_of(executor, folder):
    """(Start of the run, piece, start of the piece) of every job of the run that the cluster has had."""
    before = f"{executor.prefix}-{folder.root.name}-"
    names = [one.submission_id or "" for one in executor.client().list_jobs()]
    return sorted(tuple(map(int, name.removeprefix(before).split("-"))) for name in names if name.startswith(before))


def assert_whole(folder):
    found = list(read_predictions(folder.predictions))
    assert [(one.index, one.object_id, one.error) for one in found] == [(n, 10 + n, None) for n in range(IMAGES)]
    assert [one.source_ref for one in found] == [str(folder.channel(PREDICT) / f"{n}.jpg") for n in range(IMAGES)]
    assert '"predict:progress", "value": 1.0' in folder.metrics.read_text()


def test_a_piece_that_fails_is_done_again_alone_and_all_are_joined_in_order(executor, staged, settings):
    folder = staged("one", _die_at=13)
    assert ended(executor.start(FORETELLING, folder.root)) == 0
    assert_whole(folder)
    assert jobs_of(executor, folder) == [(1, 0, 1), (1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 3, 1)]
    assert "lines 3 to 4: its job ended with status -9; started again" in (folder.output / LOG).read_text()
    executor.forget(folder.root)
    assert not list(storage.list(f"{settings.STORE_URL}/programs/"))


def test_another_learner_does_only_the_pieces_that_are_left(executor, staged):
    first = staged("one", _pause=2)
    program = executor.start(FORETELLING, first.root)
    wait(lambda: len(jobs_of(executor, first)) >= 3, seconds=SECONDS, step=program.poll)
    program.terminate()
    assert ended(program) == 0 and first.stopped.exists()
    begun = {piece for _, piece, _ in jobs_of(executor, first)}
    second = staged("two", _pause=0)
    assert ended(executor.start(FORETELLING, second.root, number=2)) == 0
    assert_whole(second)
    again = {piece for start, piece, _ in jobs_of(executor, second) if start == 2}
    # The third job is not begun before one of the first two has left its predictions.
    assert not {0, 1} <= again and begun | again == {0, 1, 2, 3}


def test_bad_input_of_one_piece_ends_the_whole(executor, staged):
    folder = staged("one", _fail_at=14)
    assert ended(executor.start(FORETELLING, folder.root)) == 2
    assert folder.read_failure() == "lines 5 to 6 of the manifest: object 14 cannot be foretold"
    assert not executor.clear(folder.root)
