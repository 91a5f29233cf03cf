"""The document that a worker's page shows a task from: for a claim over REST, and for previews on pages and over REST.

Knows nothing of seats and leases.
"""

from typing import Any

from frontend.images import image_url
from labeling import task_types
from labeling.models import DataObject, LabelingJob, Task
from labeling.task_types.base import TaskType
from marketplace import money
from marketplace.errors import WrongState


def element_payload(kind: TaskType[Any, Any]) -> dict[str, str]:
    """Which crowd element shows a task of the type."""
    return {"tag": kind.element.tag, "name": kind.element.name}


def task_payload(task: Task, job: LabelingJob, data_object: DataObject, user_id: int) -> dict[str, Any]:
    """What the worker's page needs to show a task; a preview shows the very same."""
    instructions = job.instructions or {}
    return {
        "task_id": task.pk,
        "job_id": job.pk,
        "task_type": job.task_type,
        "title": job.title,
        "price": money.text(job.price_micros),
        "image_url": image_url(data_object.pk, user_id),
        "image_size": {"width": data_object.width, "height": data_object.height},
        "labels": [{"label": label} for label in job.labels],
        "instructions": {
            "short": instructions.get("short", ""),
            "full": instructions.get("full", ""),
            **{
                kind: [
                    {
                        "image_url": f"/api/v1/labeling-jobs/{job.pk}/examples/{kind}/{i}",
                        "caption": ex.get("caption", ""),
                    }
                    for i, ex in enumerate(instructions.get(kind, []))
                ]
                for kind in ("good_examples", "bad_examples")
            },
        },
        "element": element_payload(task_types.get(job.task_type)),
        "initial_value": None,
    }


def preview_payload(job: LabelingJob, user_id: int) -> dict[str, Any]:
    """A task of the job's first usable object as a worker's page gets it. Raises WrongState before there is one."""
    row = DataObject.objects.filter(job=job).exclude(width=None).exclude(state="Failed").order_by("index").first()
    if row is None:
        raise WrongState("no image of this job is ready yet")
    return task_payload(Task(job=job), job, row, user_id)
