"""The document that a worker's page shows a task from: for a claim over REST, and for previews on pages and over REST.

Knows nothing of seats and leases.
"""

from typing import Any

from frontend.images import image_url
from labeling import task_types
from labeling.models import DataObject, LabelingJob, Task
from labeling.services.jobs import limits
from labeling.task_types.base import TaskType
from marketplace import money
from marketplace.errors import WrongState


def element_payload(kind: TaskType[Any, Any]) -> dict[str, str]:
    """Which crowd element shows a task of the type."""
    return {"tag": kind.element.tag, "name": kind.element.name}


def task_payload(task: Task, user_id: int) -> dict[str, Any]:
    """What the worker's page needs to show a task; a preview shows the very same."""
    queue = task.queue
    instructions = queue.instructions or {}
    return {
        "task_id": task.pk,
        "queue_id": queue.pk,
        "task_type": queue.task_type,
        "title": queue.title,
        "price": money.text(queue.price_micros),
        "image_url": image_url(task.input["object"], user_id),
        "image_size": {"width": task.input["width"], "height": task.input["height"]},
        "labels": [{"label": label} for label in queue.labels],
        "instructions": {
            "short": instructions.get("short", ""),
            "full": instructions.get("full", ""),
            **{
                kind: [
                    {
                        "image_url": f"/api/v1/work-queues/{queue.pk}/examples/{kind}/{i}",
                        "caption": ex.get("caption", ""),
                    }
                    for i, ex in enumerate(instructions.get(kind, []))
                ]
                for kind in limits.EXAMPLE_KINDS
            },
        },
        "element": element_payload(task_types.get(queue.task_type)),
        "initial_value": None,
    }


def preview_payload(job: LabelingJob, user_id: int) -> dict[str, Any]:
    """A task of the job's first usable object as a worker's page gets it. Raises WrongState before there is one."""
    row = DataObject.objects.filter(job=job).exclude(width=None).exclude(state="Failed").order_by("index").first()
    if row is None:
        raise WrongState("no image of this job is ready yet")
    shown = Task(queue=job.queue, input={"object": row.pk, "width": row.width, "height": row.height})
    return task_payload(shown, user_id)
