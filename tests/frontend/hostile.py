"""Values that no field expects, and requests in which each field can be replaced by one of them.

A request that is sent by `send` leaves nothing behind in the database, so that every request meets the same rows.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from frontend.requester.audit import FilterForm as AuditForm
from frontend.requester.job_forms import PeopleStep
from frontend.review_forms import FilterForm
from labeling.models import DataObject
from marketplace.services import workteams
from tests import builders
from tests.frontend import (
    hostile_money,
    hostile_quality,
    hostile_templates,
    hostile_told,
    improvement_world,
    inaturalist_world,
    model_world,
    review_world,
    trainings_world,
    vendor_world,
)
from tests.frontend.hostile_panels import panel_bodies, panel_forms
from tests.frontend.hostile_people import people_bodies, people_forms
from tests.frontend.hostile_qualifications import qualification_bodies, qualification_forms
from tests.frontend.hostile_tuning import AUTOMATION, tuning_bodies, tuning_forms
from tests.frontend.test_permissions import signed_in
from tests.frontend.world import World
from tests.labeling import stories

ACTIVITY = ("moves", "trusted", "untrusted", "keys", "focus_seconds", "active_seconds")
TEXTS = (
    "\0",
    "²",
    "9" * 30,
    "9" * 5000,
    "1e9999999",
    "1e-9999999",
    "NaN",
    "a" + "-" * 80 + "b",
    "[" * 2000,
    "\ufffe😀",
)
"""Texts for forms and queries: NUL, digits of other scripts, numbers out of range, deep JSON."""

ADDRESSES = ("file://[::1/x", "file:///a%00b", "file:///" + "x" * 900, "s3://" + "b" * 900)
PLACES = ("/sign-in/", "home", "//[", "http://[")
MORE = {"uri": ADDRESSES, "input_manifest_uri": ADDRESSES, "output_uri": ADDRESSES, "next": PLACES}
"""Further texts for fields of these names."""

IN_PATHS = ("\0", "²", "9223372036854775808", "9" * 30, "9" * 5000, "a\0b", "😀", "\ud800")
"""Parts of an address."""

HALF = "a\ud800"
"""Half of a surrogate pair, which a request can only hold as bytes that are no UTF-8."""

UNREAD = (
    '"\\ud800"',
    '"a\\u0000"',
    '{"\\udfff": 1}',
    '{"a\\u0000": 1}',
    "NaN",
    "-Infinity",
    "1e9999",
    "1" * 30,
    "-9223372036854775809",
    "9" * 5000,
    "[" * 40 + "]" * 40,
    "[" * 5000 + "]" * 5000,
    '{"a":' * 300 + "1" + "}" * 300,
)
"""Values for which a JSON document is refused wherever they stand in it."""

VALUES = ("1e308", "9223372036854775807", "null", "[]", "{}")
"""Values of a JSON document that are no texts."""

PLACE = "@here@"
"""Stands in a JSON body where the hostile value is to be written."""

# Query parameters that are read outside of the module of the view.
QUERIES = {
    **dict.fromkeys(("wallet/statement/", "work/earnings/statement/"), {"first", "last", "after"}),
    **dict.fromkeys(
        ("wallet/statement/file/", "wallet/statement/invoice/", "work/earnings/statement/file/"), {"first", "last"}
    ),
    "sign-in/": {"next"},
    "aws/": {"Action", *(f"X-Amz-{part}" for part in ("Algorithm", "Credential", "Date", "Expires", "Signature"))},
    "sign-in/with/<str:provider_id>/": {"next"},
    "sign-in/with/<str:provider_id>/back/": {"code", "state", "error"},
    "sign-out/": {"next"},
    "api/docs/": {"lang", "version", "script"},
    "api/v1/openapi.json": {"lang", "version", "format"},
    "datasets/<int:dataset_id>/sample/<int:number>/": {"side"},
    "jobs/new/examples/<str:kind>/<int:number>/": {"side"},
    "models/compare/<int:left_id>/<int:right_id>/<int:dataset_id>/<int:place>/": {"side"},
    "models/compare/": {"left", "right", "dataset"},
    "transforms/new/": {"model", "dataset"},
    "jobs/new/estimate/": set(PeopleStep.base_fields),
    "audit/": {*AuditForm.base_fields, "before"},
    "audit/csv/": set(AuditForm.base_fields),
    "jobs/<int:job_id>/answers/": {*FilterForm.base_fields, "page"},
    "work/reviews/<int:reviewed_id>/": {*FilterForm.base_fields, "page"},
    "vendors/": {"task_type", "language", "page"},
    "vendor/staff/": {"page"},
    "operator/vendors/": {"status", "page"},
    "operator/invoices/": {"status", "page"},
    "study/join/<str:link>/<int:work_id>/": {"PROLIFIC_PID", "STUDY_ID", "SESSION_ID"},
    "jobs/new/forecast/": {*PeopleStep.base_fields, "crowd"},
}


def send(client: Client, method: str, path: str, data: Any = "", **more: Any) -> HttpResponse:
    """The response; whatever the request has changed in the database is rolled back.

    A dictionary is sent as a query (GET) or as a form, another body as it is, which is JSON unless `more` differs.
    """
    with transaction.atomic():
        if isinstance(data, dict):
            response: HttpResponse = getattr(client, method)(path, data, **more)
        else:
            response = client.generic(method.upper(), path, data, **{"content_type": "application/json", **more})
        transaction.set_rollback(True)
    return response


def quoted(value: str) -> str:
    """The value for an address or the body of a form; half of a surrogate pair becomes bytes that are no UTF-8."""
    return quote(value, safe="", errors="surrogatepass")


def texts(name: str) -> tuple[str, ...]:
    """Hostile texts for a field of this name."""
    return TEXTS + MORE.get(name, ())


def in_json(place: tuple[str | int, ...]) -> list[str]:
    """Hostile values for a place in a JSON body, as they are written there."""
    name = str(place[-1]) if place else ""
    return [*(json.dumps(text) for text in texts(name)), *VALUES, *(UNREAD if len(place) < 2 else ())]


def query_parameters(route: str, view: Callable[..., Any]) -> set[str]:
    """The query parameters that a page reads, found in its source and in the private functions of its module."""
    plain = inspect.unwrap(view)
    module = inspect.getmodule(plain)
    functions = [plain] + [
        function
        for name, function in vars(module).items()
        if name.startswith("_") and inspect.isfunction(function) and function.__module__ == plain.__module__
    ]
    source = "\n".join(inspect.getsource(function) for function in functions)
    return set(re.findall(r'request\.GET(?:\.get\(|\[)"(\w+)"', source)) | QUERIES.get(route, set())


def everybody(world: World) -> tuple[Client, Client]:
    """(a client that owns the account and operates the installation, one of a worker), with pictures in the store."""
    objects = list(DataObject.objects.order_by("pk"))
    for row, uri in zip(objects, builders.tiny_images(len(objects), account=world.account), strict=True):
        row.source_ref = uri
    DataObject.objects.bulk_update(objects, ["source_ref"])
    world.owner.is_operator = True
    world.owner.save()
    workteams.register_worker(world.owner)
    owner = signed_in(world.owner)
    for step, given in wizard(world).items():
        response = owner.post(reverse("requester:job-new-step", args=[step]), given)
        assert response.status_code == 302, (step, response.context["form"].errors)
    link = [world.ids["uidb64"], world.ids["reset"]]
    assert owner.get(reverse("person:password-reset", args=link)).status_code == 302
    return owner, signed_in(world.worker_user)


def wizard(world: World) -> dict[str, dict[str, Any]]:
    """What a requester types into the steps of the wizard."""
    return {
        "data": {
            "name": "bees-2",
            "dataset": world.ids["dataset_id"],
            "chained_job": "",
            "selection": "filter",
            "percent": "10",
            "where": "split = 'train'",
            "count": "2",
            "label_attribute_name": "labels",
        },
        "task": {
            "task_type": "BoundingBox",
            "labels": "bee",
            "audit_label_attribute_name": "",
            "label_category_config": "",
            "template": "",
            "hosts": "",
            "pre_human_task_function": "",
            "annotation_consolidation_function": "",
            "function_secret": "",
            "title": "Bees",
            "description": "Box them",
            "short": "Whole bees",
            "full": "Tight.",
        },
        "people": {
            "workteam": world.ids["team_id"],
            "workers_per_object": 2,
            "redundancy": "dynamic",
            "target_confidence": "0.9",
            "expected_seconds": 10,
            "price": "0.036",
            "free_of_personal_data": "on",
            "free_of_adult_content": "on",
            "review_days": 3,
            "qualifications": [world.ids["type_id"]],
            "qualification_least": 80,
            "head_start_minutes": 10,
            "golds_rate": "10",
            "golds_attribute": "truth",
            "golds_mint": 5,
            "time_limit_minutes": 7,
            "availability_hours": 5,
            "max_concurrent_tasks": 100,
            "max_human_labeled_objects": 10,
            "max_percentage_labeled": 50,
            "max_spend": "10",
            "price_ceiling": "0.05",
            "wanted_hours": 24,
        },
        "automation": AUTOMATION,
    }


def forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form of the pages, with values that the page takes."""
    ids = world.ids
    for step, given in wizard(world).items():
        yield f"/jobs/new/{step}/", given
    job, source = f"/jobs/{ids['job_id']}/", {"name": "bees-3", "kind": "prefix", "folder": ""}
    source["uri"] = builders.tiny_images(1, account=world.account)[0].rsplit("/", 1)[0] + "/"
    yield from [
        ("/sign-in/", {"username": world.owner.email, "password": builders.PASSWORD, "next": "/"}),
        ("/account/", {"account": world.account.number, "next": "/wallet/"}),
        ("/jobs/new/launch/", {}),
        *((f"{job}{act}/", {}) for act in ("stop", "continue")),
        (f"{job}labels/{ids['object_id']}/adjudicate/", {"answer": json.dumps(stories.ONE_BEE)}),
        (f"{job}exports/", {"kind": "coco", "which": "all", "images": "on"}),
        (f"{job}answers/{ids['review_id']}/decide/", {"decision": "reject", "reason": "no", "return_to_worker": "on"}),
        (f"{job}answers/decide/?worker=x&hours=1", {"decision": "reject", "reason": "no"}),
        (f"{job}answers/sample/", {"size": 2}),
        (f"/appeals/{ids['appeal_id']}/answer/", {"decision": "uphold", "text": "it was right"}),
        (f"/operator/appeals/{ids['appeal_id']}/answer/", {"decision": "deny", "text": "no"}),
        (reverse("worker:appeal", args=[ids["assignment_id"]]), {"text": "it was right"}),
        (f"/datasets/{ids['dataset_id']}/delete/", {}),
        *((f"/{kind}s/{ids[f'{kind}_id']}/stop/", {}) for kind in ("export", "dataset", "import")),
        ("/datasets/new/", {**source, "selection": "random", "percent": "10", "where": "a = 1"}),
        ("/imports/new/", hostile_templates.an_import(world)),
        *(*trainings_world.forms(ids), *tuning_forms(ids), *hostile_templates.forms(world)),
        *improvement_world.forms(ids, world.account),
        ("/teams/new/", {"name": "others", "description": "Others"}),
        (f"/teams/{ids['team_id']}/invite/", {"emails": world.outsider_user.email, "skip_bad": "on"}),
        (f"/teams/{ids['team_id']}/portal/", {"portal": "hives"}),
        (f"/teams/{ids['team_id']}/networks/", {"source_cidrs": "127.0.0.0/8"}),
        ("/settings/organization/", {"organization": "Hives", "contact_email": "hives@example.org"}),
        (f"/teams/{ids['team_id']}/remove/", {"worker": ids["worker_id"]}),
        ("/settings/invitations/", {"email": world.stranger.email, "role": "Viewer"}),
        (f"/settings/invitations/{ids['invitation_id']}/withdraw/", {}),
        (f"/settings/members/{ids['user_id']}/role/", {"role": "Owner"}),
        ("/teams/suspended/new/", {"worker": ids["worker_id"], "reason": "spam"}),
        (f"/teams/suspended/{ids['worker_id']}/lift/", {}),
        ("/settings/tokens/", {"name": "notebook"}),
        (f"/settings/tokens/{ids['token_id']}/revoke/", {}),
        ("/operator/deposit/", {"account": world.account.pk, "amount": "1.50", "reference": "bank-1"}),
        *(*vendor_world.forms(world.ids), *inaturalist_world.forms(world.account)),
        *((f"/operator/payouts/{way}/", {}) for way in ("send", "send-by-stripe")),
        (reverse("worker:stripe-connect"), {}),
        (
            "/operator/payouts/read/",
            {"kind": "deposits", "file": SimpleUploadedFile("a.csv", b"account,amount,reference\n1,1,1")},
        ),
        (f"/operator/payouts/{ids['payout_id']}/failed/", {"reason": "closed"}),
        *qualification_forms(world),
        (reverse("worker:payout-details"), {"holder": "Ana", "destination": "acct 1"}),
        (reverse("worker:payout-request"), {"amount": "1.50"}),
        *(*people_forms(world), *hostile_money.forms(world), *hostile_told.forms(world)),
        *review_world.forms(ids["team_id"], world.account, ids["model_id"]),
        *(*panel_forms(world), *hostile_quality.forms(world), *model_world.forms(world.account, world.ids)),
        ("/sign-out/", {"next": "/"}),
        ("/api/v1/uploads", {"folder": "0" * 32, "files": SimpleUploadedFile("a.png", builders.image_bytes())}),
    ]


def bodies(world: World) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one, which it accepts; parts that are left out may be added."""
    uri = builders.tiny_images(1, account=world.account)[0]
    design = {
        "name": "made",
        "labels": ["bee"],
        "workteam": world.ids["team_id"],
        "dataset": world.ids["dataset_id"],
        "title": "t",
        "description": "d",
        "price": "0.036",
        "selection": {"kind": "random", "percent": 10, "count": 2},
        "content_classifiers": ["FreeOfAdultContent"],
        "instructions": {"good_examples": [{"uri": uri}], "bad_examples": [{"uri": uri}]},
        "redundancy": {"kind": "dynamic"},
        "automated_labeling": {"enabled": True},
    }
    return {
        **(panel_bodies() | review_world.machine_bodies() | inaturalist_world.bodies(world.account)),
        **(review_world.bodies(world.ids["team_id"], world.account) | vendor_world.bodies(world.ids)),
        **people_bodies(world),
        "create_token": {"name": "t"},
        "change_password": {"old_password": builders.PASSWORD, "new_password": builders.PASSWORD + "-new"},
        "request_password_link": {"email": world.owner.email},
        "reset_password": {"uid": world.ids["uidb64"], "token": world.ids["reset"], "new_password": "clover-9-bees"},
        "create_invitation": {"email": world.stranger.email, "role": "Viewer"},
        "create_workteam_invitation": {"email": world.outsider_user.email},
        "change_member_role": {"role": "Owner"},
        "block_worker": {"worker": world.ids["worker_id"], "reason": "spam"},
        "create_account": {"name": "N", "owner": world.stranger.email},
        "deposit": {"account": world.account.number, "amount": "1", "reference": "r"},
        "create_workteam": {"name": "others"},
        "create_dataset": {"name": "made", "kind": "prefix", "uri": uri, "selection": {"kind": "random", "percent": 9}},
        "create_label_import": {"uri": uri, "name": "made", "images": world.ids["dataset_id"]},
        **trainings_world.bodies(world.ids),
        "create_labeling_job": design,
        "estimate_labeling_job": {"objects": 2, "workers_per_object": 3, "price": "0.036"},
        "forecast_labeling_job": {"objects": 2, "workers_per_object": 3, "price": "0.036", "labels": ["bee"]},
        **(hostile_templates.bodies() | tuning_bodies(world) | improvement_world.bodies(world.ids, world.account)),
        "keep_chosen_keys": {"keys": {"next": "q"}},
        "create_export": {"kind": "manifest"},
        "adjudicate_object": {"answer": stories.ONE_BEE},
        "submit_assignment": {"answer": stories.ONE_BEE, "seconds": 3, "activity": dict.fromkeys(ACTIVITY, 1)},
        "decline_assignment": {"reason": "blurred"},
        "set_payout_details": {"holder": "Ana", "destination": "acct 1"},
        "request_payout": {"amount": "1.50"},
        "mark_payout_failed": {"reason": "closed"},
        "sample_answer_reviews": {"size": 2, "label": "bee", "submitted_before": "2026-01-01T00:00:00Z"},
        "accept_answer_reviews": {"sampled": False, "most_agreement": 0.5},
        **dict.fromkeys(("reject_answer_reviews", "reject_answer_review"), {"reason": "no", "return_to_worker": True}),
        "appeal_rejection": {"text": "it was right"},
        **(hostile_told.bodies(world) | hostile_money.bodies(world) | hostile_quality.bodies(world)),
        **dict.fromkeys(("answer_appeal", "answer_any_appeal"), {"decision": "deny", "text": "it was not"}),
        **(qualification_bodies(world) | model_world.bodies(world.account, world.ids)),
    }


def places(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """The path of every part of a JSON body by its OpenAPI schema, the whole body first."""
    yield ()
    for part in schema.get("allOf", ()):
        yield from (path for path in places(part, document) if path)
    if "$ref" in schema:
        named = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        yield from (path for path in places(named, document) if path)
    for name, part in schema.get("properties", {}).items():
        yield from ((name, *path) for path in places(part, document))
    if schema.get("type") == "array":
        yield from ((0, *path) for path in places(schema["items"], document))


def with_place(body: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of the body in which PLACE stands at `path`; parts on the way there that are missing are made."""
    if not path:
        return PLACE
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        listed = list(body) if isinstance(body, list) else []
        return [with_place(listed[0] if listed else None, rest), *listed[1:]]
    known = dict(body) if isinstance(body, dict) else {}
    return {**known, first: with_place(known.get(first), rest)}
