"""Ray's own client of its jobs. The only file that imports ray; read only where the executor is a Ray cluster."""

import logging
from typing import Any

from ray.job_submission import JobSubmissionClient

UPLOAD_SECONDS = 300.0
CONDITION_SECONDS = 5
"""A learner that asks how the cluster is has more to do meanwhile."""
MOST_NODES = 10_000


class Client(JobSubmissionClient):
    """As Ray has it, but no request waits for ever: a machine that is gone does not refuse."""

    seconds = 15.0

    def _do_request(self, method: str, endpoint: str, **more: Any) -> Any:
        seconds = UPLOAD_SECONDS if more.get("data") is not None else self.seconds
        return super()._do_request(method, endpoint, **({"timeout": seconds} | more))

    def applications(self) -> list[str]:
        """The names of the applications of Ray Serve that there are. Raises RuntimeError, OSError."""
        response = self._do_request("GET", "/api/serve/applications/")
        if response.status_code != 200:
            raise RuntimeError(f"Ray Serve cannot be asked: status {response.status_code}")
        return sorted(response.json()["applications"])

    def nodes(self) -> list[dict[str, Any]]:
        """Every node that the cluster has had, as Ray's state API tells. Raises RuntimeError, OSError."""
        asked = {"limit": MOST_NODES, "timeout": CONDITION_SECONDS}
        response = self._do_request("GET", "/api/v0/nodes", params=asked, timeout=CONDITION_SECONDS)
        if response.status_code != 200:
            raise RuntimeError(f"the nodes cannot be asked for: status {response.status_code}")
        found: list[dict[str, Any]] = response.json()["data"]["result"]["result"]
        return found


def connect(address: str, *, seconds: float) -> Client:
    """A client of the cluster whose dashboard is there; requests that get no answer fail after so many seconds.

    Raises ConnectionError when nobody answers, RuntimeError for a server that is not Ray's.
    """
    # It tells of every package and every connection.
    logging.getLogger("ray").setLevel(logging.WARNING)
    client = Client(address)
    client.seconds = seconds
    return client
