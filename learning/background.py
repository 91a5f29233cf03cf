"""Queue entry points of this room. Each is short and safe to run twice.

The loop's services are imported when they are needed: every web process imports this file and needs no numerics.
"""

from marketplace.queue import enqueue


def on_job_ready(job_id: int) -> None:
    """Labeling made a job InProgress: look at its loop, later and elsewhere."""
    enqueue("learning.background.advance_loop_of_job", job_id)


def on_batch_done(batch_id: int) -> None:
    """Labeling closed a batch: look at the loop it belongs to, later and elsewhere."""
    enqueue("learning.background.advance_loop_of_batch", batch_id)


def advance_loop(loop_id: int) -> None:
    """Take the next steps of a loop."""
    from learning.services.active import loops

    loops.advance_loop(loop_id=loop_id)


def advance_loop_of_job(job_id: int) -> None:
    """Start the loop of a job that is ready, if it has automated labeling."""
    from learning.services.active import loops

    loops.advance_for_job(job_id=job_id)


def advance_loop_of_batch(batch_id: int) -> None:
    """Take the next step of the loop that owns this batch; nothing happens if none does."""
    from learning.services.active import loops

    loops.advance_for_batch(batch_id=batch_id)


def advance_loop_of_run(kind: str, run_id: int) -> None:
    """Take the next step of the loop whose training or prediction ended; nothing happens if there is none."""
    from learning.services.active import loops

    loops.advance_for_run(kind=kind, run_id=run_id)


def sweep() -> None:
    """Every minute: whatever message was lost, the loops go on."""
    from learning.services.active import loops

    loops.sweep()
