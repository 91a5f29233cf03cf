"""The OpenAPI document: the same for everybody who is signed in, so it is made once in each process."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import problems

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    """The document; making it takes seconds."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    _describe_problems(made)
    _require_bodies(made)
    return made


def _describe_problems(made: dict[str, Any]) -> None:
    """Every operation may answer with a problem; its types are listed once."""
    text = {"type": "string"}
    field = {"type": "object", "required": ["field", "reason"], "properties": {"field": text, "reason": text}}
    types = {**text, "enum": sorted(kind.uri for kind in problems.KINDS.values()), "description": problems.table()}
    made["components"].setdefault("schemas", {})["Problem"] = {
        "type": "object",
        "description": "What went wrong (RFC 9457). Tell problems apart by `type`; the words may change.",
        "required": ["type", "title", "status", "detail", "errors"],
        "properties": {
            "type": types,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": field},
        },
    }
    made["components"].setdefault("responses", {})["Problem"] = {
        "description": "A problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    made["info"]["description"] += f"\n\n## Problems\n\n{problems.table()}\n"
    for path in made["paths"].values():
        for method in METHODS:
            if method in path:
                path[method]["responses"]["default"] = {"$ref": "#/components/responses/Problem"}


def _require_bodies(made: dict[str, Any]) -> None:
    """A request without any body lacks the members that its body must have."""
    for path in made["paths"].values():
        for method in METHODS:
            body = path.get(method, {}).get("requestBody", {})
            if any(media.get("schema", {}).get("required") for media in body.get("content", {}).values()):
                body["required"] = True


class OpenApiView(APIView):
    """The OpenAPI document, for people with a sign-in.

    drf-spectacular's own view answers YAML by default, and keeps a translation for each language that is asked for.
    """

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """The document as JSON."""
        return Response(document())
