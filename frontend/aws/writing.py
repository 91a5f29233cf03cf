"""Results and errors as the protocol of their service has them, by walking botocore's shapes. Decides nothing."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from django.http import HttpResponse

from frontend.aws import models
from frontend.aws.errors import AwsError, status_of

REQUEST_ID = "x-amzn-RequestId"
ERROR_TYPE = "x-amzn-ErrorType"
JSON_TYPES = {models.JSON: "application/x-amz-json-1.1", models.REST_JSON: "application/json"}
XML_TYPE = "text/xml"
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def result(operation: OperationModel, members: Mapping[str, Any], request_id: str) -> HttpResponse:
    """The answer of an operation. Raises TypeError or KeyError for members that its output shape does not have."""
    protocol = operation.service_model.metadata["protocol"]
    shape = operation.output_shape
    if protocol == models.QUERY:
        response = HttpResponse(_xml_result(operation, members, request_id), content_type=XML_TYPE)
    elif protocol == models.JSON:
        body = _structure(shape, members, "unixTimestamp") if shape is not None else {}
        response = HttpResponse(_json(body), content_type=JSON_TYPES[protocol])
    else:
        response = _rest_result(operation, members)
    response[REQUEST_ID] = request_id
    return response


def failure(error: AwsError, *, protocol: str, operation: OperationModel | None, request_id: str) -> HttpResponse:
    """An error. `operation` is None where it is not known."""
    status = status_of(error, operation)
    if protocol == models.QUERY:
        kind = "Sender" if status < 500 else "Receiver"
        message = escape(_NOT_IN_XML.sub("?", error.message))
        inner = f"<Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{message}</Message>"
        text = f"<ErrorResponse><Error>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        response = HttpResponse(text, content_type=XML_TYPE, status=status)
    else:
        # Clients read `__type` where the protocol is JSON, the header else; some look for the message in upper case.
        body = {"__type": error.code, "message": error.message, "Message": error.message, **error.members}
        response = HttpResponse(_json(body), content_type=JSON_TYPES[protocol], status=status)
        response[ERROR_TYPE] = error.code
    response[REQUEST_ID] = request_id
    return response


def _rest_result(operation: OperationModel, members: Mapping[str, Any]) -> HttpResponse:
    shape = operation.output_shape
    status = int(operation.http.get("responseCode", 200))
    if shape is None:
        return HttpResponse(b"", content_type=JSON_TYPES[models.REST_JSON], status=status)
    payload = shape.serialization.get("payload")
    _require(shape, members)
    in_header = {n: m for n, m in shape.members.items() if m.serialization.get("location") in ("header", "headers")}
    if payload is not None:
        response = HttpResponse(members.get(payload) or b"", status=status)
    else:
        body = {
            name: _value(shape.members[name], value, "unixTimestamp")
            for name, value in members.items()
            if value is not None and name not in in_header
        }
        response = HttpResponse(_json(body), content_type=JSON_TYPES[models.REST_JSON], status=status)
    for name, member in in_header.items():
        if members.get(name) is not None:
            value = _value(member, members[name], "rfc822")
            response[member.serialization.get("name", name)] = str(value)
    return response


def _require(shape: StructureShape, members: Mapping[str, Any]) -> None:
    """Raises TypeError for a result that is not what its shape says, which is a fault of the operation."""
    unknown = [name for name in members if name not in shape.members]
    missing = [name for name in shape.required_members if members.get(name) is None]
    if unknown or missing:
        raise TypeError(f"{shape.name}: unknown members {unknown}, missing members {missing}")


def _structure(shape: StructureShape, members: Mapping[str, Any], moments: str) -> dict[str, Any]:
    _require(shape, members)
    return {
        member.serialization.get("name", name): _value(member, members[name], moments)
        for name, member in shape.members.items()
        if members.get(name) is not None
    }


def _value(shape: Shape, value: Any, moments: str) -> Any:
    """As JSON has it. `moments` is how timestamps are written unless their shape says otherwise."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value, moments)
    if isinstance(shape, ListShape):
        return [_value(shape.member, one, moments) for one in value]
    if isinstance(shape, MapShape):
        return {str(key): _value(shape.value, one, moments) for key, one in value.items()}
    if shape.type_name == "timestamp":
        return moment(value, shape.serialization.get("timestampFormat", moments))
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    return value if shape.type_name == "boolean" else str(value)


def moment(value: datetime, form: str) -> Any:
    """A time in one of AWS's three notations: unixTimestamp (seconds), iso8601, rfc822."""
    if form == "unixTimestamp":
        return round(value.timestamp(), 3)
    if form == "iso8601":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_datetime(value, usegmt=True)


def _xml_result(operation: OperationModel, members: Mapping[str, Any], request_id: str) -> str:
    name, shape = operation.name, operation.output_shape
    namespace = operation.service_model.metadata["xmlNamespace"]
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        inner = f"<{wrapper}>{_xml_members(shape, members)}</{wrapper}>"
    told = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f'<{name}Response xmlns="{namespace}">{inner}{told}</{name}Response>'


def _xml_members(shape: StructureShape, members: Mapping[str, Any]) -> str:
    _require(shape, members)
    return "".join(
        _xml(member.serialization.get("name", name), member, members[name])
        for name, member in shape.members.items()
        if members.get(name) is not None
    )


def _xml(name: str, shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        inner = _xml_members(shape, value)
    elif isinstance(shape, ListShape):
        inner = "".join(_xml("member", shape.member, one) for one in value)
    else:
        plain = _value(shape, value, "iso8601")
        inner = escape(str(plain).lower() if isinstance(plain, bool) else str(plain))
    return f"<{name}>{inner}</{name}>"


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
