"""Builders of labeling jobs for tests: inspected objects, a team, money, and answers."""

import itertools
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from labeling.models import Assignment, DataObject, LabelingJob, ObjectLine, PlannedAdvance
from labeling.services.jobs import creation, limits, status
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments, worklist
from labeling.services.queue.worklist import AvailableWork
from marketplace.errors import TaskLimit
from marketplace.models import Account, User, Worker, Workteam
from tests import builders

SIZE = (640, 480)
PRICE = 36_000
FEE = 7_200
_numbers = itertools.count(1)


def a_design(account: Account, team: Workteam, **changes: Any) -> dict[str, Any]:
    """The arguments of create_job; the input is a manifest of one line."""
    number = next(_numbers)
    uri = changes.get("input_manifest_uri", "") or builders.a_manifest(account, [{"source-ref": "s3://bees/0.png"}])
    design = {
        "account": account,
        "by": "user:1",
        "name": f"bees-{number}",
        "labels": ["bee", "wasp"],
        "workteam": team,
        "input_manifest_uri": uri,
        "title": "Draw a box around each insect",
        "description": "Bees and wasps on flowers",
        "price_micros": PRICE,
        "expected_seconds": 9,
        "workers_per_object": 3,
        "content_classifiers": list(limits.CONTENT_CLASSIFIERS),
    }
    return design | changes


def a_job(account: Account, team: Workteam, *, objects: int = 4, **changes: Any) -> LabelingJob:
    """A job InProgress whose images have been ingested and inspected; it has no batch yet."""
    job = creation.create_job(**a_design(account, team, **changes))
    add_objects(job, objects)
    with transaction.atomic():
        status.move(job, "InProgress", by="system")
    return job


def add_objects(job: LabelingJob, objects: int) -> None:
    """Append `objects` inspected data objects to those of the job."""
    first = job.objects_total
    rows = DataObject.objects.bulk_create(
        DataObject(job=job, index=n, source_ref=f"s3://bees/{n}.png", width=SIZE[0], height=SIZE[1], depth=3)
        for n in range(first, first + objects)
    )
    ObjectLine.objects.bulk_create(
        ObjectLine(data_object=row, text=f'{{"source-ref": "s3://bees/{row.index}.png"}}') for row in rows
    )
    LabelingJob.objects.filter(pk=job.pk).update(objects_total=first + objects)
    job.refresh_from_db()


def open_pictures(job: LabelingJob) -> LabelingJob:
    """Store an image for every object of the job and open a batch of all of them."""
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    for row, uri in zip(rows, builders.tiny_images(len(rows), account=job.account, size=SIZE), strict=True):
        row.source_ref = uri
    DataObject.objects.bulk_update(rows, ["source_ref"])
    open_batch(job=job, object_ids=[row.pk for row in rows], by="system")
    return job


def an_account(*, funds: str = "100") -> Account:
    """A requester's account. Its owner has no password, because hashing one takes long."""
    number = next(_numbers)
    owner = User.objects.create(username=f"owner{number}", email=f"owner{number}@example.org", password="!")
    return builders.an_account(funds=funds, owner=owner)


def a_crowd(count: int) -> list[Worker]:
    """New workers. They have no passwords, because hashing one for each takes long."""
    numbers = [next(_numbers) for _ in range(count)]
    users = User.objects.bulk_create(
        User(username=f"crowd{n}@example.org", email=f"crowd{n}@example.org", password="!") for n in numbers
    )
    return Worker.objects.bulk_create(Worker(user=u, public_id=f"CROWD{u.pk:06d}") for u in users)


def a_funded_job(*, workers: int = 3, funds: str = "100", **changes: Any) -> tuple[LabelingJob, list[Worker]]:
    """A job InProgress with a private team of `workers` workers; returns both."""
    account = an_account(funds=funds)
    people = a_crowd(workers)
    return a_job(account, builders.a_team(account=account, workers=people), **changes), people


def an_open_job(**changes: Any) -> tuple[LabelingJob, list[Worker]]:
    """A funded job of which every object has an open task, and its workers."""
    job, workers = a_funded_job(**changes)
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    open_batch(job=job, object_ids=ids, by="system")
    return job, workers


def boxes(*drawn: tuple[float, float, float, float], label: str = "bee") -> dict[str, Any]:
    """The crowd element's answer with these boxes, each (left, top, width, height)."""
    return {
        "boundingBox": {
            "boundingBoxes": [
                {"left": left, "top": top, "width": width, "height": height, "label": label}
                for left, top, width, height in drawn
            ],
            "inputImageProperties": {"width": SIZE[0], "height": SIZE[1]},
        }
    }


ONE_BEE = boxes((100, 100, 50, 40))


def answer(seat: Assignment, content: dict[str, Any] = ONE_BEE, *, key: str = "") -> assignments.Submission:
    """Submit an answer for the worker who holds the seat."""
    return assignments.submit(
        assignment=seat, worker=seat.worker, content=content, seconds=8.5, key=key or f"key:{seat.pk}"
    )


def claim_and_answer(worker: Worker, job: LabelingJob) -> int:
    """Claim a task of the job and submit its answer; returns the task's key."""
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert seat is not None
    answer(seat)
    return seat.task_id


def work_list(worker: Worker) -> list[AvailableWork]:
    """Everything on the worker's list, without pages."""
    return worklist.with_counts(worker, worklist.queues_with_work(worker))


def work(worker: Worker, job: LabelingJob, content: dict[str, Any] = ONE_BEE, *, most: int = 10_000) -> int:
    """Let a worker claim and submit until they get no more tasks; returns the number of answers.

    They get no more, too, when they hold unanswered tasks, as many as they may.
    """
    for done in range(most):
        try:
            seat = assignments.claim(worker=worker, queue=job.queue)
        except TaskLimit:
            return done
        if seat is None:
            return done
        answer(seat, content)
    return most


def a_minute_passes() -> None:
    """For the sweep, which looks at the queues whose time has come."""
    PlannedAdvance.objects.update(at=F("at") - timedelta(minutes=1))
