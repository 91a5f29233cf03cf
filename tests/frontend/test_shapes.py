"""Responses match the OpenAPI document: exactly the members that it names, each of the documented type."""

import re
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from frontend.rest import openapi
from labeling.models import AnswerReview, Label
from marketplace.models import Role, User
from marketplace.services import invitations
from tests import builders
from tests.frontend import (
    endpoint_world,
    events_world,
    improvement_world,
    inaturalist_world,
    model_world,
    review_world,
    trainings_world,
)
from tests.frontend.hostile_panels import panel_bodies
from tests.frontend.hostile_people import people_bodies
from tests.frontend.hostile_qualifications import qualification_bodies
from tests.frontend.hostile_tuning import tuning_bodies
from tests.frontend.test_permissions import address, signed_in, views
from tests.frontend.world import World, a_world
from tests.labeling import stories

pytestmark = pytest.mark.django_db
OF_WORKERS = {
    "list_work", "list_my_workteams", "get_earnings", "list_assignments", "assignment_time_left",
    "get_payout_details", "get_chosen_keys",
    "list_payouts", "list_my_answers", "list_my_appeals", "list_my_qualifications", "get_my_qualification",
    "get_test_attempt", "list_closed_work", "list_my_accuracies", "list_my_findings",
    "get_worker_statement", "get_hourly_pay", "get_profile", "list_queues_to_review", "list_answers_to_review",
}  # fmt: skip
# Its figures vary with the learning room; tests/learning checks them.
UNCHECKED = {"get_learning_loop"}
# Operations without an idempotency key: they only read, are repeatable by themselves, or return a secret, which must
# not be stored for a replay.
WITHOUT_KEY = {
    "request_sign_up", "finish_sign_up", "create_workteam_invitations",
    "create_invitation", "create_workteam_invitation", "create_user", "create_password_link", "request_password_link",
    "reset_password", "create_token", "erase_user", "erase_personal_data", "create_access_key",
    "upload_files", "estimate_labeling_job", "forecast_labeling_job", "claim_task",
    "claim_task_of_labeling_job", "submit_assignment", "return_assignment", "decline_assignment",
    "cancel_payout", "mark_payout_paid", "mark_payout_failed",
    "create_webhook", "create_my_webhook", "renew_webhook_secret", "renew_my_webhook_secret", "answer_test_question",
    "create_event_destination", "renew_event_destination_secret",
    "cancel_refund", "mark_refund_paid", "refuse_refund", "submit_vendor_listing", "withdraw_vendor_listing",
    "publish_vendor_listing", "refuse_vendor_listing", "confirm_contract", "refuse_contract", "give_notice",
    "invoke_endpoint",
    "mark_invoice_paid", "enable_identity_provider", "disable_identity_provider", "approve_identity_provider",
    "review_identity_provider", "start_card_deposit", "check_template", "stop_human_loop", "count_inaturalist_licenses",
    "create_improvement_policy", "renew_improvement_report_address",
}  # fmt: skip

# Answered for the owner of the account and of the webhook.
TOLD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mark_notices_read", {}),
    ("create_webhook", {"url": "https://example.org/hook"}),
    ("create_my_webhook", {"url": "https://example.org/hook", "kinds": ["job.done"]}),
    ("renew_webhook_secret", {}),
    ("renew_my_webhook_secret", {}),
    ("redeliver_webhook_message", {}),
    ("redeliver_my_webhook_message", {}),
)


OF_PANELS = ("create_panel", "reject_panel_session", "accept_panel_session")


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
    # The owner operates the installation and is invited elsewhere, so that no list is empty.
    User.objects.filter(pk=world.owner.pk).update(is_operator=True)
    theirs = world.stranger.accounts.get()
    invitations.to_account(account=theirs, email=world.owner.email, role=Role.VIEWER, acting=None)
    checked = set()
    for route, operation in operations(document, "get").items():
        if not any("application/json" in said.get("content", {}) for said in operation["responses"].values()):
            continue
        name = operation["operationId"]
        whose = worker if name in OF_WORKERS else owner
        response = whose.get(address(route, world))
        if name in UNCHECKED or response.status_code == 404:
            continue
        assert response.status_code == 200, (route, response.content)
        check(document, operation, response)
        checked.add(name)
    assert len(checked) >= 27, sorted(checked)


def joining(world: World, owner: Client) -> list[tuple[str, Client, dict[str, Any]]]:
    """Requests by which people are invited and sign up."""
    many = ["bad", "a@example.org", "A@example.org"]
    return [
        ("create_workteam_invitation", owner, {"email": "nobody@example.org"}),
        ("create_workteam_invitations", owner, {"emails": many, "skip_bad": True}),
        ("finish_sign_up", Client(), {"secret": world.ids["sign_up"], "password": "clover-and-9-bees"}),
    ]


def of_conduct(world: World, owner: Any, worker: Any, operator: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Requests about a finding, whose worker can work again afterwards."""
    return [
        ("appeal_finding", worker, {"text": "no"}),
        ("confirm_instructions", worker, {}),
        ("decide_finding", owner, {"decision": "stand", "text": "no"}),
        ("decide_any_finding", operator, {"decision": "ban"}),
        ("close_job_to_worker", owner, {"worker": world.ids["worker_id"], "reason": "spam"}),
        ("lift_suspension", operator, {}),
    ]


def sent_about_money(world: World, owner: Any, operator: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """(operation, client, body): a deposit of the reference "r" is booked before."""
    return [
        ("pay_bonus", owner, {"worker": world.ids["other_worker_id"], "amount": "1", "reason": "r", "token": "t"}),
        ("set_tax", operator, {"account": world.account.number, "percent": "19", "label": "VAT"}),
        ("refuse_refund", operator, {"reason": "no"}),
        ("request_refund", owner, {"amount": "1"}),
        ("reverse_deposit", operator, {"reference": "r", "reason": "fraud"}),
    ]


def of_endpoints(owner: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Requests about endpoints, the update last: nothing else can be changed while it goes on."""
    names = ("create_endpoint_config", "create_endpoint", "update_endpoint")
    learned = "train_on_flow_definition"
    return [(learned, owner, review_world.machine_bodies()[learned])] + [
        (name, owner, endpoint_world.bodies()[name]) for name in names
    ]


def of_policies(world: World, owner: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Requests about improvement policies, before their endpoint is updated."""
    bodies = improvement_world.bodies(world.ids, world.account)
    return [(name, owner, bodies.get(name, {})) for name in improvement_world.SENT]


def of_templates(owner: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Requests about worker templates."""
    return [
        ("check_template", owner, {"template": "<crowd-inputs>", "input": {"x": 1}, "script_hosts": ["cdn.example"]}),
        ("create_worker_template", owner, {"name": "made", "template": "<crowd-form>", "input": {"x": 1}}),
        ("create_worker_template_version", owner, {"template": "<crowd-form>", "script_hosts": ["cdn.example"]}),
        ("restore_worker_template", owner, {}),
    ]


def of_reviewers(world: World, owner: Any, worker: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Naming a reviewer, and what one decides about the one answer there is."""
    return [
        ("add_reviewer", owner, {"worker": world.ids["reviewer_id"]}),
        ("sample_answers_to_review", worker, {"size": 1}),
        ("accept_answer_to_review", worker, {}),
        ("accept_answers_to_review", worker, {}),
        ("reject_answers_to_review", worker, {"reason": "no"}),
    ]


def everything(world: World, owner: Any, worker: Any, operator: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """(operation, client, body) in an order in which each finds what it needs."""
    uri = builders.tiny_images(1, account=world.account)[0].rsplit("/", 1)[0]
    design = {"name": "made", "labels": ["bee"], "workteam": world.ids["team_id"], "title": "t", "description": "d"}
    asked = {"objects": 2, "workers_per_object": 3, "price": "0.036"}
    return [
        ("create_token", owner, {"name": "t"}),
        ("create_access_key", owner, {"name": "t"}),
        ("create_invitation", owner, {"email": world.stranger.email, "role": Role.VIEWER}),
        *joining(world, owner),
        ("create_user", operator, {"email": "n@example.org", "display_name": "N", "account": "N"}),
        ("create_password_link", operator, {}),
        ("create_account", operator, {"name": "N", "owner": world.stranger.email}),
        ("deposit", operator, {"account": world.account.number, "amount": "1", "reference": "r"}),
        ("create_workteam", owner, {"name": "others"}),
        ("register_worker", owner, {}),
        ("join_public_pool", worker, {}),
        ("create_dataset", owner, {"name": "made", "kind": "folder", "uri": uri}),
        ("count_inaturalist_licenses", owner, inaturalist_world.bodies(world.account)["count_inaturalist_licenses"]),
        ("create_label_import", owner, {"uri": uri, "name": "labels", "images": world.ids["dataset_id"]}),
        ("create_training_job", owner, trainings_world.bodies(world.ids)["create_training_job"]),
        *((name, owner, body) for name, body in tuning_bodies(world).items()),
        ("create_labeling_job", owner, {**design, "dataset": world.ids["dataset_id"], "price": "0.036"}),
        ("estimate_labeling_job", owner, asked),
        ("forecast_labeling_job", owner, {**asked, "labels": ["bee"], "workers": 4}),
        *of_templates(owner),
        *((name, owner, body) for name, body in model_world.sent(world.account, world.ids)),
        *of_policies(world, owner),
        *of_endpoints(owner),
        *((name, owner, body) for name, body in review_world.bodies(world.ids["team_id"], world.account).items()),
        ("stop_human_loop", owner, {}),
        ("create_export", owner, {"kind": "manifest"}),
        ("claim_task", signed_in(world.other_worker_user), {}),
        ("submit_assignment", worker, {"answer": stories.ONE_BEE, "seconds": 3}),
        ("claim_task_of_labeling_job", worker, {}),
        ("accept_answer_review", owner, {}),
        ("sample_answer_reviews", owner, {"size": 1}),
        ("accept_answer_reviews", owner, {"sampled": True}),
        ("reject_answer_reviews", owner, {"reason": "no"}),
        *of_reviewers(world, owner, worker),
        *((name, owner, body) for name, body in [*TOLD, *events_world.posts()]),
        ("answer_appeal", owner, {"decision": "deny", "text": "no"}),
        ("answer_any_appeal", operator, {"decision": "deny", "text": "no"}),
        *of_conduct(world, owner, worker, operator),
        ("raise_job_price", owner, {"price": "0.04"}),
        ("set_price_ceiling", owner, {"price_ceiling": None, "wanted_end": None}),
        ("send_to_function_again", owner, {}),
        ("rename_job_class", owner, {"label": "bee", "name": "honey bee"}),
        ("merge_job_class", owner, {"label": "wasp", "into": "honey bee"}),
        *((name, owner, {}) for name in ("stop_labeling_job", "stop_training_job", "stop_tuning_job")),
        ("mark_payout_paid", operator, {}),
        ("request_payout", worker, {}),
        ("send_payouts", operator, {}),
        ("block_worker", owner, {"worker": world.ids["worker_id"], "reason": "spam"}),
        ("suspend_worker", operator, {"reason": "spam"}),
        ("lift_suspension", operator, {}),
        ("deactivate_user", operator, {"reason": "left"}),
        ("reactivate_user", operator, {}),
    ]


def test_every_post_response_matches_its_schema(document, world):
    posts = {operation["operationId"]: (route, operation) for route, operation in operations(document, "post").items()}
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    operator = signed_in(User.objects.create(username="op", email="op@example.org", password="!", is_operator=True))
    sent = everything(world, owner, worker, operator)
    about_panels = [(one, owner, panel_bodies().get(one, {})) for one in OF_PANELS]
    # The last two end the owner's session.
    money = sent_about_money(world, owner, operator)
    for name, who, body in [*sent[:-2], *money, *about_panels, *sent[-2:]]:
        route, operation = posts[name]
        if name == "accept_answer_review":
            world.ids["review_id"] = AnswerReview.objects.get(state="Pending", queue=world.ids["queue_id"]).pk
        response = who.post(address(route, world), data=body, content_type="application/json")
        assert response.status_code in (200, 201), (name, response.content)
        check(document, operation, response)


def test_every_post_about_identity_providers_matches_its_schema(document, world):
    posts = {operation["operationId"]: (route, operation) for route, operation in operations(document, "post").items()}
    User.objects.filter(pk=world.owner.pk).update(is_operator=True)
    owner = signed_in(world.owner)
    for word in ("create", "create_saml", "disable", "enable", "review", "approve"):
        route, operation = posts[f"{word}_identity_provider"]
        body = people_bodies(world).get(f"{word}_identity_provider", {})
        response = owner.post(address(route, world), data=body, content_type="application/json")
        assert response.status_code in (200, 201), (word, response.content)
        check(document, operation, response)


def test_every_post_about_qualifications_matches_its_schema(document, world):
    posts = {operation["operationId"]: (route, operation) for route, operation in operations(document, "post").items()}
    owner, worker = signed_in(world.owner), signed_in(world.worker_user)
    operator = signed_in(User.objects.create(username="op", email="op@example.org", password="!", is_operator=True))
    sent = {name: body for name, body in qualification_bodies(world).items() if name in posts}
    assert len(sent) == 8
    for name, body in sent.items():
        route, operation = posts[name]
        who = worker if name.startswith(("start", "answer")) else operator if "operator" in name else owner
        response = who.post(address(route, world), data=body, content_type="application/json")
        assert response.status_code in (200, 201), (name, response.content)
        check(document, operation, response)


def test_every_post_takes_an_idempotency_key_unless_it_is_listed(document):
    by_route = {route: getattr(view, "cls", None) for route, view in views()}
    for route, operation in operations(document, "post").items():
        takes_key = getattr(by_route[route].post, "idempotent", False)
        assert takes_key is (operation["operationId"] not in WITHOUT_KEY), route
