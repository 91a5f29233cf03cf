"""Builders of qualification types and of tests, whose questions come from a job that the requester labeled."""

from typing import Any

from labeling.models import DataObject, LabelingJob, QualificationAttempt
from labeling.services.qualifications import making, taking
from labeling.services.qualifications.making import TestDesign
from labeling.services.results import adjudication
from marketplace.models import Account, QualificationType, Workteam
from tests import builders
from tests.labeling import stories

NO_BOX = stories.boxes()


def a_labeled_job(account: Account, team: Workteam, *, objects: int = 6, **changes: Any) -> LabelingJob:
    """A job whose requester has decided every object: one bee each. The pictures are in the store."""
    job = stories.a_job(account, team, objects=objects, **changes)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    uris = builders.tiny_images(len(rows), account=account, size=stories.SIZE)
    for row, uri in zip(rows, uris, strict=True):
        row.source_ref = uri
    DataObject.objects.bulk_update(rows, ["source_ref"])
    for row in rows:
        adjudication.adjudicate(data_object=row, content=stories.ONE_BEE, by="user:1")
    return job


def a_test(
    account: Account, job: LabelingJob, *, design: dict[str, Any] | None = None, **changes: Any
) -> QualificationType:
    """A type granted by a test of two questions and one to train with, at 80 %."""
    values = {"name": "Bees", "description": "Knows bees", "granted_by": "Test", "mark": 80} | changes
    test = TestDesign(job=job, **({"questions": 2, "training": 1, "instructions": "Draw tightly"} | (design or {})))
    return making.create(account=account, by="user:1", test=test, **values)


def work_off(attempt: QualificationAttempt, *contents: dict[str, Any]) -> QualificationAttempt:
    """Answer the questions of an attempt with these contents, and all further ones with the last of them."""
    given = list(contents)
    while (asked := taking.current(attempt)) is not None:
        content = given.pop(0) if len(given) > 1 else given[0]
        taking.answer(attempt=attempt, question_id=asked.question_id, content=content)
    return attempt
