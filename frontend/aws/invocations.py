"""InvokeEndpoint of SageMaker's runtime: a picture in, the model's JSON out, with the errors that its clients know."""

from typing import Any

from frontend.aws import references
from frontend.aws.errors import AwsError
from frontend.aws.registry import Call, operation
from learning.services import scope
from learning.services.hosting import invoke
from marketplace.errors import Invalid, ModelFailed
from marketplace.models import Role

JSON = "application/json"
ANY_IMAGE = "application/x-image"
_ANSWERS = ("*/*", "application/*", JSON)
_ONE_MODEL = "A variant is one model; TargetVariant chooses it."


@operation(
    "sagemaker-runtime",
    "InvokeEndpoint",
    at_least=Role.MEMBER,
    fields={"target_variant": "TargetVariant"},
    ignored={
        "CustomAttributes": "Models take none.",
        "PrefixAwareId": "Pictures have no prefixes; the least busy instance of a variant answers.",
    },
    refused={
        "TargetModel": _ONE_MODEL,
        "TargetContainerHostname": _ONE_MODEL,
        "InferenceComponentName": _ONE_MODEL,
        "EnableExplanations": "Predictions are not explained.",
        "SessionId": "Models keep no sessions.",
    },
)
def invoke_endpoint(
    call: Call,
    *,
    EndpointName: str,
    Body: bytes,
    ContentType: str | None = None,
    Accept: str | None = None,
    TargetVariant: str | None = None,
    InferenceId: str | None = None,
) -> dict[str, Any]:
    """The prediction for a picture."""
    if not any(kind.strip() in _ANSWERS for kind in (Accept or JSON).split(",")):
        raise Invalid(f"{Accept!r} found, {JSON} expected", field="Accept")
    endpoint = scope.endpoint(call.account, EndpointName)
    try:
        answer = invoke.invoke(
            endpoint=endpoint,
            image=Body,
            content_type=ContentType or ANY_IMAGE,
            target_variant=TargetVariant or "",
            inference_id=InferenceId or "",
        )
    except ModelFailed as error:
        raise _model_error(call, EndpointName, 500, error.message) from error
    if answer.status != 200:
        raise _model_error(call, EndpointName, answer.status, answer.message)
    return {"Body": answer.body, "ContentType": JSON, "InvokedProductionVariant": answer.variant}


def _model_error(call: Call, endpoint: str, status: int, message: str) -> AwsError:
    """What SageMaker says when the model's own server answers with an error."""
    side = "client" if status < 500 else "server"
    shown = references.arn(call.account, "endpoint", endpoint)
    told = {"OriginalStatusCode": status, "OriginalMessage": message, "LogStreamArn": shown}
    return AwsError(
        "ModelError", f'Received {side} error ({status}) from primary with message "{message}".', members=told
    )
