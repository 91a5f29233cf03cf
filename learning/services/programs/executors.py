"""The executors that the settings ask for. Knows the settings; neither rows nor programs."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings

from learning.services.programs.cluster.ray_jobs import RayExecutor
from learning.services.programs.cluster.ray_serve import RayServeExecutor
from learning.services.programs.executor import Executor, LocalExecutor, NotRun
from marketplace.settings_cluster import LOCAL

__all__ = ["LOCAL", "of_settings"]


def of_settings() -> tuple[Executor, Executor]:
    """What runs programs that end, and what runs those that serve. Raises NotRun where Ray is not installed."""
    given: dict[str, Any] = {"threads": settings.LEARNER_THREADS, "inherited": settings.LEARNER_ENVIRONMENT}
    # Callers wait for what programs that serve answer, as they do for the web: these keep their priority.
    if settings.EXECUTOR == LOCAL:
        return LocalExecutor(niceness=settings.LEARNER_NICENESS, **given), LocalExecutor(**given)
    if find_spec("ray") is None:
        raise NotRun(
            f"WAGGLE_EXECUTOR is {settings.EXECUTOR}, and Ray is not installed: pip install -r requirements-ray.txt"
        )
    given |= {
        "resources": {
            "trainingjob": settings.RAY_TRAINING,
            "transformjob": settings.RAY_PREDICTION,
            "modelimport": settings.RAY_PREDICTION,
            "endpointreplica": settings.RAY_SERVING,
        },
        "lost_seconds": settings.RAY_LOST_SECONDS,
        "python": settings.RAY_PYTHON,
    }
    address = settings.EXECUTOR.replace("ray://", "http://", 1)
    return (
        RayExecutor(
            address,
            niceness=settings.LEARNER_NICENESS,
            lines=settings.RAY_PREDICTION_LINES,
            jobs=settings.RAY_PREDICTION_JOBS,
            **given,
        ),
        RayServeExecutor(address, url=settings.RAY_SERVE_URL, most=settings.RAY_SERVE_REPLICAS, **given),
    )
