"""The forms and JSON bodies about qualifications, for the walks of hostile.py."""

import json
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from tests.frontend.world import World
from tests.labeling import stories


def qualification_forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of qualification types, and of the tests that workers take."""
    ids = world.ids
    new = {"name": "Bees", "description": "Knows bees", "granted_by": "TasksDone", "mark": 10, "valid_days": 30}
    test = {
        "job": ids["job_id"],
        "dataset": ids["dataset_id"],
        "label_attribute_name": "boxes",
        "task_type": "BoundingBox",
        "questions": 2,
        "training": 1,
        "time_limit_minutes": 5,
        "retry_hours": 24,
        "most_attempts": 3,
        "instructions": "Tight",
    }
    for room, key, more in (("requester", "type_id", test), ("operator", "operator_type_id", {})):
        yield reverse(f"{room}:qualification-new"), new | more
        given = {"worker": ids["worker_id"]}
        yield reverse(f"{room}:qualification-grant", args=[ids[key]]), given | {"value": 80}
        yield reverse(f"{room}:qualification-revoke", args=[ids[key]]), given | {"reason": "copied"}
        yield reverse(f"{room}:qualification-switch", args=[ids[key]]), {}
    yield reverse("worker:qualification-ask", args=[ids["operator_type_id"]]), {}
    yield reverse("worker:qualification-start", args=[ids["type_id"]]), {"training": "off"}
    answer = reverse("worker:test-answer", args=[ids["attempt_id"], ids["question_id"]])
    yield answer, {"answer": json.dumps(stories.ONE_BEE)}


def qualification_bodies(world: World) -> dict[str, dict[str, Any]]:
    """The JSON bodies of operations on qualifications."""
    made = {"name": "Bees", "description": "x", "granted_by": "TasksDone", "mark": 10, "valid_days": 9}
    found: dict[str, dict[str, Any]] = {
        "start_test_attempt": {"training": False},
        "answer_test_question": {"question": world.ids["question_id"], "answer": stories.ONE_BEE},
    }
    for whose in ("", "operator_"):
        found |= {
            f"create_{whose}qualification_type": made,
            f"change_{whose}qualification_type": {"description": "y", "active": False},
            f"grant_{whose}qualification": {"worker": world.ids["worker_id"], "value": 80},
            f"revoke_{whose}qualification": {"reason": "copied"},
        }
    return found
