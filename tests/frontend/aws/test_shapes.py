"""Every implemented operation's input shape is walked: whatever breaks a constraint is refused by name, never a 500.

The cases come from botocore's models. `make test` tries some of them, `make test-all` all.
"""

import copy
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from frontend.aws import patterns
from frontend.aws.operations import OPERATIONS
from frontend.aws.registry import Operation
from tests import builders
from tests.frontend.aws.clients import Aws, direct

PARTS = 20
part = pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, PARTS))])
NUMBERS = ("integer", "long", "float", "double")
LONGEST = 200_000
"""Characters of the longest text that is made to be too long."""

WRONG_TEXTS = ("", " ", "!", "\u00e4 \u00e4", "_", "-", "\n", "x", "arn:", "\u2028")
VALIDATION = ("ValidationException", "ValidationError", "InvalidParameterException")


class Case(NamedTuple):
    """A request that breaks one constraint: the path of the member, what is wrong, the input, AWS's words for it."""

    operation: Operation
    path: str
    broken: str
    given: dict[str, Any]
    says: str


def sample(shape: Shape, depth: int = 0) -> Any:
    """A value of the right type, with its required members; whether it keeps other constraints does not matter."""
    if isinstance(shape, StructureShape):
        names = shape.required_members or list(shape.members)[:1]
        return {name: sample(shape.members[name], depth + 1) for name in names} if depth < 8 else {}
    if isinstance(shape, ListShape):
        return [sample(shape.member, depth + 1)]
    if isinstance(shape, MapShape):
        return {"key": sample(shape.value, depth + 1)}
    if shape.type_name in NUMBERS:
        return shape.metadata.get("min", 1)
    if shape.type_name == "boolean":
        return True
    if shape.type_name == "timestamp":
        return "2024-01-02T00:00:00Z"
    if shape.type_name == "blob":
        return b"x"
    return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 1))


def places(shape: Shape, given: Any, where: tuple[str | int, ...] = (), depth: int = 0) -> Iterator[tuple[Any, ...]]:
    """(where, shape of the member, whether it is required, the input with the member present) for all members."""
    if isinstance(shape, ListShape):
        inner = _at(given, where)
        if isinstance(shape.member, StructureShape) and inner:
            yield from places(shape.member, given, (*where, 0), depth + 1)
        return
    if not isinstance(shape, StructureShape) or depth > 6:
        return
    for name, member in shape.members.items():
        whole = copy.deepcopy(given)
        _at(whole, where)[name] = _at(whole, where).get(name, sample(member))
        yield (*where, name), member, name in shape.required_members, whole
        yield from places(member, whole, (*where, name), depth + 1)


def _at(given: Any, where: tuple[str | int, ...]) -> Any:
    for step in where:
        given = given[step]
    return given


def changed(whole: dict[str, Any], where: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The input with another value at a place."""
    made = copy.deepcopy(whole)
    _at(made, where[:-1])[where[-1]] = value
    return made


def spelled(where: tuple[str | int, ...]) -> str:
    """The path in AWS's messages."""
    steps = [f"{step + 1}.member" if isinstance(step, int) else step[:1].lower() + step[1:] for step in where]
    return ".".join(steps)


def of_value(member: Shape) -> Iterator[tuple[str, Any, str]]:
    """(what is broken, a value that breaks it, AWS's words)."""
    limits = member.metadata
    if member.type_name in NUMBERS:
        if "min" in limits:
            yield "min", limits["min"] - 1, "Member must have value greater than or equal to"
        if "max" in limits:
            yield "max", limits["max"] + 1, "Member must have value less than or equal to"
    elif member.type_name == "string":
        if limits.get("min", 0) > 0:
            yield "min", "", "Member must have length greater than or equal to"
        if limits.get("max", LONGEST) < LONGEST:
            yield "max", "x" * (limits["max"] + 1), "Member must have length less than or equal to"
        if limits.get("enum"):
            yield "enum", "NotThere", "Member must satisfy enum value set"
        pattern = limits.get("pattern")
        wrong = next((one for one in WRONG_TEXTS if pattern and not patterns.allows(pattern, one)), None)
        if wrong is not None and len(wrong) <= limits.get("max", LONGEST):
            yield "pattern", wrong, "Member must satisfy regular expression pattern"
        yield "NUL", "a\0b", "holds a NUL character"
    elif isinstance(member, ListShape):
        if limits.get("min", 0) > 0:
            yield "min", [], "Member must have length greater than or equal to"
        if "max" in limits:
            yield "max", [sample(member.member)] * (limits["max"] + 1), "Member must have length less than or equal to"


def cases(operation: Operation) -> Iterator[Case]:
    """Every case of an operation. What stands in the address cannot be left out or empty."""
    shape = operation.model.input_shape
    if shape is None:
        return
    for where, member, required, whole in places(shape, sample(shape)):
        location = member.serialization.get("location")
        path = spelled(where)
        # A body is there in any case, with no bytes in it.
        if required and location != "uri" and shape.serialization.get("payload") != where[-1]:
            less = copy.deepcopy(whole)
            del _at(less, where[:-1])[where[-1]]
            yield Case(operation, path, "required", less, f"Value null at '{path}'")
        for broken, value, says in of_value(member):
            if broken == "NUL" and location == "header":
                continue  # No header can hold it: whatever reads the request refuses it as a whole.
            if location != "uri" or (value and "\0" not in value and value.isprintable() and value.strip()):
                yield Case(operation, path, broken, changed(whole, where, value), says)


ALL = [case for one in OPERATIONS.values() for case in cases(one)]


@pytest.fixture
def aws(db) -> Aws:
    """Its clients check nothing by themselves."""
    return direct(*builders.a_requester(), parameter_validation=False)


def test_there_are_hundreds_of_cases():
    assert len(ALL) > 400
    assert {case.operation.name for case in ALL} == {
        one.name for one in OPERATIONS.values() if one.model.input_shape and one.model.input_shape.members
    }


@part
def test_broken_constraints_are_refused_by_name(aws: Aws, part: int):
    faults = []
    clients: dict[str, Any] = {}
    for case in itertools.islice(ALL, part, None, PARTS):
        service = case.operation.service
        client = clients.setdefault(service, aws.client(service))
        try:
            client._make_api_call(case.operation.name, copy.deepcopy(case.given))
        except ClientError as error:
            found = error.response["Error"]
            # Text that nothing can hold is refused by whatever reads it first.
            codes = (*VALIDATION, "SerializationException") if case.broken == "NUL" else VALIDATION
            if found["Code"] in codes and case.says in found["Message"]:
                continue
            faults.append((case.operation.name, case.path, case.broken, found))
        else:
            faults.append((case.operation.name, case.path, case.broken, "answered"))
    assert faults == []
