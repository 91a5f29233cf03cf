"""Endpoints with real instances: the learner starts them, requests go to them, updates and kills lose none."""

import json
import os
import signal
import threading
import time
from contextlib import contextmanager

import psutil
import pytest
from django.db import connections

from learning.models import Endpoint, EndpointReplica, Variant
from learning.services.hosting import capture, hosting, invoke, traffic
from learning.services.hosting.replica_tokens import token_of
from learning.services.programs.executor import MARK, LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.errors import EndpointNotReady, Invalid
from tests import builders
from tests.learning.hosting_stories import a_config, a_model, follow, status_is
from tests.learning.serving.test_serve import picture

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def learner(tmp_path):
    made = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()
    traffic.flush()


@pytest.fixture
def account(db):
    return builders.an_account()


@contextmanager
def asking(endpoint, *, callers=2):
    """Callers that ask one after the other, as long as the block runs; gives what they met with."""
    found, over, image = [], threading.Event(), picture("JPEG")

    def ask():
        while not over.is_set():
            try:
                answer = invoke.invoke(endpoint=endpoint, image=image, content_type="image/jpeg")
                found.append((answer.status, answer.variant))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what a caller would have met with
                found.append((type(error).__name__, str(error)))
            # Room for the instances, which run on the same cores.
            time.sleep(0.02)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join()


def serve(account, learner, config, name="bees"):
    endpoint = hosting.create(account=account, name=name, config=config, by="user:1")
    follow(endpoint, learner, status_is(endpoint, "InService", "Failed"))
    endpoint.refresh_from_db()
    assert endpoint.status == "InService", endpoint.failure_reason
    return endpoint


def process_of(replica, learner):
    folder = str(learner.root / replica.folder)
    return next(one for one in psutil.process_iter() if _mark(one) == folder)


def _mark(process):
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def gone(endpoint):
    return lambda: not Endpoint.objects.filter(pk=endpoint.pk).exists()


def test_an_endpoint_from_its_creation_to_its_end(account, learner):
    """One story, because instances take seconds to start."""
    old, new = a_model(account, "old"), a_model(account, "new")
    config = a_config(account, old, capture_percent=100)
    endpoint = serve(account, learner, config)

    # It answers with the boxes of its model, and says which variant did.
    answer = invoke.invoke(
        endpoint=endpoint, image=picture(), content_type="image/png", target_variant="old", inference_id="a-1"
    )
    best = json.loads(answer.body)["prediction"][0]
    assert (answer.status, answer.variant, best[1]) == (200, "old", pytest.approx(1, abs=0.02))
    refused = invoke.invoke(endpoint=endpoint, image=b"no picture", content_type="image/png")
    assert refused.status == 400 and "not an image" in refused.message
    with pytest.raises(Invalid, match="'newest' found, one of old expected"):
        invoke.invoke(endpoint=endpoint, image=picture(), content_type="image/png", target_variant="newest")

    # What was asked and answered is kept, in SageMaker's form.
    capture.flush()
    (kept,) = storage.list(config.capture_uri)
    assert "/bees/old/20" in kept.uri and kept.uri.endswith(".jsonl")
    (line,) = map(json.loads, storage.read(kept.uri).splitlines())
    assert line["captureData"]["endpointInput"]["mode"] == "INPUT"
    assert line["captureData"]["endpointOutput"]["data"] == answer.body.decode()
    assert line["eventMetadata"]["inferenceId"] == "a-1"

    # An update under load: nobody notices but by the name of who answers.
    second = a_config(account, new, name="second")
    strategy = {"type": "Canary", "step_percent": 50, "bake_seconds": 2}
    with asking(endpoint) as found:
        hosting.update(endpoint=endpoint, config=second, by="user:1", strategy=strategy)
        follow(endpoint, learner, status_is(endpoint, "InService"))
        retired = EndpointReplica.objects.filter(variant__deployment__config=config)
        follow(endpoint, learner, lambda: retired.get().status == "Deleted")
    assert {status for status, _ in found} == {200}, [one for one in found if one[0] != 200][:3]
    assert {variant for _, variant in found} == {"old", "new"} and found[-1][1] == "new"

    traffic.flush()
    counts = traffic.totals(list(Variant.objects.values_list("pk", flat=True)))
    assert sum(one.requests for one in counts.values()) == len(found) + 2
    assert sum(one.errors for one in counts.values()) == 0 and sum(one.refused for one in counts.values()) == 1

    hosting.delete(endpoint=endpoint, by="user:1")
    follow(endpoint, learner, gone(endpoint))
    with pytest.raises(EndpointNotReady):
        invoke.invoke(endpoint=endpoint, image=picture(), content_type="image/png")
    assert not list(learner.root.glob("endpointreplica-*"))


def test_an_instance_that_is_killed_costs_no_request(account, learner):
    config = hosting.create_config(
        account=account, name="two", variants=[{"name": "a", "model": a_model(account).name, "instance_count": 2}]
    )
    endpoint = serve(account, learner, config)
    victim = EndpointReplica.objects.order_by("pk")[0]
    with asking(endpoint) as found:
        while len(found) < 5:
            time.sleep(0.05)
        os.kill(process_of(victim, learner).pid, signal.SIGKILL)
        follow(endpoint, learner, lambda: EndpointReplica.objects.get(pk=victim.pk).status == "Creating")
        seen = len(found)
        # Started again, and asked again.
        follow(endpoint, learner, lambda: EndpointReplica.objects.get(pk=victim.pk).status == "InService")
    assert len(found) > seen >= 5 and {status for status, _ in found} == {200}
    assert token_of(victim.pk) != token_of(victim.pk + 1)


def test_an_update_to_a_model_that_cannot_run_is_rolled_back(account, learner):
    endpoint = serve(account, learner, a_config(account, a_model(account, "old")))
    broken = a_model(account, "broken", config_size=32)
    with asking(endpoint, callers=1) as found:
        hosting.update(endpoint=endpoint, config=a_config(account, broken, name="second"), by="user:1")
        follow(endpoint, learner, status_is(endpoint, "InService"))
    endpoint.refresh_from_db()
    assert "the update was rolled back: an instance of the variant 'broken'" in endpoint.failure_reason
    assert "the model cannot be run" in endpoint.failure_reason and endpoint.config.name == "first"
    assert set(found) == {(200, "old")}
