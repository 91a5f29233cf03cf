"""Events for the rooms above, which append their listeners to these lists; a listener only enqueues a message.

`job_ready(job_id)` is sent in the transaction that makes a job InProgress, `batch_done(batch_id)` in the one that
closes a batch; `loop_done(loop_id)` is for review loops.

`file_link(uri, seconds)` is no event: it gives the address at which whoever has it may read a file of the store for so
long. Without a room that speaks HTTP there is none.
"""

from collections.abc import Callable

job_ready: list[Callable[[int], None]] = []
batch_done: list[Callable[[int], None]] = []
loop_done: list[Callable[[int], None]] = []
file_link: list[Callable[[str, int], str]] = []


def send(listeners: list[Callable[[int], None]], identifier: int) -> None:
    """Call every listener with the id, in the caller's transaction; a failing listener fails the transaction."""
    for listener in listeners:
        listener(identifier)
