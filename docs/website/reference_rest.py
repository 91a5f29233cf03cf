"""The page of the REST API, made from its OpenAPI document. Needs Django to be set up."""

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
HEAD = """\
# REST

Every endpoint, made from the OpenAPI document, which a running installation shows at `/api/docs/`. Requests carry
`Authorization: Bearer TOKEN`; a `*` marks what has to be given.
"""

Json = dict[str, Any]


def page() -> str:
    """The whole page, in Markdown."""
    # Its warnings are about the document and are checked by the tests of the REST API.
    with contextlib.redirect_stderr(io.StringIO()):
        document: Json = SchemaGenerator().get_schema(request=None, public=True)
    schemas = document["components"]["schemas"]
    nouns: dict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                text = "\n\n".join(_operation(method, path, operation, schemas))
                nouns[operation.get("tags", ["other"])[0]].append(text)
    parts = [part for noun, texts in sorted(nouns.items()) for part in (f"## {noun}", *texts)]
    return "\n\n".join([HEAD, *parts]) + "\n"


def _operation(method: str, path: str, operation: Json, schemas: Json) -> Iterator[str]:
    yield f"### `{method.upper()} {path}`"
    if said := operation.get("description") or operation.get("summary"):
        yield _text(said)
    fields = [_field(one["name"], one.get("schema", {}), one) for one in operation.get("parameters", [])]
    if fields:
        yield "\n".join(["| parameter | | |", "|---|---|---|", *fields])
    body = _resolved(_content(operation.get("requestBody", {})), schemas)
    rows = [
        _field(name, shape, {"required": name in body.get("required", ()), **shape})
        for name, shape in body.get("properties", {}).items()
        if not shape.get("readOnly")
    ]
    if rows:
        yield "\n".join(["| field of the body | | |", "|---|---|---|", *rows])
    yield "Answers: " + "; ".join(
        f"`{code}`{_answer(_content(answer))}" for code, answer in sorted(operation["responses"].items())
    )


def _content(holder: Json) -> Json:
    """The schema of a body: that of JSON where there are several."""
    content = holder.get("content", {})
    found: Json = content.get("application/json") or next(iter(content.values()), {})
    return dict(found.get("schema", {}))


def _resolved(schema: Json, schemas: Json) -> Json:
    while "$ref" in schema or len(schema.get("allOf", [])) == 1:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema["allOf"][0]
    return schema


def _answer(schema: Json) -> str:
    if "$ref" in schema:
        return f" {schema['$ref'].rsplit('/', 1)[1]}"
    if schema.get("type") == "array":
        return f" a list of{_answer(schema.get('items', {})) or ' values'}"
    return ""


def _field(name: str, shape: Json, about: Json) -> str:
    mark = "*" if about.get("required") else ""
    return f"| `{name}`{mark} | {_kind(shape)} | {_text(about.get('description', ''))} |"


def _kind(shape: Json) -> str:
    if "$ref" in shape:
        return shape["$ref"].rsplit("/", 1)[1]
    if "allOf" in shape:
        return _kind(shape["allOf"][0])
    if "oneOf" in shape:
        return " or ".join(_kind(one) for one in shape["oneOf"])
    if "enum" in shape:
        return ", ".join(f"`{one}`" for one in shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_kind(shape.get('items', {}))}"
    kind = str(shape.get("format") or shape.get("type") or "anything")
    bounded = "minimum" in shape and "maximum" in shape
    return f"{kind}, {shape['minimum']} to {shape['maximum']}" if bounded else kind


def _text(said: str) -> str:
    """One line that a table can hold, in which nothing is read as HTML."""
    return " ".join(said.split()).replace("|", "\\|").replace("<", "\\<")
