"""Real trainings, predictions and endpoints on a Ray cluster of two nodes."""

import json
import threading
import time

import pytest

from learning.models import EndpointReplica, TuningTrial
from learning.services import transforms
from learning.services.hosting import hosting, traffic
from learning.services.programs.supervisor import Supervisor
from learning.services.tuning import advancing, creating
from marketplace import storage
from tests import builders
from tests.frontend.test_tunings import a_labeled_dataset
from tests.learning.hosting_stories import a_config, a_model, follow, status_is
from tests.learning.serving.test_serve import picture
from tests.learning.test_endpoints import asking
from tests.learning.test_supervisor import finished, wait
from tests.learning.tuning.stories import RATE
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("ray"),
]
SECONDS = 900.0


@pytest.fixture
def learner(cluster, settings, make_bucket, s3_servers, tmp_path):  # noqa: F811
    settings.STORE_URL = f"{make_bucket(s3_servers['moto'])}/store"
    while cluster.runs < 2:
        cluster.add()
    executor = cluster.executor(threads=1)
    made = Supervisor(executor=executor, slots=2, serving=cluster.serving(threads=1), root=tmp_path / "programs")
    yield made
    made.shut_down()
    traffic.flush()


@pytest.fixture
def account(learner):
    return builders.an_account()


def test_trials_of_a_search_are_trained_beside_each_other(account, learner):
    dataset = a_labeled_dataset(account)
    tuning = creating.tune_on_dataset(
        account=account,
        dataset=dataset,
        validation=dataset,
        name="hive",
        hyperparameters={"image_size": 64, "epochs": 2, "batch_size": 2, "weights": "none"},
        strategy="Random",
        objective={"type": "Maximize", "metric_name": "validation:mAP"},
        searched=[RATE],
        limits={"max_jobs": 2, "max_parallel_jobs": 2},
        by="user:1",
    )

    def step():
        advancing.advance(tuning_id=tuning.pk)
        learner.step()
        tuning.refresh_from_db()

    wait(lambda: tuning.status != "InProgress", seconds=SECONDS, step=step)
    assert tuning.status == "Completed", tuning.failure_reason
    rows = list(TuningTrial.objects.filter(tuning_job=tuning).select_related("training_job__model"))
    assert [row.objective_status for row in rows] == ["Succeeded"] * 2
    assert [row.objective_value for row in rows] == [row.training_job.model.metrics["mAP"] for row in rows]
    first, second = sorted((row.training_job for row in rows), key=lambda run: run.started_at)
    assert second.started_at < first.ended_at


def test_predictions_come_back_under_the_names_of_their_images(account, learner):
    lines = []
    for number in range(3):
        uri = storage.join(hosting.boundaries.base_of(account), f"{number}.jpg")
        storage.write(uri, picture("JPEG"))
        lines.append(json.dumps({"source-ref": uri, "waggle-object-id": 10 + number}))
    manifest = storage.join(hosting.boundaries.base_of(account), "in.manifest")
    storage.write(manifest, "\n".join(lines).encode())
    run = transforms.create_transform(
        account=account, name="here", model=a_model(account), manifest_uri=manifest, hyperparameters={}, by="user:1"
    )
    wait(lambda: finished(run), seconds=SECONDS, step=learner.step)
    assert run.status == "Completed", run.failure_reason
    found = list(transforms.predictions(run))
    assert [(one.object_id, one.error) for one in found] == [(10, None), (11, None), (12, None)]
    assert all(one.boxes and one.source_ref.startswith(str(learner.root)) for one in found)


def test_an_endpoint_is_served_and_updated_without_losing_a_request(account, learner, cluster):
    old = a_config(account, a_model(account, "old"), name="old")
    new = a_config(account, a_model(account, "new"), name="new")
    endpoint = hosting.create(account=account, name="bees", config=old, by="user:1")
    follow(endpoint, learner, status_is(endpoint, "InService", "Failed"), seconds=SECONDS)
    endpoint.refresh_from_db()
    assert endpoint.status == "InService", endpoint.failure_reason
    with asking(endpoint) as found:
        _until(lambda: len(found) > 5, found)
        hosting.update(endpoint=endpoint, config=new, by="user:1")
        follow(endpoint, learner, status_is(endpoint, "InService"), seconds=SECONDS)
        answers = len(found)
        _until(lambda: len(found) > answers + 5, found)
        # The instances of the old configuration are stopped while requests go on.
        left = EndpointReplica.objects.filter(variant__deployment__status="Retired").exclude(status="Deleted")
        follow(endpoint, learner, lambda: not left.exists(), seconds=SECONDS)
        answers = len(found)
        _until(lambda: len(found) > answers + 5, found)
    assert {status for status, _ in found} == {200}, [one for one in found if one[0] != 200][:5]
    assert found[0][1] == "old" and found[-1][1] == "new"
    hosting.delete(endpoint=endpoint, by="user:1")
    follow(endpoint, learner, lambda: not type(endpoint).objects.filter(pk=endpoint.pk).exists(), seconds=SECONDS)
    client = cluster.executor().client()
    wait(lambda: not client.applications(), seconds=SECONDS)


def _until(condition, found):
    deadline = time.monotonic() + SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"callers met with {found[-3:]}"
        pause.wait(0.2)
