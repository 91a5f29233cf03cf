"""Flow definitions with human loops, as rows, with right requests about them and the limits of their fields."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.urls import reverse

from labeling.background import advance_queue
from labeling.services.queue import assignments
from labeling.services.review import flows, loops, task_uis
from marketplace import arns
from marketplace.models import Account, Worker, Workteam
from marketplace.services import boundaries

DECLARED = {
    **dict.fromkeys(("human_task_ui", "flow_definition"), task_uis.NAME_LENGTH),
    **dict.fromkeys(("HumanTaskUiInput.content", "TaskUiForm.content"), task_uis.CONTENT_LENGTH),
    "task_count": flows.TASK_COUNT,
    "FlowDefinitionInput.task_availability_seconds": flows.AVAILABILITY_SECONDS,
    "FlowDefinitionInput.role_arn": arns.LENGTH,
    "FlowForm.conditions": flows.CONDITIONS_LENGTH,
}
"""For test_ranges.py."""

BOX = {"label": "bee", "left": 1, "top": 2, "width": 3, "height": 4}
TEMPLATE = "<crowd-form><crowd-input name='word' label='secret-word'></crowd-input></crowd-form>"


def ids(account: Account, team: Workteam) -> dict[str, Any]:
    """The names of a worker template, a flow definition and a loop that waits."""
    ui = task_uis.create_task_ui(account=account, name="secret-ui", content=TEMPLATE, by="system")
    flow = flows.create_flow(
        account=account,
        by="system",
        name="secret-flow",
        workteam=team,
        task_ui=ui,
        title="secret-title",
        description="d",
        output_uri=f"{boundaries.base_of(account)}/reviews",
    )
    loop = loops.start_loop(flow=flow, name="secret-loop", content='{"secret":"secret-input"}', by="system")
    return {"ui_name": ui.name, "flow_name": flow.name, "loop_name": loop.name}


def grow(account: Account, workers: Sequence[Worker], team: Workteam, number: int) -> None:
    """Another flow definition, and in the first one another loop that is answered and one that waits."""
    ui = task_uis.create_task_ui(account=account, name=f"ui-{number}", content=TEMPLATE, by="system")
    flows.create_flow(
        account=account,
        by="system",
        name=f"flow-{number}",
        workteam=team,
        task_ui=ui,
        title="t",
        description="d",
        output_uri=f"{boundaries.base_of(account)}/reviews",
    )
    first = flows.flows(account).order_by("pk")[0]
    for name in ("answered", "waiting"):
        content = orjson.dumps({"initialValue": [BOX], "taskObject": "a text"}).decode()
        loops.start_loop(flow=first, name=f"{name}-{number}", content=content, by="system")
        if name == "answered":
            seat = assignments.claim(worker=workers[0], queue=first.queue)
            assert seat is not None
            given = {"boxes": {"boundingBoxes": [BOX], "inputImageProperties": {"width": 20, "height": 20}}}
            assignments.submit(assignment=seat, worker=workers[0], content=given, seconds=1, key=None)
    advance_queue(first.queue_id)


def page(account: Account) -> str:
    """The address of the flow definition that has loops."""
    return reverse("requester:flow-definition", args=[flows.flows(account).order_by("pk")[0].name])


def bodies(team_id: int, account: Account) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one."""
    return {
        "create_human_task_ui": {"name": "made", "content": TEMPLATE},
        "create_flow_definition": {
            "name": "made",
            "workteam": team_id,
            "human_task_ui": "secret-ui",
            "title": "t",
            "description": "d",
            "output_uri": f"{boundaries.base_of(account)}/reviews",
            "price": "0.036",
            "task_count": 2,
            "expected_seconds": 5,
            "keywords": ["bees"],
        },
        "start_human_loop": {
            "name": "made",
            "flow_definition": "secret-flow",
            "input_content": {"taskObject": "a text"},
            "content_classifiers": ["FreeOfAdultContent"],
        },
    }


def forms(team_id: int, account: Account) -> list[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form."""
    flow = bodies(team_id, account)["create_flow_definition"]
    place = "/human-review/"
    return [
        (f"{place}new-template/", {"name": "made", "content": TEMPLATE}),
        (
            f"{place}new-flow/",
            {
                **{name: flow[name] for name in ("title", "description", "price", "task_count", "output_uri")},
                "name": "made",
                "task_ui": "secret-ui",
                "workteam": team_id,
                "task_time_limit_seconds": 60,
                "conditions": "",
            },
        ),
        (f"{place}flows/secret-flow/dataset/", {"name": "reviewed"}),
        (f"{place}loops/secret-loop/stop/", {}),
        (f"{place}loops/secret-loop/delete/", {}),
        (f"{place}flows/secret-flow/delete/", {}),
        (f"{place}templates/secret-ui/delete/", {}),
    ]
