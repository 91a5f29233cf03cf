"""The document that a worker's page shows a task from: for a claim over REST, and for previews on pages and over REST.

Knows nothing of seats and leases.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from frontend import template_frames
from frontend.images import image_url, task_addresses
from labeling import task_types
from labeling.formats import label_config
from labeling.models import DataObject, LabelingJob, Task, WorkQueue
from labeling.services.intake import audited
from labeling.services.jobs import limits
from labeling.services.prelabels import showing
from labeling.task_types.base import Shown
from marketplace import money
from marketplace.errors import WrongState


def task_document(
    queue: WorkQueue,
    *,
    task_id: int | None,
    address: str,
    width: int,
    height: int,
    examples: dict[str, Any],
    frame_url: str | None = None,
    shown: Shown | None = None,
    checks: bool = False,
) -> dict[str, Any]:
    """What a worker's page shows a task from. `queue` may be one that was never saved, for a preview of a draft.

    `address`: of the picture or the text. `frame_url`: of the page that a worker template gives; None where an element
    shows the task, and where there is nothing to show yet. `examples`: for each of limits.EXAMPLE_KINDS a list of
    {"image_url", "caption"}. `shown`: the earlier label that people verify or adjust, or the pre-label that they check.
    """
    kind, shown = task_types.get(queue.task_type), shown or Shown()
    element = kind.element
    return {
        "task_id": task_id,
        "queue_id": queue.pk,
        "task_type": queue.task_type,
        "title": queue.title,
        "price": money.text(0 if queue.contract_id is not None else queue.price_of(checks=checks)),
        "checks": checks,
        "paid_by_employer": queue.contract_id is not None,
        "review_days": queue.review_days,
        **task_addresses(kind.medium, address),
        "image_size": {"width": width, "height": height},
        "labels": label_config.of_labels(queue.label_category_config, queue.labels),
        "instructions": {part: queue.instructions.get(part, "") for part in ("short", "full")} | examples,
        "element": {
            "tag": element.tag,
            "name": element.name,
            "attributes": {**element.attributes, **shown.attributes},
            "whole": element.whole,
            "comment": element.comment,
        },
        "initial_value": shown.initial_value,
        "frame_url": frame_url,
    }


def _frame(queue: WorkQueue, shown: Mapping[str, Any]) -> str | None:
    """The page that shows a task's input; None where an element does, and before there is a queue."""
    if queue.pk is None or not task_types.get(queue.task_type).by_template:
        return None
    return template_frames.frame_url(
        queue_id=queue.pk,
        object_id=shown["object"],
        loop_id=shown.get("human_loop"),
        seconds=queue.task_time_limit_seconds,
    )


def _address(shown: Mapping[str, Any], user_id: int) -> str:
    """Of the picture or the text of a task's input; "" for a human loop, whose page knows its own."""
    return "" if shown["object"] is None else image_url(shown["object"], user_id)


def upcoming_document(queue: WorkQueue, *, shown: Mapping[str, Any], user_id: int) -> dict[str, str | None]:
    """What a worker's page loads ahead of the next task, which probably has this input."""
    medium = task_types.get(queue.task_type).medium
    return {**task_addresses(medium, _address(shown, user_id)), "frame_url": _frame(queue, shown)}


def task_number(task_id: int, user_id: int) -> int:
    """A number of the task for this user, always the same one, below 2**53 as JavaScript has it.

    Not its key: tasks are given out in the order of their keys, but for golds.
    """
    key, said = f"waggle.task:{settings.SECRET_KEY}".encode(), f"{task_id}:{user_id}".encode()
    return int.from_bytes(hmac.digest(key, said, hashlib.sha256)[:8], "big") >> 11


def task_payload(task: Task, user_id: int) -> dict[str, Any]:
    """The document of a task for the user who may see its image."""
    queue = task.queue
    examples = {
        kind: [
            {"image_url": f"/api/v1/work-queues/{queue.pk}/examples/{kind}/{place}", "caption": one.get("caption", "")}
            for place, one in enumerate(queue.instructions.get(kind, []))
        ]
        for kind in limits.EXAMPLE_KINDS
    }
    object_id, width, height = (task.input[name] for name in ("object", "width", "height"))
    shown = Shown()
    if task.checks:
        shown = showing.shown(object_id=object_id, task_type=queue.task_type)
    elif object_id is not None:
        shown = audited.shown(object_id=object_id, task_type=queue.task_type, size=(width, height))
    return task_document(
        queue,
        task_id=task_number(task.pk, user_id) if task.pk else None,
        address=_address(task.input, user_id),
        width=width,
        height=height,
        examples=examples,
        frame_url=_frame(queue, task.input),
        shown=shown,
        checks=task.checks,
    )


def preview_payload(job: LabelingJob, user_id: int) -> dict[str, Any]:
    """A task of the job's first usable object as a worker's page gets it. Raises WrongState before there is one."""
    row = DataObject.objects.filter(job=job).exclude(width=None).exclude(state="Failed").order_by("index").first()
    if row is None:
        raise WrongState("no object of this job is ready yet")
    shown = Task(queue=job.queue, input={"object": row.pk, "width": row.width, "height": row.height})
    return task_payload(shown, user_id)
