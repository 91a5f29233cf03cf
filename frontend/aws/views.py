"""The one address of the AWS wire: finds the operation, checks signature, rate, role and members, and calls it."""

import logging
import uuid

from botocore.model import OperationModel
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from frontend import rates
from frontend.aws import errors, models, operations, reading, requests, signatures, writing
from frontend.aws.errors import AwsError
from frontend.aws.registry import Call, Operation, present
from frontend.aws.requests import Wanted
from marketplace import logs
from marketplace.errors import DomainError, WrongState
from marketplace.services import access_keys, accounts
from marketplace.services.access_keys import Holder

log = logging.getLogger(__name__)


@csrf_exempt
def wire(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer a call. Whatever is wrong with it is an error that the clients of its service understand."""
    request_id = str(uuid.uuid4())
    logs.bind(aws_request=request_id)
    asked = requests.wanted(request, f"/{path}")
    model = models.operation(asked.service, asked.operation) if asked.service else None
    try:
        return _answer(request, asked, model, request_id)
    except AwsError as error:
        found = errors.modelled_as(error, model) if model is not None else error
    except DomainError as error:
        found = _refused(error, asked, model)
    except (OperationalError, InterfaceError):
        log.exception("the database cannot be used")
        found = AwsError(errors.SERVICE_UNAVAILABLE, "the database cannot be reached; try again", status=503)
    return writing.failure(found, protocol=asked.protocol, operation=model, request_id=request_id)


def _refused(error: DomainError, asked: Wanted, model: OperationModel | None) -> AwsError:
    operation = operations.find(asked.service, asked.operation)
    if model is None or operation is None:
        return AwsError(errors.VALIDATION, error.message)
    return errors.of_domain(error, model, operation.fields)


def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """The answer to a request whose body is larger than its sender may send; it was not read."""
    found = AwsError("RequestEntityTooLargeException", str(error), status=413)
    return _outside(request, found)


def unreadable(request: HttpRequest) -> HttpResponse:
    """The answer to a request that Django could not read."""
    return _outside(request, AwsError(errors.SERIALIZATION, "the request cannot be read", status=400))


def failed(request: HttpRequest) -> HttpResponse:
    """The answer to a request that failed by a fault of ours, which has been logged."""
    return _outside(request, AwsError(errors.INTERNAL_FAILURE, "the error has been logged; try again", status=500))


def _outside(request: HttpRequest, error: AwsError) -> HttpResponse:
    protocol = models.JSON if request.headers.get("X-Amz-Target") else models.REST_JSON
    return writing.failure(error, protocol=protocol, operation=None, request_id=str(uuid.uuid4()))


def _answer(request: HttpRequest, asked: Wanted, model: OperationModel | None, request_id: str) -> HttpResponse:
    body = request.body
    holder = _authenticate(request, asked, body)
    logs.bind(account=holder.key.account_id)
    allowed, _ = rates.take_call(holder.key.user)
    if not allowed:
        status = 429 if asked.protocol == models.REST_JSON else 400
        raise AwsError(errors.THROTTLING, "Rate exceeded", status=status)
    operation = operations.find(asked.service, asked.operation)
    if model is None or operation is None:
        raise requests.unknown(asked, request)
    _check_role(operation, holder)
    members = reading.read(model.input_shape, requests.members(request, asked, model, body))
    _check_refused(operation, members)
    call = Call(
        operation=model,
        user=holder.key.user,
        account=holder.key.account,
        role=holder.role,
        request_id=request_id,
        key_id=holder.key.key_id,
        members=members,
    )
    return writing.result(model, operation.call(call), request_id)


def _authenticate(request: HttpRequest, asked: Wanted, body: bytes) -> Holder:
    query = asked.protocol == models.QUERY
    signed = signatures.read(request, query=query)
    unknown = signatures.refusal(
        "UnrecognizedClientException", "The security token included in the request is invalid.", query=query
    )
    try:
        holder = access_keys.holder(signed.key_id)
    except WrongState as error:
        raise signatures.refusal("UnrecognizedClientException", error.message, query=query) from None
    if holder is None:
        raise unknown
    signatures.verify(request, signed, secret=holder.secret, body=body, now=timezone.now(), query=query)
    access_keys.note_use(holder.key)
    return holder


def _check_role(operation: Operation, holder: Holder) -> None:
    if accounts.RANKS[holder.role] < accounts.RANKS[operation.at_least]:
        user = f"arn:aws:iam::{holder.key.account.number}:user/{holder.key.user.email}"
        action = f"{operation.model.service_model.signing_name}:{operation.name}"
        why = f"this needs the role {operation.at_least} in {holder.key.account.name}; you are {holder.role}"
        raise AwsError(
            errors.ACCESS_DENIED, f"User: {user} is not authorized to perform: {action} because {why}", status=403
        )


def _check_refused(operation: Operation, members: dict[str, object]) -> None:
    found = [
        f"{path} is not supported here: {why}" for path, why in operation.refused.items() if present(members, path)
    ]
    if found:
        raise errors.ValidationFailed(found)
