"""Queue entry points of this room. Each is short and safe to run twice."""

from marketplace.queue import enqueue


def on_batch_done(batch_id: int) -> None:
    """Labeling closed a batch: look at the loop it belongs to, later and elsewhere."""
    enqueue("learning.background.advance_loop_of_batch", batch_id)


def advance_loop_of_batch(batch_id: int) -> None:
    """Take the next step of the loop that owns this batch; nothing happens if none does."""
    from learning.services import active

    active.advance_for_batch(batch_id=batch_id)
