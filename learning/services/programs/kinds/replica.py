"""Replicas of endpoints: processes that serve a model over HTTP until they are stopped."""

import http.client
from urllib.parse import urlsplit

from django.conf import settings

from learning import transitions
from learning.contract import MODEL, BadInput, JobFolder, write_atomically
from learning.models import EndpointReplica
from learning.services.hosting.replica_tokens import token_of
from learning.services.programs import staging
from learning.services.programs.kinds.interface import ServingKind
from learning.serving import paths
from marketplace.queue import enqueue

PING_SECONDS = 2.0


class ReplicaKind(ServingKind[EndpointReplica]):
    """Runs learning.serving.serve with the model of the replica's variant."""

    model = EndpointReplica
    machine = transitions.REPLICA
    module = "learning.serving.serve"
    # Before everything else: requests wait for it.
    priority = 4
    stopping, stopped, starting, ready = "Deleting", "Deleted", "Creating", "InService"

    def stage(self, run: EndpointReplica, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        model = run.variant.model
        if model is None:
            raise BadInput("the model was deleted")
        own = {"host": settings.LEARNER_ADDRESS}
        staging.stage(run, folder, channels={MODEL: {"name": model.name}}, own_hyperparameters=own)
        write_atomically(folder.root / paths.TOKEN, token_of(run.pk))
        for name in (paths.PORT, paths.ADDRESS):
            (folder.root / name).unlink(missing_ok=True)

    def is_ready(self, run: EndpointReplica, folder: JobFolder) -> bool:
        """See ServingKind.is_ready. Whoever sends requests learns the address from the row."""
        url = _address(folder)
        if not url or not _answers(url, token_of(run.pk)):
            return False
        EndpointReplica.objects.filter(pk=run.pk, claimed_by=run.claimed_by).update(url=url)
        return True

    def after_end(self, run: EndpointReplica) -> None:
        """See ProgramKind.after_end."""
        enqueue("learning.background.advance_endpoint_of_replica", run.pk)


def _address(folder: JobFolder) -> str:
    """Where the program listens; "" before it does."""
    address, port = folder.root / paths.ADDRESS, folder.root / paths.PORT
    if address.exists():
        return address.read_text(encoding="ascii")
    if not port.exists():
        return ""
    host = settings.LEARNER_ADDRESS
    return f"http://{f'[{host}]' if ':' in host else host}:{port.read_text(encoding='ascii')}"


def _answers(url: str, token: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PING_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/ping", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
