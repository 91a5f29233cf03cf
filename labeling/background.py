"""The functions of this room that the message queue calls. Each is given ids and is safe to run twice.

Each ends: an unexpected error is tried again a few times, then the row is Failed or shows the reason (see attempts.py).
"""

from collections.abc import Callable

from labeling.models import LabelingJob, WorkQueue
from labeling.services import attempts, invoicing, notices
from labeling.services.conduct import acting, checks, colluding, noting
from labeling.services.conduct import appeals as conduct_appeals
from labeling.services.functions import running
from labeling.services.imports import advancing as imports
from labeling.services.intake import datasets, deletion
from labeling.services.jobs import advancing
from labeling.services.output import exports, manifests
from labeling.services.qualifications import earning, taking
from labeling.services.queue import advance_requests, leases, owners, study_sessions
from labeling.services.results import appeals, deciding
from labeling.services.review import agreement_record
from labeling.services.streams import subscribing
from marketplace import locks, queue


def advance_queue(queue_id: int) -> None:
    """Let the owner of a work queue take its next steps; does nothing for a deleted queue."""
    work = WorkQueue.objects.filter(pk=queue_id).first()
    if work is not None:
        owners.owner_of(work).advance()


def advance_job(job_id: int) -> None:
    """Take the next steps of a labeling job. Only messages that earlier versions sent name a job."""
    advancing.advance_or_give_up(job_id)


def refresh_output(job_id: int) -> None:
    """Write a job's output manifest with its current labels."""
    job = LabelingJob.objects.filter(pk=job_id, status="InProgress").first()
    if job is not None:
        attempts.attempt(
            "refresh_output",
            job_id,
            lambda: manifests.refresh_or_report(job),
            give_up=lambda reason, passing: manifests.report(job, reason),
        )


def run_functions(job_id: int) -> None:
    """Ask the functions of a job about what waits for them."""
    attempts.attempt(
        "run_functions",
        job_id,
        lambda: running.run(job_id),
        give_up=lambda reason, passing: running.report(job_id, reason),
    )


def advance_topics(job_id: int) -> None:
    """Subscribe to the input topic of a job, confirm that, or end it."""
    attempts.attempt(
        "advance_topics",
        job_id,
        lambda: subscribing.advance(job_id),
        give_up=lambda reason, passing: subscribing.give_up(job_id, reason),
    )


def check_conduct(queue_id: int) -> None:
    """Look at the conduct of the workers who have answered in a queue since the last look."""
    checks.check_queue(queue_id)


def check_collusion(queue_id: int) -> None:
    """Note the pairs of workers of a queue who agree far more than their accuracies allow."""
    colluding.check_queue(queue_id)


def sweep() -> None:
    """Run every minute: end overdue leases, decide what nobody has decided in time, and request an advance of the
    queues' owners that are due.

    So a lost message delays a queue, a data set, an import or an export by some minutes at most. Each part reads what
    is due and nothing else, so that its cost does not grow with the number of jobs.
    """
    queue.run_each(
        (
            leases.expire_overdue,
            study_sessions.expire_overdue,
            deciding.accept_due,
            appeals.uphold_overdue,
            conduct_appeals.uphold_overdue,
            acting.follow_again,
            noting.sweep,
            invoicing.issue_due,
            advance_requests.sweep,
            datasets.sweep,
            exports.sweep,
            exports.forget_old,
            deletion.sweep,
            manifests.refresh_stale,
            imports.sweep,
            notices.request_public_digest,
            earning.renew,
            taking.end_overdue,
            agreement_record.catch_up,
            subscribing.sweep,
        )
    )


def tell_of_work(queue_id: int, after_worker: int) -> None:
    """Tell some workers of the teams that a work queue admits that it has work, then the next ones."""
    notices.tell_of_work(queue_id, after_worker)


def tell_of_public_work(until: int, after_worker: int) -> None:
    """Tell some workers of the public pool of the day's new work, then the next ones."""
    notices.tell_of_public_work(until, after_worker)


def tell_of_price(change_id: int, after_worker: int) -> None:
    """Tell some workers to whom a work queue was offered that it pays more, then the next ones."""
    notices.tell_of_price(change_id, after_worker)


def run_export(export_id: int) -> None:
    """Write the file of an export; does nothing while another process writes it."""
    with locks.only_one(f"run-export:{export_id}") as mine:
        if not mine:
            return
        try:
            attempts.attempt(
                "run_export",
                export_id,
                lambda: exports.run_export(export_id),
                give_up=lambda reason, passing: exports.give_up(export_id, reason),
                count_kills=True,
            )
        except Exception:
            # The next attempt has a message of its own, so that it need not wait for the sweep.
            queue.enqueue(exports.RUN, export_id)
            raise


def advance_dataset(dataset_id: int) -> None:
    """Create a data set, or continue."""
    _prepare("advance_dataset", dataset_id, datasets.advance_dataset, datasets.give_up)


def advance_import(import_id: int) -> None:
    """Do a label import, or continue."""
    _prepare("advance_import", import_id, imports.advance_import, imports.give_up)


def _prepare(work: str, row_id: int, advance: Callable[[int], None], give_up: Callable[[int, str], None]) -> None:
    """Advance a row, and give it up after a few attempts, unless what was in the way passes."""

    def unless_passing(reason: str, passing: bool) -> None:
        if not passing:
            give_up(row_id, reason)

    attempts.attempt(work, row_id, lambda: advance(row_id), give_up=unless_passing)
