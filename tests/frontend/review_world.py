"""Flow definitions with human loops, as rows, with right requests about them and the limits of their fields."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.urls import reverse

from labeling.background import advance_queue
from labeling.models import FlowDefinition
from labeling.services.queue import assignments
from labeling.services.review import flows, loops, task_uis
from learning.models import Endpoint
from learning.services.hosting import reviewing
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

REVIEW = {"flow_definition": "secret-asking", "least_score": "0.3", "most_per_hour": "9", "content_classifiers": []}
BOX = {"label": "bee", "left": 1, "top": 2, "width": 3, "height": 4}
TEMPLATE = "<crowd-form><crowd-input name='word' label='secret-word'></crowd-input></crowd-form>"


MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"
LOW = {"ConditionType": "HighestScoreCheck", "ConditionParameters": {"ConfidenceLessThan": 50}}
SAMPLING = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 100}}


def ids(account: Account, team: Workteam, worker: Worker) -> dict[str, Any]:
    """The names of a worker template, of a flow definition with a request source and of a loop that waits.

    Another loop has an answer of the worker, and another flow definition is for own models: by it people are asked
    about requests of the endpoint of endpoint_world.py.
    """
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
        request_source=MODERATION,
        conditions=orjson.dumps({"Conditions": [SAMPLING]}).decode(),
    )
    asking = flows.create_flow(
        account=account,
        by="system",
        name="secret-asking",
        workteam=team,
        task_ui=ui,
        title="t",
        description="d",
        output_uri=f"{boundaries.base_of(account)}/reviews",
    )
    _answered(flow, worker, "secret-answered")
    hives = Endpoint.objects.get(account=account, name="hives")
    wanted = orjson.dumps({"Conditions": [LOW]}).decode()
    reviewing.set_review(endpoint=hives, flow=asking, conditions=wanted, by="system")
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
    _answered(first, workers[0], f"answered-{number}")
    loops.start_loop(flow=first, name=f"waiting-{number}", content='{"taskObject":"a text"}', by="system")


def _answered(flow: FlowDefinition, worker: Worker, name: str) -> None:
    """A loop about a predicted box that the worker has left as it is."""
    content = {"initialValue": [BOX], "taskObject": f"{boundaries.base_of(flow.account)}/pictures/1.png"}
    loops.start_loop(flow=flow, name=name, content=orjson.dumps(content).decode(), by="system")
    seat = assignments.claim(worker=worker, queue=flow.queue)
    assert seat is not None
    given = {"boxes": {"boundingBoxes": [BOX], "inputImageProperties": {"width": 20, "height": 20}}}
    assignments.submit(assignment=seat, worker=worker, content=given, seconds=1, key=None)
    advance_queue(flow.queue_id)


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
        "activate_human_loop": {
            "name": "activated",
            "ai_service_request": {"Image": {"S3Object": {"Bucket": "b", "Name": "1.jpg"}}},
            "ai_service_response": {"ModerationLabels": [{"Name": "a", "Confidence": 50, "ParentName": ""}]},
            "content_classifiers": ["FreeOfAdultContent"],
        },
    }


def machine_bodies() -> dict[str, dict[str, Any]]:
    """The same, of operations that need the learning app."""
    return {
        "set_endpoint_human_review": {
            "flow_definition": "secret-asking",
            "conditions": {"Conditions": [LOW, SAMPLING]},
            "least_score": 0.3,
            "most_per_hour": 10,
            "content_classifiers": ["FreeOfAdultContent"],
        },
        "train_on_flow_definition": {
            "name": "trained-on-answers",
            "dataset_name": "answers",
            "model": "secret-model",
            "hyperparameters": {"epochs": "1"},
        },
    }


def forms(team_id: int, account: Account, model_id: int) -> list[tuple[str, dict[str, Any]]]:
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
        (f"{place}flows/secret-flow/train/", {"model": model_id, "name": "trained"}),
        ("/endpoints/hives/human-review/", {**REVIEW, "conditions": orjson.dumps({"Conditions": [LOW]}).decode()}),
        ("/endpoints/hives/human-review/end/", {}),
        (f"{place}loops/secret-loop/stop/", {}),
        (f"{place}loops/secret-loop/delete/", {}),
        (f"{place}flows/secret-flow/delete/", {}),
        (f"{place}templates/secret-ui/delete/", {}),
    ]
