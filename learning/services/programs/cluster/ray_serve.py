"""Instances of endpoints as applications of Ray Serve, one for each row of an instance; the rows switch the routes.

A job on the cluster (learning/nodes/serve.py) deploys the application and holds it: it ends with the job. Knows the
settings that say where Serve listens; neither endpoints nor how requests are sent.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from learning.nodes.parcels import Order
from learning.services.programs.cluster.ray_jobs import HOLDER, RayExecutor, ask, run_of

MODULE = "learning.nodes.serve"
EVERYWHERE = "0.0.0.0"


class RayServeExecutor(RayExecutor):
    """As RayExecutor, for programs that serve. `url`: where the web reaches Serve; `most`: replicas an instance."""

    def __init__(self, address: str, *, url: str, most: int, **options: Any):
        super().__init__(address, **options)
        self.url, self.most = url.rstrip("/"), most

    def clear(self, folder: Path) -> int:
        """See Executor.clear. A job that was killed has left its application."""
        ended = super().clear(folder)
        run = f"{self.prefix}-{run_of(folder)}"
        client = self.client()
        left = [name for name in ask(client.applications) if name.startswith(f"{run}-")]
        if left:
            submission = f"{run}-clear-{left[-1].rsplit('-', 1)[1]}"
            self.submit(client, submission, HOLDER, module=MODULE, arguments=[run], environment={})
        return ended

    def serving(self, folder: Path, number: int) -> dict[str, Any] | None:
        """See RayExecutor.serving."""
        run = f"{self.prefix}-{run_of(folder)}"
        route = f"/{run}-{number}"
        return {
            "run": run,
            "application": f"{run}-{number}",
            "route": route,
            "url": f"{self.url}{route}",
            "host": EVERYWHERE,
            "port": urlsplit(self.url).port or 80,
            "max_replicas": self.most,
            "needs": asdict(self.needs(folder)),
        }

    def module(self, order: Order) -> str:
        """See RayExecutor.module."""
        return MODULE
