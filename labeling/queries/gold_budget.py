"""How many answers to golds a job is expected to get, and what they cost: for the estimate, the wallet and each batch.

The claim hands golds out by the same numbers (labeling_golds_due in labeling/sql/golds_0027.sql).
"""

from math import ceil

from labeling.models import Gold, GoldStatus, LabelingJob

FIRST_TASKS = 10
"""Of a worker's first tasks in a queue more are golds."""

FIRST_RATE = 0.3
"""The share of golds among them, unless the queue's own rate is higher."""

NEW_WORKERS = 10
"""Workers who are expected to begin while a batch is open."""


def answers(ordinary: int, rate: float) -> int:
    """Answers to golds that come with so many ordinary ones, at most; `rate` is the share of golds of all tasks."""
    if rate <= 0 or ordinary <= 0:
        return 0
    first = max(rate, FIRST_RATE)
    early = min(ordinary, NEW_WORKERS * FIRST_TASKS * (1 - first))
    return ceil(early * first / (1 - first) + (ordinary - early) * rate / (1 - rate))


def has_golds(job: LabelingJob) -> bool:
    """Whether there is a gold that the job's next batch can give out."""
    return job.queue.gold_rate > 0 and Gold.objects.filter(queue=job.queue_id, state=GoldStatus.ACTIVE).exists()


def batch_micros(job: LabelingJob, objects: int, *, golds: bool, before: int) -> int:
    """What a batch of so many objects may cost at most, with its golds unless the job has none to give out.

    It is opened after `before` other tasks, see WorkQueue.opened; 0 for all objects of the job at once.
    """
    queue = job.queue
    ordinary = queue.most_answers(objects, before=before)
    more = answers(ordinary, queue.gold_rate) if golds else 0
    return (ordinary + more) * (queue.price_micros + queue.fee_micros)


def objects_for(job: LabelingJob, micros: int, *, golds: bool) -> int:
    """The most objects that the next batch can have for so much money. The price must not be zero."""
    before = job.queue.opened()
    low, high = 0, max(0, micros // (job.queue.price_micros + job.queue.fee_micros))
    while low < high:
        middle = (low + high + 1) // 2
        if batch_micros(job, middle, golds=golds, before=before) <= micros:
            low = middle
        else:
            high = middle - 1
    return low
