"""Labeling jobs: create and stop. How a job moves on and ends is in advancing.py and finishing.py."""

import secrets
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from labeling import redundancy, transitions
from labeling.models import LabelingJob, QueueTemplate, WorkQueue
from labeling.services.functions import choosing
from labeling.services.golds import options as golds
from labeling.services.jobs import instructions, limits, pricing
from labeling.services.jobs.design import Design
from labeling.services.jobs.owner import KIND
from labeling.services.jobs.status import move
from labeling.services.queue import advance_requests, queues
from labeling.services.streams import topics
from marketplace import storage
from marketplace.errors import NameTaken
from marketplace.models import Account
from marketplace.services import audit, boundaries, contracts, debts, quotas, workload

_QUEUE = frozenset(
    {
        "workteam",
        "task_type",
        "labels",
        "label_category_config",
        "title",
        "description",
        "keywords",
        "instructions",
        "price_micros",
        "check_price_micros",
        "expected_seconds",
        "task_time_limit_seconds",
        "task_availability_seconds",
        "max_concurrent_tasks",
        "review_days",
        "routing_rule",
        "contract",
    }
)
"""The fields of a design that belong to the job's work queue: what people are shown and paid."""

_JOB = (
    {field.name for field in fields(Design)}
    - _QUEUE
    - {*choosing.FIELDS, "function_secret"}
    - {
        "account",
        "errors",
        "input_manifest_uri",
        "script_hosts",
        "template",
        "output_uri",
        *topics.FIELDS,
        "qualification_requirements",
        "requirements",
        "workers_per_object",
    }
)
"""The fields of a design that the job stores as they are."""


def create_job(*, account: Account, by: str, **values: Any) -> LabelingJob:
    """Create a job, Initializing, and request its first step. `values` are the fields of design.Design.

    Raises Invalid naming every field that is wrong, NameTaken for a name that the account uses already (ignoring case),
    BackgroundLimit when the account has too much under way, AccountOwes while it owes money, LimitExceeded.
    """
    design = Design(account=account, **values)
    if design.input_manifest_uri:
        design.attempt("input_manifest_uri", lambda: _must_exist(account, str(design.input_manifest_uri)))
    if design.output_uri:
        design.attempt("output_uri", lambda: boundaries.require_writable(account=account, uri=str(design.output_uri)))
    _check_examples(design)
    design.check()
    manifest = design.input_manifest_uri or (design.dataset.manifest_uri if design.dataset else "")
    try:
        with transaction.atomic():
            live = LabelingJob.objects.filter(account=account).exclude(status__in=transitions.LABELING_JOB.final)
            quotas.require(account=account, kind="labeling-job", rows=live)
            workload.admit(account=account)
            debts.require_none(account)
            if design.contract is not None:
                # Locked, so that the contract does not end while the job is made.
                contracts.live_contract(team=design.workteam, requester=account, keep=True)
            job = LabelingJob.objects.create(
                account=account,
                queue=_make_queue(design),
                created_by=by,
                reference_code=secrets.token_hex(16),
                input_manifest_uri=manifest,
                output_uri=design.output_uri or storage.join(settings.STORE_URL, account.number, "labeling"),
                **{name: getattr(design, name) for name in _JOB},
            )
            choosing.keep(job, design)
            topics.keep(job, design, by=by)
            audit.record(job, by=by, because="created", to_status=job.status, at=job.created_at)
            transitions.LABELING_JOB.begin(job)
            advance_requests.request_advance(job.queue_id)
    except IntegrityError as error:
        if "labeling_job_name_once" not in str(error):
            raise
        raise NameTaken(f"the account has a labeling job {design.name!r} already", field="name") from None
    return job


def _make_queue(design: Design) -> WorkQueue:
    queue = _create_queue(design)
    if design.template:
        QueueTemplate.objects.create(queue=queue, text=design.template, script_hosts=design.script_hosts or [])
    return queue


def _create_queue(design: Design) -> WorkQueue:
    max_seats, fewer_percent = redundancy.split(design.workers_per_object)
    dynamic = (design.redundancy or {}).get("kind") == "dynamic"
    return queues.create_queue(
        account=design.account,
        owner_kind=KIND,
        fee_micros=pricing.fee(design.price_micros),
        check_fee_micros=None if design.check_price_micros is None else pricing.fee(design.check_price_micros),
        first_seats=min((design.redundancy or {})["start"], max_seats) if dynamic else max_seats,
        max_seats=max_seats,
        fewer_percent=fewer_percent,
        requirements=design.requirements,
        **golds.columns(design.golds or {}),
        adult_content=limits.FREE_OF_ADULT_CONTENT not in (design.content_classifiers or []),
        **{name: getattr(design, name) for name in _QUEUE},
    )


def _check_examples(design: Design) -> None:
    """Workers see the example pictures, so the account itself must be allowed to read them."""
    reader = boundaries.Reader(design.account)
    for kind in limits.EXAMPLE_KINDS:
        examples = (design.instructions or {}).get(kind)
        for place, example in enumerate(examples if isinstance(examples, list) else []):
            uri = example.get("uri") if isinstance(example, dict) else None
            if isinstance(uri, str) and instructions.is_outside(uri):
                design.wrong(f"instructions.{kind}[{place}]", f"{uri[:200]}: {instructions.WAY_OUT}")
            elif isinstance(uri, str) and (reason := reader.refusal(uri)):
                design.wrong(f"instructions.{kind}[{place}]", reason)


def _must_exist(account: Account, uri: str) -> None:
    # Permission is checked first, so that nobody learns which files exist in another account's folder.
    boundaries.require_readable(account=account, uri=uri)
    if not storage.exists(uri):
        raise ValueError(f"there is nothing at {uri}")


def stop_job(*, job: LabelingJob, by: str) -> None:
    """Stop: no more tasks are given out, the labels so far are kept, the unspent money is returned.

    Workers whose lease is running have finishing.STOP_GRACE_SECONDS to submit, and are paid. Safe to repeat; raises
    WrongState for a job that has completed or failed.
    """
    with transaction.atomic():
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if locked.status not in ("Stopping", "Stopped"):
            move(job, "Stopping", by=by, because="stopped by its owner")
            advance_requests.request_advance(job.queue_id)
    job.refresh_from_db()
