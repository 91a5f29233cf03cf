"""What a person sees of a human loop: the template of its flow definition, and InputContent as `task.input`."""

from typing import Any

import orjson

from labeling.models import HumanLoop, QueueTemplate
from labeling.services.jobs import templates
from marketplace.errors import NotFound


def of_loop(*, queue_id: int, loop_id: int) -> tuple[QueueTemplate, dict[str, Any]]:
    """The template that shows a loop, and what it shows. Raises NotFound."""
    text = HumanLoop.objects.filter(pk=loop_id, flow__queue=queue_id).values_list("content", flat=True).first()
    if text is None:
        raise NotFound("there is no such page")
    return templates.of_queue(queue_id), orjson.loads(text)
