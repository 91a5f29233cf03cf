"""Pre-labels of objects that are about to be opened to people, and what people are shown of them.

Whether people see a good pre-label, or it counts as one more answer, is drawn by lot, the same way whenever an object
is looked at. Knows no money.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from labeling import task_types
from labeling.models import DataObject, LabelingJob, PreLabel, PreLabelUse
from labeling.services.prelabels.sources import SOURCES, Proposed
from labeling.task_types.base import Shown, Size

CHUNK = 500
IN_USE = (PreLabelUse.SHOWN, PreLabelUse.COUNTED)


def prepare(job: LabelingJob, object_ids: Sequence[int], *, apart: Collection[int] = ()) -> bool:
    """Store the pre-labels of objects that are opened next; False while they are not known yet.

    Those `apart`, whose labels must be independent of them, are not shown and do not count. The objects must have been
    inspected. Safe to repeat.
    """
    if not job.prelabels:
        return True
    source = SOURCES.get(job.prelabels["source"])
    proposed: Mapping[int, Proposed] | None = {} if source is None else source.propose(job, object_ids)
    if proposed is None:
        return False
    # What was in use before is not any more, also where nothing new is proposed.
    set_apart(object_ids)
    store(job, proposed, apart=apart)
    return True


def set_apart(object_ids: Iterable[int]) -> None:
    """The pre-labels of these objects are not shown and do not count any more."""
    PreLabel.objects.filter(data_object__in=list(object_ids), use__in=IN_USE).update(use=PreLabelUse.APART)


def store(job: LabelingJob, proposed: Mapping[int, Proposed], *, apart: Collection[int] = ()) -> None:
    """Store what is proposed for objects that have been inspected, in place of what the same model proposed before."""
    kind = task_types.get(job.task_type)
    if (proposing := kind.proposing) is None:
        raise TypeError(f"labels of {kind.name} that a model proposes are of no use to people")
    sizes = dict(_sizes(job, proposed))
    rows = []
    for pk, one in proposed.items():
        if pk not in sizes:
            continue
        answer = proposing.begun(one.answer, size=sizes[pk])
        good = pk not in apart and (proposing.counted or (one.good and bool(kind.classes(answer))))
        blind = by_lot(job, pk) < job.prelabels["blind_share"]
        used = PreLabelUse.COUNTED if proposing.counted else PreLabelUse.SHOWN
        use = PreLabelUse.APART if not good else PreLabelUse.BLIND if blind else used
        rows.append(PreLabel(data_object_id=pk, model_name=one.model_name, use=use, value=kind.value(answer)))
    PreLabel.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["data_object", "model_name"],
        update_fields=["use", "value", "created_at"],
        batch_size=CHUNK,
    )


def _sizes(job: LabelingJob, object_ids: Iterable[int]) -> Iterable[tuple[int, Size]]:
    rows = DataObject.objects.filter(job=job, pk__in=list(object_ids)).exclude(width=None)
    return ((pk, (width, height)) for pk, width, height in rows.values_list("pk", "width", "height"))


def by_lot(job: LabelingJob, object_id: int) -> float:
    """A number of the object within 0 and 1 that nobody outside can foretell, evenly spread over the job's objects."""
    drawn = hashlib.sha256(f"{job.reference_code}:{object_id}".encode()).digest()[:8]
    return int.from_bytes(drawn, "big") / 2**64


def to_check(object_ids: Iterable[int]) -> set[int]:
    """Those of these objects whose pre-label people are shown."""
    rows = PreLabel.objects.filter(data_object__in=list(object_ids), use=PreLabelUse.SHOWN)
    return set(rows.values_list("data_object", flat=True))


def shown(*, object_id: int, task_type: str) -> Shown:
    """How the element of a task that checks begins with the pre-label of its object."""
    row = PreLabel.objects.filter(data_object=object_id, use=PreLabelUse.SHOWN).first()
    return Shown() if row is None else Shown(initial_value=task_types.get(task_type).initial_value(row.value))
