"""Pre-labels as consolidation reads them: what models proposed for objects, and which workers began with it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from labeling import task_types
from labeling.consolidation.answers import Proposal
from labeling.models import LabelingJob, PreLabel, PreLabelUse
from labeling.services.one_by_one import OF_ONE_OBJECT

INPUT = "input"
"""The name under which the labels of the input manifest are known to consolidation."""


def proposals(
    job: LabelingJob, object_ids: Iterable[int], began: Mapping[int, frozenset[str]]
) -> dict[int, tuple[Proposal[Any], ...]]:
    """What models proposed for each of these objects; none, and no query, for jobs without pre-labels.

    `began`: the public ids of the workers who were given a task that shows the pre-label, by the object's key.
    """
    if not job.prelabels:
        return {}
    kind = task_types.get(job.task_type)
    found: dict[int, list[Proposal[Any]]] = defaultdict(list)
    rows = PreLabel.objects.filter(data_object__in=list(object_ids)).order_by("data_object", "model_name")
    for row in rows:
        seen_by = began.get(row.data_object_id, frozenset()) if row.use == PreLabelUse.SHOWN else frozenset()
        try:
            value = kind.renamed(kind.read_value(row.value), job.earlier_labels)
        except OF_ONE_OBJECT:
            # A label that cannot be read any more, after a change of classes, proves nothing.
            continue
        name, counts = f"model:{row.model_name or INPUT}", row.use == PreLabelUse.COUNTED
        found[row.data_object_id].append(Proposal(name, value, seen_by, counts))
    return {pk: tuple(some) for pk, some in found.items()}
