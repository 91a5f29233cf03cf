"""The one list of what the AWS wire answers: an operation is a function, registered under its service and its name.

Files that hold operations are named in operations.py. Knows nothing of requests.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from botocore.model import OperationModel
from django.conf import settings

from frontend.aws import models
from marketplace.models import Account, Role, User
from marketplace.services import scope

READING = ("Describe", "List", "Get", "Render", "Invoke")
"""How the names of operations begin that change nothing; a viewer of the account may call them."""

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Call:
    """One call of an operation: who calls for which account, and what the protocol says beside the members."""

    operation: OperationModel
    user: User
    account: Account
    role: Role
    request_id: str
    members: Mapping[str, Any] = field(repr=False)
    """The members that the operation's function takes, by AWS's names."""
    key_id: str = ""

    @property
    def by(self) -> str:
        """How the audit trail names the caller."""
        return scope.actor(self.user)

    @cached_property
    def region(self) -> str:
        """The region of this installation's ARNs, whichever region the caller signed for."""
        return settings.REGION


Function = Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True)
class Operation:
    """What is known of an operation.

    `ignored` and `refused`: path of a member ("OutputConfig.KmsKeyId", "Tags[].Key") -> why it changes nothing, or why
    a request that has it is refused. Every other member is supported. `fields`: name of an input in the errors of the
    services -> the member that it is here.
    """

    service: str
    name: str
    function: Function
    at_least: Role
    ignored: Mapping[str, str]
    refused: Mapping[str, str]
    fields: Mapping[str, str]

    @property
    def model(self) -> OperationModel:
        """Its model."""
        found = models.operation(self.service, self.name)
        if found is None:
            raise LookupError(f"{self.service} has no operation {self.name}")
        return found

    @cached_property
    def takes(self) -> frozenset[str]:
        """The members that its function takes."""
        given = inspect.signature(self.function).parameters.values()
        return frozenset(one.name for one in given if one.kind is inspect.Parameter.KEYWORD_ONLY)

    def call(self, call: Call) -> Mapping[str, Any]:
        """The members of its output. Raises what the function raises."""
        return self.function(call, **{name: call.members[name] for name in self.takes & call.members.keys()}) or {}


OPERATIONS: dict[tuple[str, str], Operation] = {}
"""(service, name) -> the operation; filled by importing operations.py."""


def operation(
    service: str,
    name: str,
    *,
    ignored: Mapping[str, str] = NOTHING,
    refused: Mapping[str, str] = NOTHING,
    fields: Mapping[str, str] = NOTHING,
    at_least: Role | str | None = None,
) -> Callable[[Function], Function]:
    """Register a function `(call, **members) -> members of the output` that calls a service and renders its answer.

    `members` come under AWS's names: keyword-only parameters, those that are not required with the default None.
    `ignored`, `refused` and `fields` are those of Operation. `at_least` is the role that the caller needs: by default
    a viewer's for an operation that reads, else a member's.
    The function raises DomainErrors, or AwsError where AWS's clients wait for a certain one.
    """
    needed = Role(at_least or (Role.VIEWER if name.startswith(READING) else Role.MEMBER))

    def register(function: Function) -> Function:
        if (service, name) in OPERATIONS:
            raise ValueError(f"{service} {name} is registered twice")
        OPERATIONS[service, name] = Operation(service, name, function, needed, ignored, refused, fields)
        return function

    return register


def present(members: Any, path: str) -> bool:
    """Whether a request has the member at this path; "[]" stands for any one of a list."""
    if not path:
        return members is not None
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    inner = members.get(name) if isinstance(members, Mapping) else None
    if inner is None:
        return False
    return any(present(one, rest) for one in inner) if head.endswith("[]") else present(inner, rest)
