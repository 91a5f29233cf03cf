"""Real answers are what the OpenAPI document says: every member it names is there, and no other, each of its type."""

import re
from typing import Any

import jsonschema
import pytest
from drf_spectacular.validation import validate_schema

from frontend.rest import openapi
from labeling.models import Label
from marketplace.models import Role, User
from tests import builders
from tests.frontend.test_permissions import address, signed_in, views
from tests.frontend.world import World, a_world
from tests.labeling import stories

pytestmark = pytest.mark.django_db
# The loop's figures grow with the learning room; its own tests say what is in them.
FREE = {"get_learning_loop"}
# Repeating these does no harm: they only read, are keyed by the seat, or their answer must not be kept (a secret).
KEYLESS = {
    "create_token", "upload_files", "estimate_labeling_job", "claim_task", "submit_assignment", "return_assignment",
    "decline_assignment",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document()


@pytest.fixture
def world(db) -> World:
    return a_world()


def strict(shape: Any, document: dict[str, Any]) -> Any:
    """A shape of the document as JSON Schema: references filled in, null where it may be, nothing besides."""
    if isinstance(shape, list):
        return [strict(part, document) for part in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        return strict(document["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]], document)
    made = {name: strict(part, document) for name, part in shape.items() if name != "nullable"}
    if made.get("type") == "object" and isinstance(shape.get("properties"), dict):
        made["additionalProperties"] = False
    return {"anyOf": [made, {"type": "null"}]} if shape.get("nullable") else made


def hold(document: dict[str, Any], operation: dict[str, Any], response: Any) -> None:
    """The answer fits the operation's shape."""
    said = operation["responses"][str(response.status_code)]
    shape = said["content"]["application/json"]["schema"]
    jsonschema.validate(response.json(), strict(shape, document))


def operations(document: dict[str, Any], method: str) -> dict[str, dict[str, Any]]:
    """Operations by their route as Django spells it."""
    found = {}
    for route, _ in views():
        if route.startswith("api/v1/"):
            path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
            if method in document["paths"].get(path, {}):
                found[route] = document["paths"][path][method]
    return found


def test_the_document_is_valid_openapi(document):
    validate_schema(document)


def test_every_answer_to_a_get_has_the_shape_that_is_documented(document, world):
    Label.objects.create(
        data_object_id=world.ids["object_id"], revision=1, source="human", algorithm="x", value={"boxes": []}
    )
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    held = set()
    for route, operation in operations(document, "get").items():
        if not any("application/json" in said.get("content", {}) for said in operation["responses"].values()):
            continue
        name = operation["operationId"]
        whose = worker if name in ("list_work", "get_earnings", "assignment_time_left") else owner
        response = whose.get(address(route, world))
        if name in FREE or response.status_code == 404:
            continue
        assert response.status_code == 200, (route, response.content)
        hold(document, operation, response)
        held.add(name)
    assert len(held) >= 22, sorted(held)


def test_what_is_made_has_the_shape_that_is_documented(document, world):
    posts = {operation["operationId"]: (route, operation) for route, operation in operations(document, "post").items()}
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    operator = signed_in(User.objects.create(username="op", email="op@example.org", password="!", is_operator=True))
    uri = builders.tiny_images(1, account=world.account)[0].rsplit("/", 1)[0]
    design = {"name": "made", "labels": ["bee"], "workteam": world.ids["team_id"], "title": "t", "description": "d"}
    sent: list[tuple[str, Any, dict[str, Any]]] = [
        ("create_token", owner, {"name": "t"}),
        ("add_member", owner, {"email": world.stranger.email, "role": Role.VIEWER}),
        ("deposit", operator, {"account": world.account.number, "amount": "1", "reference": "r"}),
        ("create_workteam", owner, {"name": "others"}),
        ("add_workteam_member", owner, {"email": world.outsider_user.email}),
        ("register_worker", owner, {}),
        ("join_public_pool", worker, {}),
        ("create_dataset", owner, {"name": "made", "kind": "folder", "uri": uri}),
        ("create_labeling_job", owner, {**design, "dataset": world.ids["dataset_id"], "price": "0.036"}),
        ("estimate_labeling_job", owner, {"objects": 2, "workers_per_object": 3, "price": "0.036"}),
        ("create_export", owner, {"kind": "manifest"}),
        ("claim_task", worker, {}),
        ("submit_assignment", worker, {"answer": stories.ONE_BEE, "seconds": 3}),
        ("stop_labeling_job", owner, {}),
        ("stop_training_job", owner, {}),
    ]
    for name, who, body in sent:
        route, operation = posts[name]
        response = who.post(address(route, world), data=body, content_type="application/json")
        assert response.status_code in (200, 201), (name, response.content)
        hold(document, operation, response)


def test_everything_that_moves_money_or_makes_something_takes_a_key(document):
    by_route = {route: getattr(view, "cls", None) for route, view in views()}
    for route, operation in operations(document, "post").items():
        # `idempotent` is the only decorator of ours that wraps a method.
        wrapped = hasattr(by_route[route].post, "__wrapped__")
        assert wrapped is (operation["operationId"] not in KEYLESS), route
