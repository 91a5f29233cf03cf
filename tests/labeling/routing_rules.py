"""Routing rules as an operator would write them, for tests of routing."""

from labeling.services.queue.routing import RoutedTask, RoutedWorker


def even(worker: RoutedWorker, task: RoutedTask) -> bool:
    """Only every other object."""
    return task.index is not None and task.index % 2 == 0


def north_only(worker: RoutedWorker, task: RoutedTask) -> bool:
    """Objects of the north for the team of that name, the others for everybody."""
    return "north" in worker.teams.values() or task.line.get("region") != "north"


def broken(worker: RoutedWorker, task: RoutedTask) -> bool:
    """Raises."""
    raise KeyError(task.source_ref)


def vague(worker: RoutedWorker, task: RoutedTask) -> str:
    """Gives no answer."""
    return "perhaps"
