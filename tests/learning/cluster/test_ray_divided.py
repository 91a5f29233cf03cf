"""A long prediction as several jobs of a real Ray cluster: joined in order, and what fails is done again alone."""

import json

import pytest

from learning.models import TransformJob
from learning.services import transforms
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.learning.cluster.clusters import cluster  # noqa: F401  (a fixture)
from tests.learning.hosting_stories import a_model
from tests.learning.test_supervisor import finished, wait
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("ray"),
]
FORETELLING = ["-m", "tests.learning.programs.foretelling"]
SECONDS = 900.0
IMAGES, LINES = 7, 2  # four jobs, the last of a single line


@pytest.fixture
def learner(cluster, settings, make_bucket, s3_servers, tmp_path):  # noqa: F811
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    while cluster.runs < 2:
        cluster.add()
    made = []

    def start(name):
        executor = cluster.executor(running=FORETELLING, lines=LINES, jobs=2)
        made.append(Supervisor(executor=executor, slots=1, root=tmp_path / name))
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.shut_down()


@pytest.fixture
def make(learner):
    account = builders.an_account()
    base = boundaries.base_of(account)
    lines = []
    for number in range(IMAGES):
        uri = storage.join(base, f"{number}.jpg")
        storage.write(uri, b"picture")
        lines.append(json.dumps({"source-ref": uri, "waggle-object-id": 10 + number}))
    manifest = storage.join(base, "in.manifest")
    storage.write(manifest, "\n".join(lines).encode())
    model = a_model(account)

    def predict(**hyperparameters) -> TransformJob:
        return transforms.create_transform(
            account=account,
            name="long",
            model=model,
            manifest_uri=manifest,
            hyperparameters=hyperparameters,
            by="user:1",
        )

    return predict


def jobs_of(supervisor, run):
    """(Start of the run, piece, start of the piece) of every job of the run that the cluster has had."""
    executor = supervisor.executor
    before = f"{executor.prefix}-transformjob-{run.pk}-"
    names = [one.submission_id or "" for one in executor.client().list_jobs()]
    return sorted(tuple(map(int, name.removeprefix(before).split("-"))) for name in names if name.startswith(before))


def assert_whole(run):
    assert (run.status, run.failure_reason) == ("Completed", "")
    found = list(transforms.predictions(run))
    assert [(one.index, one.object_id, one.error) for one in found] == [(n, 10 + n, None) for n in range(IMAGES)]
    assert run.progress == 1


def test_a_piece_that_fails_is_done_again_alone_and_all_are_joined_in_order(learner, make, settings):
    supervisor = learner("programs")
    run = make(_die_at=13)
    wait(lambda: finished(run), seconds=SECONDS, step=supervisor.step)
    assert_whole(run)
    assert run.starts == 1
    assert jobs_of(supervisor, run) == [(1, 0, 1), (1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 3, 1)]
    assert not list(storage.list(f"{settings.STORE_URL}/programs/"))


def test_another_learner_does_only_the_pieces_that_are_left(learner, make):
    first = learner("one")
    run = make(_pause=2)
    wait(lambda: len(jobs_of(first, run)) >= 3, seconds=SECONDS, step=first.step)
    first.shut_down()
    run.refresh_from_db()
    assert (run.status, run.claimed_by) == ("InProgress", "")
    begun = {piece for _, piece, _ in jobs_of(first, run)}
    second = learner("two")
    wait(lambda: finished(run), seconds=SECONDS, step=second.step)
    assert_whole(run)
    again = {piece for start, piece, _ in jobs_of(second, run) if start > 1}
    # The third job is not begun before one of the first two has left its predictions.
    assert not {0, 1} <= again and begun | again == {0, 1, 2, 3}


def test_bad_input_of_one_piece_ends_the_whole(learner, make):
    supervisor = learner("programs")
    run = make(_fail_at=14)
    wait(lambda: finished(run), seconds=SECONDS, step=supervisor.step)
    assert run.status == "Failed"
    assert run.failure_reason == "lines 5 to 6 of the manifest: object 14 cannot be foretold"
    assert not supervisor.executor.clear(supervisor.root / run.folder)
