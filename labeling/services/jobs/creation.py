"""Labeling jobs: create, estimate, stop. How a job moves on and ends is in advancing.py and finishing.py."""

import secrets
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from labeling.models import LabelingJob, WorkQueue
from labeling.services.jobs import pricing
from labeling.services.jobs.design import Design
from labeling.services.jobs.owner import KIND
from labeling.services.jobs.status import move
from labeling.services.queue import advance_requests, queues
from marketplace import storage
from marketplace.errors import NameTaken
from marketplace.models import Account, AuditEvent
from marketplace.services import boundaries

_QUEUE = frozenset(
    {
        "workteam",
        "task_type",
        "labels",
        "title",
        "description",
        "keywords",
        "instructions",
        "price_micros",
        "expected_seconds",
        "task_time_limit_seconds",
        "task_availability_seconds",
        "max_concurrent_tasks",
    }
)
"""The fields of a design that say what people are asked and paid: they belong to the job's work queue."""
_JOB = (
    {field.name for field in fields(Design)}
    - _QUEUE
    - {"account", "errors", "input_manifest_uri", "output_uri", "workers_per_object"}
)


def create_job(*, account: Account, by: str, **design: Any) -> LabelingJob:
    """Create a job, Initializing, and queue its first step. `design` are the fields of design.Design.

    Raises Invalid naming every field that is wrong, InUse for a name the account has (in whatever case).
    """
    asked = Design(account=account, **design)
    if asked.input_manifest_uri:
        asked.attempt("input_manifest_uri", lambda: _must_exist(account, str(asked.input_manifest_uri)))
    if asked.output_uri:
        asked.attempt("output_uri", lambda: boundaries.require_writable(account=account, uri=str(asked.output_uri)))
    _check_examples(asked)
    asked.check()
    manifest = asked.input_manifest_uri or (asked.dataset.manifest_uri if asked.dataset else "")
    try:
        with transaction.atomic():
            job = LabelingJob.objects.create(
                account=account,
                queue=_make_queue(asked),
                created_by=by,
                reference_code=secrets.token_hex(16),
                input_manifest_uri=manifest,
                output_uri=asked.output_uri or storage.join(settings.STORE_URL, account.number, "labeling"),
                **{name: getattr(asked, name) for name in _JOB},
            )
            AuditEvent.objects.create(
                object_type=LabelingJob._meta.label,
                object_id=job.pk,
                to_status=job.status,
                by=by,
                because="created",
                at=job.created_at,
            )
            advance_requests.request_advance(job.queue_id)
    except IntegrityError as error:
        if "labeling_job_name_once" not in str(error):
            raise
        raise NameTaken(f"the account has a labeling job {asked.name!r} already", field="name") from None
    return job


def _make_queue(asked: Design) -> WorkQueue:
    most = asked.workers_per_object
    dynamic = (asked.redundancy or {}).get("kind") == "dynamic"
    return queues.create_queue(
        account=asked.account,
        owner_kind=KIND,
        fee_micros=pricing.fee(asked.price_micros),
        first_seats=min((asked.redundancy or {})["start"], most) if dynamic else most,
        max_seats=most,
        **{name: getattr(asked, name) for name in _QUEUE},
    )


def _check_examples(asked: Design) -> None:
    """Example pictures are shown to workers: they must be the account's own to show."""
    reader = boundaries.Reader(asked.account)
    for kind in ("good_examples", "bad_examples"):
        given = (asked.instructions or {}).get(kind)
        for place, example in enumerate(given if isinstance(given, list) else []):
            uri = example.get("uri") if isinstance(example, dict) else None
            if isinstance(uri, str) and (why := reader.refusal(uri)):
                asked.wrong(f"instructions.{kind}[{place}]", why)


def _must_exist(account: Account, uri: str) -> None:
    # Asked first: whether something exists in another account's folder is not to be told either.
    boundaries.require_readable(account=account, uri=uri)
    if not storage.exists(uri):
        raise ValueError(f"there is nothing at {uri}")


def stop_job(*, job: LabelingJob, by: str) -> None:
    """Stop: nothing more is handed out, what is done is kept, the rest of the money goes back.

    Workers whose lease is running have finishing.STOP_GRACE_SECONDS to hand in, and are paid. Safe to repeat; raises
    InUse for a job that is over already in another way.
    """
    with transaction.atomic():
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if locked.status not in ("Stopping", "Stopped"):
            move(job, "Stopping", by=by, because="stopped by its owner")
            advance_requests.request_advance(job.queue_id)
    job.refresh_from_db()
