"""A request's members as typed values, by walking botocore's shapes; every broken constraint is told in AWS's words.

Values come as JSON has them, or as texts where they stood in an address, a header or a form. Pure but for botocore.
"""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from frontend.aws import patterns
from frontend.aws.errors import SERIALIZATION, AwsError, ValidationFailed
from marketplace import strict
from marketplace.ranges import Range

SHOWN = 1000
"""Characters of a value that a message repeats."""

SENSITIVE = "***Sensitive information***"
_WHOLE = {"integer": Range(-(2**31), 2**31 - 1), "long": strict.INT64}
_LONGEST_PATTERN = 16_384


def read(shape: StructureShape | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an input, without those that are absent or null. Members that the shape lacks are left out.

    Raises AwsError (SerializationException) for a value of another type, ValidationFailed listing every constraint of
    the model that is broken.
    """
    if shape is None:
        return {}
    reader = _Reader()
    members = reader.structure(shape, given, "")
    if reader.problems:
        raise ValidationFailed(reader.problems)
    return members


class _Reader:
    """Collects what is wrong while it reads."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def value(self, shape: Shape, given: Any, path: str) -> Any:
        if isinstance(shape, StructureShape):
            if not isinstance(given, Mapping):
                raise _wrong_type(given, "structure or map", path)
            return self.structure(shape, given, path)
        if isinstance(shape, ListShape):
            return self._list(shape, given, path)
        if isinstance(shape, MapShape):
            return self._map(shape, given, path)
        found = _scalar(shape, given, path)
        self.problems += [f"Value {_shown(shape, found)} at '{path}' {_FAILED}{why}" for why in broken(shape, found)]
        return found

    def structure(self, shape: StructureShape, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            value = given.get(name)
            place = f"{path}.{_camel(name)}" if path else _camel(name)
            if value is not None:
                found[name] = self.value(member, value, place)
            elif name in shape.required_members:
                self.problems.append(f"Value null at '{place}' {_FAILED}Member must not be null")
        if shape.is_tagged_union and len(found) != 1:
            self.problems.append(f"Value at '{path}' {_FAILED}Member must have exactly one of its members")
        return found

    def _list(self, shape: ListShape, given: Any, path: str) -> list[Any]:
        if not isinstance(given, list | tuple):
            raise _wrong_type(given, "list", path)
        found = []
        why = _length_problems(shape, len(given))
        for place, one in enumerate(given, 1):
            if one is None:
                raise AwsError(SERIALIZATION, f"null found in the list '{path}'")
            if isinstance(shape.member, StructureShape | ListShape | MapShape):
                found.append(self.value(shape.member, one, f"{path}.{place}.member"))
            else:
                found.append(_scalar(shape.member, one, path))
        scalar = not isinstance(shape.member, StructureShape | ListShape | MapShape)
        inner = _unique(problem for one in found for problem in broken(shape.member, one)) if scalar else []
        if inner:
            why.append(f"Member must satisfy constraint: [{', '.join(inner)}]")
        self.problems += [f"Value {_shown(shape, given)} at '{path}' {_FAILED}{reason}" for reason in why]
        return found

    def _map(self, shape: MapShape, given: Any, path: str) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise _wrong_type(given, "structure or map", path)
        found: dict[str, Any] = {}
        why = _length_problems(shape, len(given))
        keys: list[str] = []
        values: list[str] = []
        for key, one in given.items():
            keys += broken(shape.key, _scalar(shape.key, key, path))
            if isinstance(shape.value, StructureShape | ListShape | MapShape):
                found[key] = self.value(shape.value, one, f"{path}.{key}")
            else:
                found[key] = _scalar(shape.value, one, path)
                values += broken(shape.value, found[key])
        if keys:
            why.append(f"Map keys must satisfy constraint: [{', '.join(_unique(keys))}]")
        if values:
            why.append(f"Map value must satisfy constraint: [{', '.join(_unique(values))}]")
        self.problems += [f"Value {_shown(shape, given)} at '{path}' {_FAILED}{reason}" for reason in why]
        return found


_FAILED = "failed to satisfy constraint: "


def broken(shape: Shape, value: Any) -> list[str]:
    """What a scalar breaks of its shape's constraints, in AWS's words."""
    limits = shape.metadata
    if shape.type_name in ("integer", "long", "float", "double"):
        return _bounds(limits, value, "value")
    if shape.type_name not in ("string", "blob"):
        return []
    found = _bounds(limits, len(value), "length")
    if shape.type_name == "blob":
        return found
    if problem := strict.text_problem(value):
        # No database column and no JSON answer can hold it.
        return [*found, f"Member {problem}"]
    allowed = limits.get("enum")
    if allowed and value not in allowed:
        found.append(f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = limits.get("pattern")
    # One that is too long is not looked at further: some patterns take long for a long text.
    if pattern and len(value) <= limits.get("max", _LONGEST_PATTERN) and not patterns.allows(pattern, value):
        found.append(f"Member must satisfy regular expression pattern: {pattern}")
    return found


def _length_problems(shape: Shape, length: int) -> list[str]:
    return _bounds(shape.metadata, length, "length")


def _bounds(limits: Mapping[str, Any], measured: float, what: str) -> list[str]:
    found = []
    if "min" in limits and measured < limits["min"]:
        found.append(f"Member must have {what} greater than or equal to {limits['min']}")
    if "max" in limits and measured > limits["max"]:
        found.append(f"Member must have {what} less than or equal to {limits['max']}")
    return found


def _scalar(shape: Shape, given: Any, path: str) -> Any:
    """Raises AwsError (SerializationException) for a value of another type."""
    kind = shape.type_name
    if kind in ("string", "character"):
        if isinstance(given, str):
            return given
    elif kind == "boolean":
        if isinstance(given, bool):
            return given
        if given in ("true", "false"):
            return given == "true"
    elif kind in _WHOLE:
        number = strict.whole_number(given, allowed=_WHOLE[kind]) if isinstance(given, str) else given
        if isinstance(number, int) and not isinstance(number, bool) and number in _WHOLE[kind]:
            return number
    elif kind in ("float", "double"):
        return _real(given, path)
    elif kind == "timestamp":
        return _moment(given, path)
    elif kind == "blob":
        return _bytes(given, path)
    raise _wrong_type(given, kind, path)


def _real(given: Any, path: str) -> float:
    try:
        number = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong_type(given, "double", path)
    return number


def _moment(given: Any, path: str) -> datetime:
    """Seconds since 1970, or an ISO 8601 text; a text of digits is seconds, too."""
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError(given)
        try:
            return datetime.fromtimestamp(float(given), tz=UTC)
        except ValueError:
            found = datetime.fromisoformat(str(given))
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise _wrong_type(given, "timestamp", path) from None


def _bytes(given: Any, path: str) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return base64.b64decode(given, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _wrong_type(given, "blob", path) from None


def _wrong_type(given: Any, expected: str, path: str) -> AwsError:
    return AwsError(SERIALIZATION, f"'{path}': {str(given)[:80]!r} cannot be converted to a {expected}")


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(shape: Shape, value: Any) -> str:
    """The value as Java prints it, quoted."""
    if shape.metadata.get("sensitive") or _holds_sensitive(shape):
        return f"'{SENSITIVE}'"
    text = _printed(value)
    return f"'{text if len(text) <= SHOWN else text[:SHOWN] + '...'}'"


def _holds_sensitive(shape: Shape) -> bool:
    inner = shape.member if isinstance(shape, ListShape) else shape.value if isinstance(shape, MapShape) else None
    return inner is not None and bool(inner.metadata.get("sensitive") or _holds_sensitive(inner))


def _printed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_printed(one) for one in value[:100])}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_printed(one)}" for key, one in list(value.items())[:100]) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unique(problems: Any) -> list[str]:
    return list(dict.fromkeys(problems))
