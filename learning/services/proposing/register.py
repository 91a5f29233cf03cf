"""Makes the sources of pre-labels known that this room has: a loop, a model, an endpoint.

What they do is imported when it is asked for: every process registers them, and few need numerics.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from labeling.models import LabelingJob
from labeling.services.prelabels import sources
from labeling.services.prelabels.sources import Proposed, Source

if TYPE_CHECKING:
    from labeling.services.jobs.design import Design

LOOP = "loop"


def _check_loop(design: "Design") -> Iterable[tuple[str, str]]:
    if not (design.automated_labeling or {}).get("enabled"):
        yield "prelabels.source", "pre-labels of a loop need automated labeling, which is off"


def _of_loop(job: LabelingJob, object_ids: Sequence[int]) -> Mapping[int, Proposed] | None:
    from learning.services.proposing import of_loop

    return of_loop.propose(job, object_ids)


def _check_model(design: "Design") -> Iterable[tuple[str, str]]:
    from learning.services.proposing import of_model

    return of_model.check_model(design)


def _check_endpoint(design: "Design") -> Iterable[tuple[str, str]]:
    from learning.services.proposing import of_model

    return of_model.check_endpoint(design)


def _of_model(job: LabelingJob, object_ids: Sequence[int]) -> Mapping[int, Proposed] | None:
    from learning.services.proposing import of_model

    return of_model.propose(job, object_ids)


def register() -> None:
    """Make them known. Safe to repeat."""
    sources.register(LOOP, Source((), _check_loop, _of_loop))
    sources.register("model", Source(("model",), _check_model, _of_model))
    sources.register("endpoint", Source(("endpoint",), _check_endpoint, _of_model))
