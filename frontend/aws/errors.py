"""Errors as AWS's clients know them: a code, a message, a status, and members that some have. Renders nothing."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from botocore.model import OperationModel

from marketplace import errors

VALIDATION = "ValidationException"
UNKNOWN_OPERATION = "UnknownOperationException"
SERIALIZATION = "SerializationException"
THROTTLING = "ThrottlingException"
ACCESS_DENIED = "AccessDeniedException"
INTERNAL_FAILURE = "InternalFailure"
SERVICE_UNAVAILABLE = "ServiceUnavailable"

# Whatever an operation models of these, the first is used; else VALIDATION, as AWS does.
_MODELLED: dict[type[errors.DomainError], tuple[str, ...]] = {
    errors.NotFound: ("ResourceNotFound", "ResourceNotFoundException", "NoSuchEntityException"),
    errors.InUse: ("ResourceInUse", "ConflictException"),
    errors.LimitExceeded: ("ResourceLimitExceeded", "ServiceQuotaExceededException"),
    errors.Invalid: (VALIDATION, "ValidationError", "InvalidParameterException"),
    errors.ModelFailed: ("ModelError",),
    errors.EndpointBusy: (),
    errors.Unavailable: ("ServiceUnavailable",),
    errors.Forbidden: (),
}
_UNMODELLED: dict[type[errors.DomainError], tuple[str, int]] = {
    errors.Forbidden: (ACCESS_DENIED, 403),
    errors.EndpointBusy: (THROTTLING, 429),
    errors.Unavailable: (SERVICE_UNAVAILABLE, 503),
    errors.TooManyTries: (THROTTLING, 429),
}


class AwsError(Exception):
    """What an operation answers instead of its result.

    `code` is what clients compare, `status` the HTTP status (None: what the model says, else 400), `members` further
    members of the error's shape.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, members: dict[str, Any] | None = None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = status
        self.members = members or {}


class ValidationFailed(AwsError):
    """Members of the request break the constraints of the model. `problems`: each in AWS's words."""

    def __init__(self, problems: list[str]):
        count = f"{len(problems)} validation error{'s' if len(problems) != 1 else ''} detected: "
        super().__init__(VALIDATION, count + "; ".join(problems))
        self.problems = problems


def of_domain(
    error: errors.DomainError, operation: OperationModel, fields: Mapping[str, str] = MappingProxyType({})
) -> AwsError:
    """A domain error as the operation models it; ValidationException where it models none that fits.

    `fields`: name of an input in the error -> the member that it is here.
    """
    codes = {shape.name: shape.error_code or shape.name for shape in operation.error_shapes}
    modelled, message = list(codes), _message(error, fields)
    for base in type(error).__mro__:
        if base in _UNMODELLED and not any(code in modelled for code in _MODELLED.get(base, ())):
            code, status = _UNMODELLED[base]
            return AwsError(code, message, status=status)
        if base in _MODELLED and (found := _first(_MODELLED[base], modelled)):
            return AwsError(codes[found], message)
    return AwsError(_validation(operation, modelled), message, status=400)


def modelled_as(error: AwsError, operation: OperationModel) -> AwsError:
    """The error under the name that the operation has for failed validation, if it models one."""
    if error.code != VALIDATION:
        return error
    modelled = [shape.name for shape in operation.error_shapes]
    return AwsError(_validation(operation, modelled), error.message, status=error.http_status, members=error.members)


def status_of(error: AwsError, operation: OperationModel | None) -> int:
    """The HTTP status of an error: its own, the model's, else 400."""
    if error.http_status is not None:
        return error.http_status
    for shape in operation.error_shapes if operation is not None else ():
        if error.code in (shape.name, shape.error_code):
            told = shape.metadata.get("error", {}).get("httpStatusCode")
            return int(told) if told else 400
    return 400


def _message(error: errors.DomainError, fields: Mapping[str, str]) -> str:
    """What is wrong; every input at fault is named."""
    return "; ".join(f"{_member(field, fields)}: {reason}" for field, reason in error.errors) or error.message


def _member(field: str, fields: Mapping[str, str]) -> str:
    """The member that an input is here; of "conditions.Conditions[0]" the part before the dot may be named."""
    head, dot, rest = field.partition(".")
    return fields.get(field) or f"{fields.get(head, head)}{dot}{rest}"


def _validation(operation: OperationModel, modelled: list[str]) -> str:
    """The code of failed validation: clients with the query protocol have an older one."""
    usual = "ValidationError" if operation.service_model.metadata["protocol"] == "query" else VALIDATION
    return _first(_MODELLED[errors.Invalid], modelled) or usual


def _first(wanted: Iterable[str], modelled: list[str]) -> str | None:
    return next((code for code in wanted if code in modelled), None)
