"""Imports what was found in an AWS folder, in the order in which things need each other. Safe to repeat.

Models are not among it: they belong to another room.
"""

from collections.abc import Iterator, Sequence

from labeling.formats.aws_folder.things import (
    CATEGORIES,
    FLOW,
    LABELING_JOB,
    MANIFEST,
    OUTPUT,
    STOPS,
    TASK_UI,
    TEMPLATE,
    WORK_TEAM,
    Thing,
    by_kind,
)
from labeling.services.migration import labels, reviews
from labeling.services.migration.plans import LEFT_OUT, Done, Plan

WILL_NOT_RUN = "will not run here, see --check"
NOT_MADE = {
    LABELING_JOB: "jobs are not started: a new one is made from the imported data set",
    CATEGORIES: "is given to a job as it is",
}
"""Things that have no counterpart until a job is made."""


def take_in(things: Sequence[Thing], plan: Plan) -> Iterator[Done]:
    """Import everything but models; what will not run is left out, except labels, of which the readable ones come."""
    for kind, one_by_one in (
        (WORK_TEAM, reviews.take_in_team),
        (TEMPLATE, reviews.take_in_template),
        (TASK_UI, reviews.take_in_task_ui),
        (FLOW, reviews.take_in_flow),
    ):
        for thing in by_kind(things, kind):
            stops = thing.verdict == STOPS
            yield Done(kind, thing.name, LEFT_OUT, WILL_NOT_RUN) if stops else one_by_one(thing, plan)
    for thing in (*by_kind(things, OUTPUT), *by_kind(things, MANIFEST)):
        if thing.verdict == STOPS and not thing.data["labels"]:
            yield Done(thing.kind, thing.name, LEFT_OUT, WILL_NOT_RUN)
        else:
            yield from labels.take_in(thing, plan)
    for thing in things:
        if thing.kind in NOT_MADE:
            yield Done(thing.kind, thing.name, LEFT_OUT, NOT_MADE[thing.kind])
