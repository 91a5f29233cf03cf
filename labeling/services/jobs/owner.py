"""A labeling job as the owner of its work queue: consolidation judges its tasks, finished tasks become labels.

Its services are imported when they are needed: every process imports this file as it starts, and few need numerics.
"""

from collections.abc import Sequence

from labeling.models import FunctionStep, LabelingJob, Task, WorkQueue
from labeling.services.queue import owners
from labeling.services.queue.owners import Judgement

KIND = "labeling-job"


class LabelingJobOwner:
    """See owners.QueueOwner."""

    def __init__(self, queue: WorkQueue):
        self._queue = queue

    def _job(self) -> LabelingJob:
        return LabelingJob.objects.get(queue=self._queue.pk)

    def judge(self, tasks: Sequence[Task]) -> Judgement:
        """Consolidate the answers; with dynamic redundancy unsure objects need one more."""
        from labeling.services.results import consolidating

        return consolidating.judge(self._job(), _ordinary(tasks))

    def finish(self, tasks: Sequence[Task], judgement: Judgement) -> None:
        """Write the labels; objects that nobody answered fail, or are unlabeled again."""
        from labeling.services.results import consolidating

        consolidating.finish(self._job(), _ordinary(tasks), judgement.results)

    def reconsider(self, tasks: Sequence[Task]) -> frozenset[int]:
        """Objects whose label is the requester's own or the machine's want no other answer."""
        from labeling.services.functions import waiting
        from labeling.services.results import labels

        wanting = _ordinary(tasks)
        reopened = labels.reopen_objects([task.data_object_id for task in wanting])
        waiting.forget(reopened, FunctionStep.POST)
        return frozenset(task.pk for task in wanting if task.data_object_id in reopened)

    def advance(self) -> None:
        """Take the job's next steps."""
        from labeling.services.jobs import advancing

        advancing.advance_or_give_up(self._job().pk)


def _ordinary(tasks: Sequence[Task]) -> list[Task]:
    """Without golds, whose objects have their labels already."""
    return [task for task in tasks if task.gold_id is None]


def register() -> None:
    """Make labeling jobs known as owners of queues."""
    owners.register(KIND, LabelingJobOwner)
