"""Responses match the OpenAPI document: exactly the members that it names, each of the documented type."""

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
# Its figures vary with the learning room; tests/learning checks them.
UNCHECKED = {"get_learning_loop"}
# Operations without an idempotency key: they only read, are repeatable by themselves, or return a secret, which must
# not be stored for a replay.
WITHOUT_KEY = {
    "create_token", "upload_files", "estimate_labeling_job", "forecast_labeling_job", "claim_task",
    "claim_task_of_labeling_job",
    "submit_assignment", "return_assignment",
    "decline_assignment",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document()


@pytest.fixture
def world(db) -> World:
    return a_world()


def strict(shape: Any, document: dict[str, Any]) -> Any:
    """An OpenAPI schema as JSON Schema: references resolved, null where allowed, no additional properties."""
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


def check(document: dict[str, Any], operation: dict[str, Any], response: Any) -> None:
    """Assert that the response matches the documented schema of the operation."""
    said = operation["responses"][str(response.status_code)]
    shape = said["content"]["application/json"]["schema"]
    jsonschema.validate(response.json(), strict(shape, document))


def operations(document: dict[str, Any], method: str) -> dict[str, dict[str, Any]]:
    """The documented operations of a method, by Django's spelling of their route."""
    found = {}
    for route, _ in views():
        if route.startswith("api/v1/"):
            path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
            if method in document["paths"].get(path, {}):
                found[route] = document["paths"][path][method]
    return found


def test_the_document_is_valid_openapi(document):
    validate_schema(document)


def test_every_get_response_matches_its_schema(document, world):
    Label.objects.create(
        data_object_id=world.ids["object_id"], revision=1, source="human", algorithm="x", value={"boxes": []}
    )
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    checked = set()
    for route, operation in operations(document, "get").items():
        if not any("application/json" in said.get("content", {}) for said in operation["responses"].values()):
            continue
        name = operation["operationId"]
        whose = worker if name in ("list_work", "get_earnings", "list_assignments", "assignment_time_left") else owner
        response = whose.get(address(route, world))
        if name in UNCHECKED or response.status_code == 404:
            continue
        assert response.status_code == 200, (route, response.content)
        check(document, operation, response)
        checked.add(name)
    assert len(checked) >= 22, sorted(checked)


def test_every_post_response_matches_its_schema(document, world):
    posts = {operation["operationId"]: (route, operation) for route, operation in operations(document, "post").items()}
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    other = signed_in(world.other_worker_user)
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
        (
            "forecast_labeling_job",
            owner,
            {"objects": 2, "workers_per_object": 3, "price": "0.036", "labels": ["bee"], "workers": 4},
        ),
        ("create_export", owner, {"kind": "manifest"}),
        ("claim_task", other, {}),
        ("submit_assignment", worker, {"answer": stories.ONE_BEE, "seconds": 3}),
        ("claim_task_of_labeling_job", worker, {}),
        ("stop_labeling_job", owner, {}),
        ("stop_training_job", owner, {}),
    ]
    for name, who, body in sent:
        route, operation = posts[name]
        response = who.post(address(route, world), data=body, content_type="application/json")
        assert response.status_code in (200, 201), (name, response.content)
        check(document, operation, response)


def test_every_post_takes_an_idempotency_key_unless_it_is_listed(document):
    by_route = {route: getattr(view, "cls", None) for route, view in views()}
    for route, operation in operations(document, "post").items():
        # `idempotent` is the only decorator in the API that sets __wrapped__.
        wrapped = hasattr(by_route[route].post, "__wrapped__")
        assert wrapped is (operation["operationId"] not in WITHOUT_KEY), route
