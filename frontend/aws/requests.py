"""Which service and which operation a request is for, and its members as they stand in it. Checks no member."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from django.http import HttpRequest, QueryDict

from frontend.aws import models
from frontend.aws.errors import SERIALIZATION, UNKNOWN_OPERATION, AwsError
from marketplace import strict
from marketplace.errors import Invalid

_SCOPE = re.compile(r"/[0-9]{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")
_QUERIES = ("sts", "iam")
_REST = ("sagemaker-a2i-runtime", "sagemaker-runtime")
FORM = "application/x-www-form-urlencoded"
MOST_MEMBERS = 1000
"""Entries of a list in a form."""


@dataclass(frozen=True)
class Wanted:
    """What a request is for: service, protocol and operation, and the members that stand in its path.

    `service` is "" for one that is not served here. `signed_service` is what the request says it is signed for.
    """

    service: str
    protocol: str
    operation: str
    place: Mapping[str, str]
    path: str
    signed_service: str


def wanted(request: HttpRequest, path: str) -> Wanted:
    """What the request asks for. `path` is what comes after the address of the wire, with its slash."""
    signed = signed_service(request)
    target = request.headers.get("X-Amz-Target")
    if target is not None:
        prefix, _, name = target.partition(".")
        service = models.by_target().get(prefix, "") if path == "/" else ""
        return Wanted(service, models.JSON, name, {}, path, signed)
    if action := _action(request):
        return Wanted(signed if signed in _QUERIES else "", models.QUERY, action, {}, path, signed)
    for service in _REST:
        for route in models.routes(service):
            found = route.path.fullmatch(path)
            if found is not None and route.method == request.method:
                return Wanted(service, models.REST_JSON, route.operation, found.groupdict(), path, signed)
    # S3, too, answers in XML.
    protocol = models.QUERY if signed in (*_QUERIES, "s3") else models.REST_JSON
    return Wanted("", protocol, "", {}, path, signed)


def signed_service(request: HttpRequest) -> str:
    """The service that a request says it is signed for; "" where it does not say so."""
    told = request.headers.get("Authorization") or request.GET.get("X-Amz-Credential", "")
    found = _SCOPE.search(told)
    return found[1] if found is not None else ""


def _action(request: HttpRequest) -> str:
    if request.content_type == FORM and request.method == "POST":
        return str(QueryDict(request.body).get("Action", ""))
    return str(request.GET.get("Action", ""))


def unknown(asked: Wanted, request: HttpRequest) -> AwsError:
    """The error for an operation that is not answered here."""
    if not asked.service and asked.signed_service == "s3":
        message = "S3 is not served at this address: set AWS_ENDPOINT_URL_S3, as manage.py aws_env says"
        return AwsError("NotImplemented", message, status=501)
    name = asked.operation or f"{request.method} {asked.path}"
    service = asked.service or asked.signed_service or "no service"
    code = "InvalidAction" if asked.protocol == models.QUERY else UNKNOWN_OPERATION
    status = 404 if asked.protocol == models.REST_JSON else 400
    return AwsError(code, f"{name[:200]} of {service} is not available in this installation", status=status)


def members(request: HttpRequest, asked: Wanted, operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The members of the input as they stand in the request. Raises AwsError for a body that cannot be read."""
    shape = operation.input_shape
    if shape is None:
        return {}
    if asked.protocol == models.QUERY:
        form = QueryDict(body) if request.content_type == FORM else request.GET
        return _from_form(shape, form)
    if asked.protocol == models.JSON:
        return dict(_document(body))
    return _rest_members(request, asked, shape, body)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = strict.read_json(body or b"{}")
    except strict.NotJson as error:
        raise AwsError(SERIALIZATION, str(error)) from None
    except Invalid as error:
        raise AwsError(SERIALIZATION, f"{error.field or 'the body'}: {error.message}") from None
    if not isinstance(found, Mapping):
        raise AwsError(SERIALIZATION, "the body is not a JSON object")
    return found


def _rest_members(request: HttpRequest, asked: Wanted, shape: StructureShape, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    in_body = [name for name, member in shape.members.items() if "location" not in member.serialization]
    if payload is not None:
        found[payload] = body
    elif in_body and body:
        document = _document(body)
        for name in in_body:
            wire = shape.members[name].serialization.get("name", name)
            if wire in document:
                found[name] = document[wire]
    for name, member in shape.members.items():
        where, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if where == "uri":
            found[name] = asked.place.get(wire)
        elif where == "querystring" and wire in request.GET:
            found[name] = request.GET.getlist(wire) if isinstance(member, ListShape) else request.GET[wire]
        elif where == "header" and wire in request.headers:
            found[name] = request.headers[wire]
    return found


def _from_form(shape: StructureShape, form: QueryDict, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _form_value(member, form, prefix + member.serialization.get("name", name))
        if value is not None:
            found[name] = value
    return found


def _form_value(shape: Shape, form: QueryDict, key: str) -> Any:
    if isinstance(shape, StructureShape):
        return _from_form(shape, form, f"{key}.") if any(name.startswith(f"{key}.") for name in form) else None
    if isinstance(shape, MapShape):
        return None
    if not isinstance(shape, ListShape):
        return form.get(key)
    found = []
    for number in range(1, MOST_MEMBERS + 1):
        one = _form_value(shape.member, form, f"{key}.member.{number}")
        if one is None:
            break
        found.append(one)
    return found or None
