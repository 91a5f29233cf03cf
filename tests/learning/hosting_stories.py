"""What the tests of endpoints share: models that need no training, endpoints of them, and a learner that runs them."""

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from learning import transitions
from learning.contract import ModelConfig
from learning.models import Endpoint, EndpointConfig, EndpointReplica, Model
from learning.services import registry
from learning.services.hosting import deploying, hosting, invoke
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account
from tests.learning.serving import quadrants

SECONDS = 120.0


def a_model(account: Account, name: str = "quadrants", **options: Any) -> Model:
    """A model of the registry; see tests.learning.serving.quadrants."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = quadrants.write_model(Path(scratch), **options)
        artifact, parts = registry.upload(account=account, name=name, folder=folder)
        config = ModelConfig.read(folder)
    return registry.register(account=account, name=name, config=config, artifact_uri=artifact, parts_uri=parts)


def a_config(account: Account, *models: Model, name: str = "first", **options: Any) -> EndpointConfig:
    """A configuration with a variant for each model, called after it, with one instance and the weight 1."""
    variants = [{"name": model.name, "model": model.name} for model in models]
    return hosting.create_config(account=account, name=name, variants=variants, **options)


def an_endpoint(account: Account, config: EndpointConfig, *, name: str = "bees", serving: bool = True) -> Endpoint:
    """An endpoint; if `serving`, its instances are said to answer and it is InService."""
    endpoint = hosting.create(account=account, name=name, config=config, by="user:1")
    if serving:
        answer_all(endpoint)
        deploying.advance(endpoint_id=endpoint.pk)
        endpoint.refresh_from_db()
        assert endpoint.status == "InService"
    return endpoint


def answer_all(endpoint: Endpoint) -> None:
    """Say of every instance that is being created that it answers, as the learner does."""
    for replica in EndpointReplica.objects.filter(variant__deployment__endpoint=endpoint, status="Creating"):
        transitions.REPLICA.advance(replica, "InService", by="learner", progress=1.0)


def follow(
    endpoint: Endpoint, supervisor: Supervisor, until: Callable[[], object], *, seconds: float = SECONDS
) -> None:
    """Let the learner and the queue work until that is so."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it did not happen"
        supervisor.step()
        deploying.advance(endpoint_id=endpoint.pk)
        time.sleep(0.1)


def status_is(endpoint: Endpoint, *wanted: str) -> Callable[[], bool]:
    """Whether the endpoint is in one of these states."""
    return lambda: Endpoint.objects.get(pk=endpoint.pk).status in wanted


@contextmanager
def answering(endpoint: Endpoint, rows: Sequence[Sequence[float]]) -> Iterator[None]:
    """The instances of the endpoint answer every request with these rows [class, score, corners as shares]."""

    class Instance(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"prediction": rows}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Instance)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    instances = EndpointReplica.objects.filter(variant__deployment__endpoint=endpoint)
    instances.update(url=f"http://127.0.0.1:{server.server_port}")
    invoke.ROUTER.targets(endpoint, fresh=True)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
