"""Hostile values in every place where a request can hold one: none of them is an error of the server.

The places come from the URL table, the source of the views, the forms and the OpenAPI document, so that new ones are
walked as well.
"""

import io
import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.http import HttpResponse
from django.test import Client
from rest_framework import serializers

import frontend
from frontend.rest import openapi
from marketplace.wsgi import application
from tests.frontend import hostile
from tests.frontend.hostile import send
from tests.frontend.test_permissions import ALL, WORKER, address, views
from tests.frontend.test_ranges import FIELDS, classes
from tests.frontend.world import World, a_world

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"
PARTS = 24
part = pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, PARTS))])
"""A walk is divided by value and place: `make test` tries one of 24 values, at least one, in every other place;
`make test-all` tries all values in all places."""
BRACES = re.compile(r"<\w+:(\w+)>")
OF_WORKERS = {"/" + BRACES.sub(r"{\1}", route) for route in WORKER}


@pytest.fixture
def world(db) -> World:
    return a_world()


@pytest.fixture
def owner(world) -> Client:
    return hostile.everybody(world)[0]


class Share:
    """Divides the values of each place among the parts of a walk; the first part leaves every other place to the
    second."""

    def __init__(self, part: int) -> None:
        self._part, self._places = part, 0

    def __call__(self, values: Iterable[Any]) -> list[Any]:
        """Those of the next place that are tried in this part."""
        turned = list(values)
        place, first = self._places, self._places % len(turned)
        self._places += 1
        turned = [*turned[first:], *turned[:first]]
        if self._part == 0:
            return [] if place % 2 else turned[::PARTS]
        mine = turned[self._part :: PARTS]
        return [*mine, *turned[::PARTS]] if self._part == 1 and place % 2 else mine


def fault(where: str, value: Any, response: HttpResponse) -> list[str]:
    """What is wrong with the response: a status of 500 or more, or an error of the API that is no problem document."""
    of_api = where.partition(" ")[2].startswith("/api/v1/")
    if response.status_code >= 500:
        return [f"{where} {str(value)[:60]!r}: {response.status_code}"]
    if of_api and response.status_code >= 400 and response["Content-Type"] != PROBLEM:
        return [f"{where} {str(value)[:60]!r}: {response.status_code} is {response['Content-Type']}"]
    return []


def pages() -> list[tuple[str, Any]]:
    return [(route, view) for route, view in views() if not route.startswith("api/v1/")]


@part
def test_no_part_of_an_address_is_an_error_of_the_server(world, part):
    share = Share(part)
    clients = hostile.everybody(world)
    faults = []
    for route in ALL:
        for match in BRACES.finditer(route):
            for value in share(hostile.IN_PATHS):
                one = route[: match.start()] + "@part@" + route[match.end() :]
                path = address(one, world).replace("@part@", hostile.quoted(value))
                client = clients[1] if route in WORKER else clients[0]
                for method in ("get", "post"):
                    response = send(client, method, path, "{}" if method == "post" else "")
                    faults += fault(f"{method} {path[:80]}", ascii(value), response)
                    if "<int" in match[0]:
                        assert response.status_code == 404, (path[:80], response.status_code)
    for value in hostile.IN_PATHS:
        for start in ("/", "/static/", "/api/v1/", "/jobs/new/"):
            faults += fault(f"get {start}", ascii(value), send(clients[0], "get", start + hostile.quoted(value)))
    assert faults == []


@part
def test_no_query_of_a_page_is_an_error_of_the_server(world, part):
    share = Share(part)
    clients = hostile.everybody(world)
    faults = []
    for route, view in pages():
        path, client = address(route, world), clients[route in WORKER]
        for name in sorted(hostile.query_parameters(route, view)):
            for value in share((*hostile.texts(name), hostile.HALF)):
                response = send(client, "get", f"{path}?{name}={hostile.quoted(value)}")
                faults += fault(f"get {path} {name}", ascii(value), response)
    for value in hostile.TEXTS:
        response = send(Client(raise_request_exception=False), "get", "/jobs/", {"status": value})
        faults += fault("get /jobs/ without signing in", value, response)
    assert faults == []


@part
def test_no_field_of_a_form_is_an_error_of_the_server(world, owner, part):
    share = Share(part)
    faults = []
    for path, fields in hostile.forms(world):
        client = Client(raise_request_exception=False) if path in ("/sign-in/", "/sign-up/") else owner
        for name in [*fields, "unknown"]:
            for value in share((*hostile.texts(name), hostile.HALF)):
                if value == hostile.HALF:
                    half = f"{name}={hostile.quoted(value)}&{hostile.quoted(value)}={name}"
                    response = send(client, "post", path, half, content_type="application/x-www-form-urlencoded")
                else:
                    response = send(client, "post", path, {**fields, name: value})
                faults += fault(f"post {path} {name}", ascii(value), response)
        names = {f"{name}\0": value for name, value in fields.items()}
        faults += fault(f"post {path}", "NUL in names", send(client, "post", path, names))
    assert faults == []


def test_every_parameter_of_pages_is_walked(world):
    """Every field of a form and every parameter that a page reads by its name is among those of the walks above."""
    source = "\n".join(
        path.read_text()
        for path in Path(frontend.__path__[0]).glob("**/*.py")
        if not {"node_modules", "rest", "demo"} & set(path.parts)
    )
    read = set(re.findall(r'request\.GET(?:\.get\(|\[)"(\w+)"', source))
    asked = {name for route, view in pages() for name in hostile.query_parameters(route, view)}
    assert read <= asked
    # The fields of a form of which there are several on a page are posted as range-0-low and the like.
    posted = {re.sub(r"^\w+-\d+-", "", name) for _, fields in hostile.forms(world) for name in fields}
    fields = {name for form in classes(forms.Form) for name in form.base_fields}
    named = fields | set(re.findall(r'request\.POST(?:\.get\(|\[)"(\w+)"', source))
    assert not named - posted - asked, sorted(named - posted - asked)


@part
def test_no_query_of_the_api_is_an_error_of_the_server(world, part):
    share = Share(part)
    clients = hostile.everybody(world)
    faults = []
    for path, operations in openapi.document()["paths"].items():
        for method, operation in operations.items():
            asked = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            filled = path.format(**world.ids, kind="good_examples", number=0, part="config.json")
            for name in asked or ["side"]:
                for value in share((*hostile.TEXTS, hostile.HALF) if asked else hostile.TEXTS[:3]):
                    whole = f"{filled}?{name}={hostile.quoted(value)}"
                    response = send(clients[path in OF_WORKERS], method, whole)
                    faults += fault(f"{method} {filled} {name}", ascii(value), response)
    assert faults == []


@part
def test_no_part_of_a_json_body_is_an_error_of_the_server(world, part):
    share = Share(part)
    clients, bodies = hostile.everybody(world), hostile.bodies(world)
    document = openapi.document()
    faults, walked = [], set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in content:
                continue
            name = operation["operationId"]
            walked.add(name)
            filled, client = path.format(**world.ids), clients[path in OF_WORKERS]
            for place in hostile.places(content["application/json"]["schema"], document):
                body = json.dumps(hostile.with_place(bodies[name], place))
                for value in share(hostile.in_json(place)):
                    sent = body.replace(json.dumps(hostile.PLACE), value)
                    response = send(client, method, filled, sent)
                    faults += fault(f"{method} {filled} {place}", value, response)
    assert faults == []
    assert walked == set(bodies)


def test_every_number_of_a_request_is_finite():
    loose = [place for place, (_, field) in FIELDS.items() if type(field) is serializers.FloatField]
    assert loose == []


HEADERS = {
    "HTTP_RANGE": ["bytes=" + "9" * 5000 + "-", "bytes=0-" + "9" * 5000, "bytes=-" + "9" * 5000, "bytes=²-", "\0"],
    "HTTP_IF_RANGE": ["\0", "²"],
    "HTTP_ACCEPT": ["a/b; c*=nope''d", "a/b; c*" + "9" * 5000 + "*=d", "*/*; q=²", "text/html", ",;,", "\0"],
    "HTTP_WAGGLE_ACCOUNT": ["\0", "²" * 12, "9" * 5000],
    "HTTP_IDEMPOTENCY_KEY": ["\0", "²", "k" * 5000],
    "HTTP_AUTHORIZATION": ["Bearer", "Bearer \0", "Bearer wgl_²", "Basic \xff"],
    "HTTP_REFERER": ["\0", "http://[", "²"],
    "HTTP_X_FORWARDED_FOR": ["\0", "²", "1" * 5000],
    "HTTP_COOKIE": ['sessionid="\\000bcdefghijk"', "sessionid=²²²²²²²²²²", "csrftoken=\\ud800", "sessionid=; =; ;"],
    "HTTP_HOST": ["[", "²", "a" * 5000],
    "CONTENT_TYPE": [f"application/json; charset={name}" for name in ("hex", "idna", "utf-7", "undefined", "nope", "²")]
    + ["multipart/form-data", "multipart/form-data; boundary=²", "application/x-www-form-urlencoded; charset=utf-16"],
    "CONTENT_LENGTH": ["²", "-1", "9" * 30, "9" * 5000],
}


def test_no_header_is_an_error_of_the_server(world, owner):
    addresses = [
        ("get", f"/api/v1/exports/{world.ids['export_id']}/download"),
        ("get", "/api/v1/labeling-jobs?status=InProgress"),
        ("post", "/api/v1/workteams"),
        ("post", "/api/v1/uploads"),
        ("post", f"/jobs/{world.ids['job_id']}/stop/"),
        ("get", "/jobs/?status=InProgress"),
        ("post", "/sign-in/"),
        ("get", "/no-such-page/"),
    ]
    faults = []
    for (method, path), name in itertools.product(addresses, HEADERS):
        for value in HEADERS[name]:
            extra = {"content_type" if name == "CONTENT_TYPE" else name: value}
            response = send(owner, method, path, '{"name": "others"}' if method == "post" else "", **extra)
            faults += fault(f"{method} {path} {name}", value, response)
    assert faults == []


@pytest.mark.parametrize("header", ["text/plain; a*=nope''b", "text/plain; a*" + "9" * 5000 + "*=b"])
def test_a_content_type_that_cannot_be_read_is_answered(header):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/v1/me",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": header,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    answered = []
    assert b"".join(application(environ, lambda status, headers: answered.append(status)))
    assert answered == ["401 Unauthorized"]


def test_a_name_that_is_no_route_is_no_redirect_by_name(world, owner):
    response = owner.post("/account/", {"account": world.account.number, "next": "home"})
    assert (response.status_code, response["Location"]) == (302, "home")
