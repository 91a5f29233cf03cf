"""What request bodies are made of: serializers and fields that take what the OpenAPI document says and nothing else.

The framework's own fields also read numbers from texts and texts from numbers. Knows no bounds: services do.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from labeling import task_types
from marketplace import money

AMOUNT = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"
"""Dollars as text."""

AMOUNT_ABOVE_ZERO = r"^(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,6})?$"
VISIBLE = r"\S"
"""A text of nothing but spaces counts as empty."""


class Body(serializers.Serializer):
    """The JSON body of a request, or an object in it."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError, besides what the fields raise, for values of another type than the document says."""
        if isinstance(data, Mapping):
            found = {name: _type_problem(field, data[name]) for name, field in self.fields.items() if name in data}
            wrong = {name: [problem] for name, problem in found.items() if problem}
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def members(body: type[Body], request: Request) -> dict[str, Any]:
    """The members of the request's body, checked. Raises ValidationError naming what is wrong."""
    data = body(data=request.data)
    data.is_valid(raise_exception=True)
    return dict(data.validated_data)


def _type_problem(field: serializers.Field, value: Any) -> str | None:
    """Why the value has not the type of the field; None when it has, and for fields that look at types themselves."""
    if value is None:
        return None
    if isinstance(field, serializers.CharField | serializers.ChoiceField):
        return None if isinstance(value, str) else "a text expected"
    if isinstance(field, serializers.BooleanField):
        return None if isinstance(value, bool) else "true or false expected"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(field, serializers.IntegerField):
        return None if number and value == int(value) else "a whole number expected"
    if isinstance(field, serializers.FloatField):
        return None if number else "a number expected"
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next((problem for item in value if (problem := _type_problem(field.child, item))), None)
    return None


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """A JSON object whose members a service reads."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError for what is no JSON object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("an object expected")
        return data


class FiniteFloatField(serializers.FloatField):
    """A number; the texts "NaN" and "Infinity", which Python reads as numbers and no bound refuses, are none."""

    def to_internal_value(self, data: Any) -> float:
        """Raises ValidationError for what is no finite number."""
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class DollarsField(serializers.RegexField):
    """An amount of dollars as text, with at most six decimals; `zero` says whether it may be none."""

    def __init__(self, *, zero: bool = False, **options: Any):
        super().__init__(
            AMOUNT if zero else AMOUNT_ABOVE_ZERO,
            max_length=money.TEXT_LENGTH.longest,
            error_messages={"invalid": 'dollars as text expected, at most six decimals, such as "0.036"'},
            **options,
        )


@extend_schema_field({"type": "object", "additionalProperties": {}})
class AnswerField(serializers.JSONField):
    """An answer in the form of the task's crowd element; the task type reads it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError for what is no JSON object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("an object expected")
        return data


def _in_a_body(field: Any) -> bool:
    while field.parent is not None and not isinstance(field, Body):
        field = field.parent
    return isinstance(field, Body)


class TextInTheDocument(OpenApiSerializerFieldExtension):
    """Says in the OpenAPI document what a text of a request may not be: empty, or nothing but spaces."""

    target_class = "rest_framework.serializers.CharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """See drf-spectacular."""
        made: dict[str, Any] = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        if direction == "request" and not self.target.allow_blank and _in_a_body(self.target):
            made.setdefault("minLength", 1)
            # The document says the pattern or the format of the others.
            if not isinstance(self.target, serializers.RegexField | serializers.EmailField):
                made["pattern"] = VISIBLE
        return made


class TaskTypeField(serializers.ChoiceField):
    """The name of a task type; of one that is none the error says what there is."""

    def __init__(self, *, choices: Sequence[str], **options: Any) -> None:
        super().__init__(choices=choices, **options)

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError."""
        try:
            task_types.get(str(data))
        except task_types.UnknownTaskType as error:
            raise serializers.ValidationError(str(error)) from None
        return super().to_internal_value(data)
