"""The rows of benchmarks/endpoint.py: an account with a model, two configurations of it, and an endpoint.

Imported once Django is set up.
"""

from pathlib import Path

from learning.contract import ModelConfig
from learning.models import Endpoint, EndpointReplica
from learning.services import registry
from learning.services.hosting import hosting
from learning.services.hosting.replicas import LIVE
from marketplace.services import accounts

BY = "system"


def make(model: Path) -> tuple[str, Endpoint]:
    """The secret of a token and the endpoint "bench", which is being created."""
    user = accounts.create_user(email="bench@example.org", password="clover-and-heather-9", display_name="Bench")
    account = accounts.create_account(name="Bench", owner=user)
    _, secret = accounts.create_token(user=user, account=account, name="bench")
    artifact, parts = registry.upload(account=account, name="bench", folder=model)
    config = ModelConfig.read(model)
    registry.register(account=account, name="bench", config=config, artifact_uri=artifact, parts_uri=parts)
    for name in ("first", "second"):
        hosting.create_config(account=account, name=name, variants=[{"name": name, "model": "bench"}])
    first = hosting.EndpointConfig.objects.get(account=account, name="first")
    return secret, hosting.create(account=account, name="bench", config=first, by=BY)


def status(endpoint: Endpoint) -> str:
    """The endpoint's status now."""
    endpoint.refresh_from_db()
    if endpoint.status == "Failed":
        raise SystemExit(endpoint.failure_reason)
    return endpoint.status


def update(endpoint: Endpoint) -> None:
    """Begin to serve the other configuration, by way of a canary."""
    config = hosting.EndpointConfig.objects.get(account=endpoint.account, name="second")
    strategy = {"type": "Canary", "step_percent": 20, "bake_seconds": 5}
    endpoint.refresh_from_db()
    hosting.update(endpoint=endpoint, config=config, strategy=strategy, by=BY)


def settled(endpoint: Endpoint) -> bool:
    """Whether the update is over and the old instance gone."""
    live = EndpointReplica.objects.filter(variant__deployment__endpoint=endpoint, status__in=LIVE)
    return status(endpoint) == "InService" and endpoint.config.name == "second" and live.count() == 1
