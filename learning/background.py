"""Queue entry points of this room. Each is short and safe to run twice.

The services are imported when they are needed: every web process imports this file and needs no numerics.
"""

from collections.abc import Mapping, Sequence

from marketplace.queue import enqueue, run_each


def on_job_ready(job_id: int) -> None:
    """A job became InProgress: request an advance of its loop."""
    enqueue("learning.background.advance_loop_of_job", job_id)


def on_batch_done(batch_id: int) -> None:
    """A batch was closed: request an advance of the loop that it belongs to."""
    enqueue("learning.background.advance_loop_of_batch", batch_id)


def on_classes_change(job_id: int, before: Sequence[str], old: str, new: str) -> None:
    """A class of a job becomes another: its loop takes part, in the same transaction, or refuses."""
    from learning.services.active import class_changes

    class_changes.follow(job_id, before, old, new)


def model_evidence(job_id: int) -> dict[int, tuple[str, Mapping[str, float]]]:
    """What models say of the labels of a job; see labeling.hooks."""
    from learning.services.active import label_evidence

    return label_evidence.of_job(job_id)


def advance_loop(loop_id: int) -> None:
    """Take the next steps of a loop."""
    from learning.services.active import loops

    loops.advance_loop(loop_id=loop_id)


def advance_loop_of_job(job_id: int) -> None:
    """Start the loop of a job that is ready, if it has automated labeling."""
    from learning.services.active import loops

    loops.advance_for_job(job_id=job_id)


def advance_loop_of_batch(batch_id: int) -> None:
    """Take the next steps of the loop that this batch belongs to, if it belongs to one."""
    from learning.services.active import loops

    loops.advance_for_batch(batch_id=batch_id)


def advance_loop_of_run(kind: str, run_id: int) -> None:
    """Take the next steps of the loop that a run which has ended belongs to, if it belongs to one."""
    from learning.services.active import loops

    loops.advance_for_run(kind=kind, run_id=run_id)


def advance_tuning(tuning_id: int) -> None:
    """Take the next steps of a tuning job."""
    from learning.services.tuning import advancing

    advancing.advance(tuning_id=tuning_id)


def advance_tuning_of_run(run_id: int) -> None:
    """Take the next steps of the tuning job that a training belongs to, if it belongs to one."""
    from learning.services.tuning import advancing

    advancing.advance_for_run(run_id=run_id)


def sweep() -> None:
    """Every minute: request an advance of every loop and tuning job, so that none stops when a message is lost."""
    from learning.services.active import loops
    from learning.services.tuning import creating

    run_each([loops.sweep, creating.sweep])
