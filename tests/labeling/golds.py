"""Builders of jobs whose work has golds."""

from labeling.models import DataObject, Gold
from labeling.services.golds import keeping
from labeling.services.jobs.batches import open_batch
from tests.labeling import stories

TRUE = stories.boxes((100, 100, 50, 40))
WRONG = stories.boxes((400, 300, 50, 40))


def a_job_with_golds(*, golds=4, objects=20, rate=20, workers=3, batch=True, **changes):
    """A job of which the first `golds` objects are golds, one bee each; the others are open to its workers."""
    options = {"rate": rate} | changes.pop("golds_options", {})
    job, people = stories.a_funded_job(workers=workers, objects=golds + objects, golds=options, **changes)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    made = [keeping.add(data_object=row, content=TRUE, by="user:1") for row in rows[:golds]]
    if batch:
        open_batch(job=job, object_ids=[row.pk for row in rows[golds:]], by="system")
    return job, people, made


def state_of(gold):
    """The gold's state now."""
    return Gold.objects.values_list("state", flat=True).get(pk=gold.pk)
