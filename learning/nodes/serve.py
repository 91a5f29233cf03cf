"""`python -m learning.nodes.serve`: keeps the Ray Serve application of an endpoint's instance until it is told to end.

Its order (parcels.py) is at the link in WAGGLE_NODE_ORDER; without one it deletes the applications of a run that are
named on the command line. No Django here, and no keys of the store.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from ray import serve
from ray.exceptions import RayActorError

from learning.contract import EXIT_DONE, EXIT_FAILED, JobFolder, write_atomically
from learning.nodes import desk, links, parcels
from learning.nodes.desk import Desk, say
from learning.nodes.replica import Replica
from learning.serving.paths import ADDRESS

POLL_SECONDS = 0.5
STATUS_SECONDS = 5.0
STARTS = 3
"""How often Serve tries to load the model, and we to start Serve."""
ONGOING = 72
"""Requests that a replica holds at once: those that its queue takes, and the batch that is being predicted."""
TARGET_ONGOING = 8.0
"""With more than so many requests for each replica there, another one is started."""
LOST = ("DEPLOY_FAILED", "NOT_STARTED", "DELETING")


def main() -> int:
    """Serve; returns 0 when the end was told, whatever it was."""
    killed = desk.begun()
    try:
        with desk.place() as root:
            here = Desk(os.environ.pop(parcels.ORDER_URL), root)
            status = _serve(here, killed)
            if not killed:
                here.finish(status)
    except (links.Gone, links.NotSent) as error:
        say(str(error))
        return 1
    return 0


def _serve(here: Desk, killed: list[int]) -> int:
    asked: dict[str, Any] = here.order.serving or {}
    name = asked["application"]
    _start_serve(asked)
    delete(asked["run"])
    folder = JobFolder(here.folder)
    folder.start()
    try:
        _deploy(here)
    except Exception as error:  # noqa: BLE001 - of Serve: whatever it is, the log and the row say it
        folder.write_failure(_reason(name) or f"{type(error).__name__}: {error}")
        serve.delete(name)
        return EXIT_FAILED
    write_atomically(folder.root / ADDRESS, asked["url"])
    try:
        return _watch(here, killed, name)
    finally:
        serve.delete(name)


def _start_serve(asked: dict[str, Any]) -> None:
    """Serve with one proxy, at the address that the web knows; or the Serve that there is.

    A proxy that is not ready within seconds, on a busy head, is replaced by Serve itself, which is an error only to
    whoever waits for the first one.
    """
    for attempt in range(STARTS):
        try:
            serve.start(proxy_location="HeadOnly", http_options={"host": asked["host"], "port": asked["port"]})
            return
        except RayActorError as error:
            if attempt == STARTS - 1:
                raise
            say(f"Ray Serve starts its proxy anew: {' '.join(str(error).split())[:200]}")


def _watch(here: Desk, killed: list[int], name: str) -> int:
    link, looked_at = here.order.links[parcels.INPUT], time.monotonic()
    while not killed and not here.order.stop:
        time.sleep(POLL_SECONDS)
        here.look()
        if here.renew() and here.order.links[parcels.INPUT] != link:
            link = here.order.links[parcels.INPUT]
            _deploy(here)
        if time.monotonic() > looked_at + STATUS_SECONDS:
            looked_at = time.monotonic()
            found = serve.status().applications.get(name)
            if found is None or str(getattr(found.status, "value", found.status)) in LOST:
                JobFolder(here.folder).write_failure(
                    _reason(name) or "Ray Serve does not have the application any more"
                )
                return EXIT_FAILED
    return EXIT_DONE


def _deploy(here: Desk) -> None:
    """Deploy the application, or give the one that is there a new link; raises what Serve raises."""
    asked: dict[str, Any] = here.order.serving or {}
    needs, most = asked["needs"], asked["max_replicas"]
    scale: dict[str, Any] = {"num_replicas": 1}
    if most > 1:
        scale = {
            "autoscaling_config": {
                "min_replicas": 1,
                "max_replicas": most,
                "target_ongoing_requests": TARGET_ONGOING,
            }
        }
    actor = {"num_cpus": needs["cpus"], "num_gpus": needs["gpus"], "resources": needs["others"]}
    if needs["memory_gib"]:
        actor["memory"] = int(needs["memory_gib"] * 2**30)
    deployment = serve.deployment(
        name="replica",
        ray_actor_options=actor,
        max_ongoing_requests=ONGOING,
        max_constructor_retry_count=STARTS,
        user_config={"input": here.order.links[parcels.INPUT]},
        **scale,
    )(Replica)
    serve.run(deployment.bind(), name=asked["application"], route_prefix=asked["route"])


def delete(run: str) -> None:
    """Delete the applications that earlier starts of the run have left."""
    for name in list(serve.status().applications):
        if name.startswith(f"{run}-"):
            serve.delete(name)


def _reason(name: str) -> str:
    found = serve.status().applications.get(name)
    return " ".join(found.message.split())[:1000] if found is not None else ""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(f"{parcels.BEGIN}\ndeleting {sys.argv[1]} in {Path.cwd().name}", flush=True)
        delete(sys.argv[1])
        sys.exit(0)
    sys.exit(main())
