"""Programs as jobs of a real Ray cluster: they end once, whatever is lost meanwhile, and their results come back."""

import pytest

from learning.models import Model, TrainingMetric
from learning.services import registry, run_records, training
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests import builders
from tests.learning.test_supervisor import finished, wait
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("ray"),
]
COUNTING = ["-m", "tests.learning.programs.counting"]
SECONDS = 900.0


@pytest.fixture
def store(settings, make_bucket, s3_servers):  # noqa: F811
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    return settings.STORE_URL


@pytest.fixture
def make(store):
    account = builders.an_account()
    uri = storage.join(store, account.number, "train.manifest")
    storage.write(uri, b'{"source-ref": "s3://nowhere/a.png"}\n')

    def _make(name="bees-1", **options):
        return training.create_training(
            account=account,
            name=name,
            hyperparameters={"label_attribute_name": "bees", "_steps": 30} | options,
            channels={"train": {"manifest_uri": uri}},
            by="user:1",
        )

    return _make


@pytest.fixture
def learner(cluster, store, tmp_path):
    made = []

    def _learner(name="programs", **options):
        executor = cluster.executor(**options)
        supervisor = Supervisor(executor=executor, slots=2, root=tmp_path / name)
        made.append(supervisor)
        return supervisor

    yield _learner
    for supervisor in made:
        supervisor.stopping.set()
        supervisor.shut_down()


def test_a_program_goes_on_from_its_checkpoint_when_its_node_is_lost(cluster, make, learner, settings):
    if not cluster.runs:
        cluster.add()
    supervisor = learner(running=COUNTING)
    run = make(_steps=60, _pause=0.25, _say="hello from the node")
    wait(lambda: _steps(run) >= 25, seconds=SECONDS, step=supervisor.step)
    assert "hello from the node" in run_records.log_tail(run)
    cluster.kill_node_of(f"{supervisor.executor.prefix}-trainingjob-{run.pk}-1")
    cluster.add()
    wait(lambda: finished(run), seconds=SECONDS, step=supervisor.step)
    assert (run.status, run.failure_reason, run.progress) == ("Completed", "", 1.0)
    assert run.starts >= 2
    assert _steps(run) == 60
    assert Model.objects.filter(account=run.account, name=run.name).count() == 1
    assert storage.read(registry.part_uri(run.model, "model.safetensors")) == b"weights after 60"
    # It went on: what was done twice is what came after the newest checkpoint that had been sent.
    assert 60 <= run.model.metrics["steps_taken"] < 60 + 60
    log = "\n".join(run_records.log_lines(run))
    assert "the cluster lost the program" in log and "Running entrypoint" not in log and "X-Amz" not in log
    assert not list(storage.list(f"{settings.STORE_URL}/programs/"))


def _steps(run):
    return TrainingMetric.objects.filter(training_job=run, name="train:loss").count()
