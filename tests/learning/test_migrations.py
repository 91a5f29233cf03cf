"""Rows that are older than a migration of this room keep what they say."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from labeling.models import DataObject
from learning.models import LearningLoop, LoopObject, Split
from tests.labeling import stories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BEFORE = ("learning", "0002_resume_and_rule")


def migrate(*targets):
    """Migrate to these; returns the apps of that state."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return executor.loader.project_state(list(targets)).apps


def newest():
    return [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "learning"]


def test_the_split_of_an_object_and_the_requests_of_a_loop_are_carried_over():
    job, _ = stories.a_funded_job(workers=1)
    loop = LearningLoop.objects.create(job=job, advance_requests=7)
    pks = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True)[:3])
    for pk, split in zip(pks, (Split.TRAIN, Split.VALIDATION, ""), strict=True):
        LoopObject.objects.create(loop=loop, data_object_id=pk, split=split)
    try:
        old = migrate(BEFORE)
        rows = old.get_model("learning", "LoopObject").objects.order_by("data_object")
        assert list(rows.values_list("role", flat=True)) == ["train", "validation", ""]
        assert old.get_model("learning", "LearningLoop").objects.get().nudges == 7
    finally:
        migrate(*newest())
    kept = LoopObject.objects.order_by("data_object").values_list("split", flat=True)
    assert list(kept) == [Split.TRAIN, Split.VALIDATION, ""]
    loop.refresh_from_db()
    assert (loop.advance_requests, loop.advancing_by, loop.advancing_until) == (7, "", None)
