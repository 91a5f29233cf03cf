"""Events for the rooms above, which append their listeners to these lists; a listener only enqueues a
message, but where it says otherwise below.

`job_ready(job_id)` is sent in the transaction that makes a job InProgress, and again whenever functions of a job with
automated labeling were asked, or such a job has had no batch for minutes; `batch_done(batch_id)` in the one that
closes a batch; `loop_done(loop_id)` is for review loops. `classes_change(job_id, before, old, new)` is called in the
transaction in which the class `old` becomes `new`, which is one of the classes `before` where they are merged: its
listeners change their own rows with it, and may refuse by raising a DomainError.

`model_evidence(job_id)` is no event: it gives, for labeled objects of the job, the name of a model that was not trained
on the label, and the chances of errors by its predictions (kinds of labeling.consolidation.likely_errors).

`file_link(uri, seconds)` is no event: it gives the address at which whoever has it may read a file of the store for so
long. Without a room that speaks HTTP there is none.
"""

from collections.abc import Callable, Mapping, Sequence

job_ready: list[Callable[[int], None]] = []
batch_done: list[Callable[[int], None]] = []
loop_done: list[Callable[[int], None]] = []
file_link: list[Callable[[str, int], str]] = []
model_evidence: list[Callable[[int], Mapping[int, tuple[str, Mapping[str, float]]]]] = []
classes_change: list[Callable[[int, Sequence[str], str, str], None]] = []


def send(listeners: list[Callable[[int], None]], identifier: int) -> None:
    """Call every listener with the id, in the caller's transaction; a failing listener fails the transaction."""
    for listener in listeners:
        listener(identifier)
