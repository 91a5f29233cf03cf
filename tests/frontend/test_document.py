"""The OpenAPI document is what the API does: requests made from it, right and wrong ones, are answered as it says.

schemathesis makes them of every operation, the same ones each time; so new operations are tested as well. What the
document cannot say, such as which rows there are, is filled in from the test data. Nothing that a request changes
stays, so that every request meets the same rows.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, strategies
from rest_framework import serializers
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

from frontend.rest import openapi
from frontend.rest.fields import Body
from labeling import task_types
from labeling.services.functions import choosing
from labeling.services.intake.selection import LIKELY_WRONG
from marketplace.models import Account, User
from marketplace.services import accounts
from marketplace.wsgi import application
from tests import builders
from tests.frontend import hostile
from tests.frontend.test_permissions import SIGNED_IN, WORKER
from tests.frontend.test_ranges import classes
from tests.frontend.world import World, a_world

pytestmark = pytest.mark.django_db
EXAMPLES = 6
"""Random requests of each kind, besides those that cover the schema of an operation part by part."""
PARTS = 48
PARTS_OF_WORKERS = 10
"""The operations are spread over so many tests, so that none takes long; `make test` runs the first one."""
NEEDS_A_MODEL = {"invoke_endpoint"}
"""They answer when a model is running; see test_endpoints.py."""
UNCHECKED = {"ignored_auth": "the permission tests call every route without signing in, and as strangers"}
FORMATS = {"cursor": "cD05OTk5OTk="}
"""Values of the document's own formats: here the cursor of a page after row 999999."""


@pytest.fixture(scope="module", autouse=True)
def _formats() -> None:
    for name, value in FORMATS.items():
        schemathesis.openapi.format(name, strategies.just(value))


@contextmanager
def one_connection() -> Iterator[None]:
    """Keep Django from closing a connection between requests because it is inside a transaction, as the tests' is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Caller:
    """Somebody with a token, who calls operations with what schemathesis makes and keeps what was not as documented."""

    def __init__(self, world: World, user: User, account: Account | None):
        user.set_password(builders.PASSWORD)
        user.save()
        _, secret = accounts.create_token(user=user, account=None, name="schemathesis")
        self.world, self.user = world, user
        self.headers = {"Authorization": f"Bearer {secret}"} | ({"Waggle-Account": account.number} if account else {})
        self.known = hostile.bodies(world)
        self.faults: dict[str, str] = {}
        self.calls = 0

    def call(self, case: schemathesis.Case) -> None:
        """Send one request and check its answer; nothing of it stays."""
        self._fill(case)
        self.calls += 1
        with transaction.atomic():
            try:
                response = case.call(headers=self.headers)
                excluded = [check for check in schemathesis.checks.CHECKS.get_all() if check.__name__ in UNCHECKED]
                case.validate_response(response, headers=self.headers, excluded_checks=excluded)
            except* AssertionError as wrong:
                for one in wrong.exceptions:
                    self._note(case, one, response)
            finally:
                transaction.set_rollback(True)

    def _fill(self, case: schemathesis.Case) -> None:
        """Replace what names a row by the name of one that there is; a request that is wrong elsewhere stays wrong."""
        places = {**self.world.ids, "kind": "good_examples", "number": 0, "part": "config.json"}
        for name in case.path_parameters or {}:
            case.path_parameters[name] = places[name]
        if case.meta.generation.mode.is_positive and {"first", "last"} & set(case.query or {}):
            # The document cannot say that a statement covers a year at most.
            case.query |= {"first": "2026-01-01", "last": "2026-03-31"}
        right = self.known.get(case.operation.definition.raw["operationId"], {})
        if isinstance(case.body, dict) and case.meta.generation.mode.is_positive:
            for name in set(case.body) & REFERENCES:
                if name in right:
                    case.body[name] = right[name]
                else:
                    del case.body[name]
            agree(case.body, right)

    def _note(self, case: schemathesis.Case, error: Exception, response: Any) -> None:
        why = getattr(case.meta.phase.data, "description", "")
        sent = {"query": case.query, "body": case.body if isinstance(case.body, dict | list | str) else None}
        self.faults.setdefault(
            f"{case.operation.label}: {type(error).__name__}: {why}",
            f"{response.status_code} {response.text[:600]} to {sent}",
        )


REFERENCES = {
    "account", "answer", "bad_examples", "dataset", "email", "good_examples", "initial_model", "input_manifest_uri",
    "output_uri", "question", "uri", "workteam", "uid", "token", "old_password", "new_password", "prices", "ends_on",
    "vendor", "emails", "url", "tax_number", "routing_rule", "percent", "issuer", "slug", "domains",
    "config", "variants",
    "price_ceiling", "wanted_end", "worker", "workers_per_object", "label_category_config", "label_category_config_uri",
    "config_uri", "model", "onnx_uri",
    "strategy", "objective", "ranges", "limits", "completion", "hyperband", "warm_start", "validation",
}  # fmt: skip
"""Members of a body whose right values depend on what there is."""


@cache
def documented() -> frozenset[str]:
    """Every member that the document names somewhere."""
    shapes = openapi.document()["components"]["schemas"].values()
    return frozenset(name for shape in shapes for name in shape.get("properties", ()))


def agree(body: dict[str, Any], right: dict[str, Any]) -> None:
    """Make the parts of a body fit together where the document says in words only what they have in common."""
    for name in set(body) - set(right) - documented():
        # Members that no operation knows are ignored, as long as they are JSON that the API takes at all.
        del body[name]
    if body.get("kind") == "worker-answers":
        body.pop("images", None)
    if "completed_code" in right:
        # What a code, an address and a name of the query may hold is said by the service; one way out is needed.
        body |= {name: right[name] for name in right if name.endswith(("_code", "_url", "_parameter"))}
    if "certificate" in right:
        # Either the metadata or each of their parts.
        for name in ("metadata", "entity_id", "sso_url", "certificate"):
            body.pop(name, None)
        body |= {name: right[name] for name in ("entity_id", "sso_url", "certificate") if name in right}
    if "script_hosts" in body and "template" in right:
        body["script_hosts"] = right.get("script_hosts", [])
    if set(right) in ({"label", "name"}, {"label", "into"}):
        # Classes of the job.
        body |= right
    _agree_files(body, right)
    if {"labels", "workteam"} <= set(right):
        # They may be left out with a label category configuration alone.
        body.setdefault("labels", right["labels"])
    if "uri" in body and "name" in right:
        body.setdefault("name", right["name"])
    _agree_learning(body, right)
    if "crowd" in body or "compare" in body or {"labels", "objects"} <= set(body):
        body["labels"] = [f"{place} {label}"[:256] for place, label in enumerate([*body["labels"], "other"])]
        body.pop("redundancy", None)
        body["price"] = right["price"]
        # Nothing is known yet of the account's own crowd.
        body.pop("crowd", None)
    if "price" in body and "price" in right:
        body["price"] = right["price"]
    if "selection" in body:
        body["selection"] = {"percent": 10, **body["selection"], "where": "split = 'train'"}
        if body["selection"].get("kind") == LIKELY_WRONG:
            # Only jobs that look at earlier labels have it.
            body["selection"]["kind"] = "full"
    if isinstance(body.get("redundancy"), dict):
        body["redundancy"] = {name: value for name, value in body["redundancy"].items() if name in documented()}
    if {"labels", "workteam"} <= set(body):
        body["labels"] = [f"{place} {label}"[:256] for place, label in enumerate([*body["labels"], "other", "none"])]
        body["dataset"], body["price"] = right["dataset"], right["price"]
        body.pop("label_attribute_name", None)
        if body.get("task_type", "").startswith(("Text", "Named", "Custom", "Verification", "Adjustment")):
            # The data set is of images without earlier labels, and a worker template needs more than labels.
            body["task_type"] = task_types.DEFAULT
        chained = ("input_job", "audit_label_attribute_name")
        for name in ("template", "script_hosts", *chained, *choosing.FIELDS, "function_secret"):
            body.pop(name, None)
        body.get("redundancy", {}).pop("start", None)
        body.pop("qualification_requirements", None)
        for kind in ("good_examples", "bad_examples"):
            body.get("instructions", {}).pop(kind, None)


def _agree_learning(body: dict[str, Any], right: dict[str, Any]) -> None:
    """The same for trainings, batch transforms and endpoints."""
    if {"dataset", "validation"} <= set(right):
        # Either a data set or channels are to be given.
        body.pop("channels", None)
        body["dataset"] = right["dataset"]
    if "dataset" in body and "hyperparameters" in right:
        body["hyperparameters"] = right["hyperparameters"]
        # Its form is told by the service.
        body.pop("label_attribute_name", None)
    if "test_dataset" in right:
        # The location has to be the account's, and the data set has boxes under one attribute only.
        body |= {name: right[name] for name in ("location", "test_dataset", "test_attribute", "settings")}
        for name in ("training_dataset", "training_attribute"):
            body.pop(name, None)
    if isinstance(body.get("data_capture"), dict):
        # It has to lead to a store that the account may write to.
        body["data_capture"].pop("uri", None)


def _agree_files(body: dict[str, Any], right: dict[str, Any]) -> None:
    """The same for what is imported and exported, for taxes, qualifications, keys and objects of functions."""
    if "percent" in body and "label" in right:
        # A tax of zero percent needs no name.
        body["label"] = right["label"]
    if "granted_by" in body:
        body["granted_by"], body["mark"] = right["granted_by"], right["mark"]
        body.pop("test", None)
    if isinstance(body.get("objects"), list):
        # Objects that a function has failed: none has.
        del body["objects"]
    if "keys" in body:
        # Their names are commands of the element, and no key stands twice.
        body["keys"] = right["keys"]
    # Golds are of a job that has to be named with them; each type has exports of its own; JSON of any form is JSON that
    # the API takes at all.
    if body.get("purpose") == "golds":
        del body["purpose"]
    if body.get("kind") in {"masks", "csv", "conll", "jsonl"}:
        body["kind"] = "coco"
    if isinstance(body.get("input"), dict):
        body["input"] = {"x": 1}
    if "uri" in body:
        # Each type has formats of its own, and names of attributes a form that the service tells.
        for name in ("format", "label_attribute_name", "read_attribute"):
            body.pop(name, None)


def operations() -> list[Any]:
    """Every operation of the document, which leaves to the tests how to sign in."""
    document = copy.deepcopy(openapi.document())
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(allow_x00=False)
    schema.app = application
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if one.definition.raw["operationId"] not in NEEDS_A_MODEL]


def walk(caller: Caller, wanted: list[Any]) -> None:
    """Call the operations with requests made from the document."""
    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    for operation in wanted:
        config = HypothesisTestConfig(
            project=operation.schema.config,
            modes=[HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING],
            settings=settings,
        )
        with one_connection():
            create_test(operation=operation, test_func=caller.call, config=config)()


def test_every_body_has_the_types_of_the_document():
    loose = [shape.__name__ for shape in classes(serializers.Serializer) if shape.__name__.endswith("Input")]
    assert len(loose) > 15
    assert [name for name in loose if name not in {shape.__name__ for shape in classes(Body)}] == []


def parts(number: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "part", [pytest.param(n, marks=pytest.mark.slow if n else ()) for n in range(number)]
    )


@parts(PARTS)
def test_the_owner_of_an_account_is_answered_as_the_document_says(part, db):
    world = a_world()
    hostile.everybody(world)
    caller = Caller(world, world.owner, world.account)
    wanted = operations()[part::PARTS]
    walk(caller, wanted)
    assert not caller.faults, "\n".join(f"{case}\n  {fault}" for case, fault in caller.faults.items())
    assert caller.calls > 15 * len(wanted)


@parts(PARTS_OF_WORKERS)
def test_a_worker_is_answered_as_the_document_says(part, db):
    world = a_world()
    hostile.everybody(world)
    caller = Caller(world, world.worker_user, None)
    theirs = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in WORKER | SIGNED_IN}
    wanted = [operation for operation in operations() if operation.path in theirs]
    assert len(wanted) > 12
    wanted = wanted[part::PARTS_OF_WORKERS]
    walk(caller, wanted)
    assert not caller.faults, "\n".join(f"{case}\n  {fault}" for case, fault in caller.faults.items())
    assert caller.calls > 15 * len(wanted)


def test_no_two_bodies_share_a_name():
    """The document knows a body by the name of its class: of two it would describe one."""
    # A body of two others is found below each of them.
    names = [shape.__name__ for shape in set(classes(Body))]
    assert sorted({name for name in names if names.count(name) > 1}) == []
