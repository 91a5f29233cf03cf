"""Which model lies at an address: where trainings really put it, or where SageMaker would have put it."""

import re

from django.conf import settings

from learning.models import Model, TrainingJob
from learning.services import registry
from marketplace import arns
from marketplace.errors import NotFound
from marketplace.models import Account
from marketplace.services import resource_requests

_OUTPUT = re.compile(r"(.+?)/+([^/]+)/output(?:/model\.tar\.gz)?/?")


def model_at(*, account: Account, uri: str, field: str) -> Model:
    """The account's model whose archive, or whose folder of parts, is at this address.

    `<output path>/<training job>/output/model.tar.gz` is understood, too, for the output path that the training job was
    asked to have. Raises NotFound naming `field`.
    """
    rows = Model.objects.filter(account=account, deleted_at=None)
    found = (
        rows.filter(artifact_uri=uri).order_by("-pk").first()
        or rows.filter(parts_uri=uri.rstrip("/")).order_by("-pk").first()
        or _of_output(account, uri)
    )
    if found is None:
        raise NotFound(
            f"{uri!r} is not the address of a model of the account; DescribeTrainingJob tells a training's "
            "(ModelArtifacts.S3ModelArtifacts)",
            field=field,
        )
    return found


def artifact_uri(run: TrainingJob) -> str:
    """Where the archive of a training's model is, or will be."""
    return run.model.artifact_uri if run.model else registry.archive_uri(run.account, run.name)


def training_arn(account: Account, name: str) -> str:
    """The ARN of a training job of this name."""
    return arns.build("training-job", account.number, name, region=settings.REGION)


def _of_output(account: Account, uri: str) -> Model | None:
    parts = _OUTPUT.fullmatch(uri)
    if parts is None:
        return None
    run = TrainingJob.objects.filter(account=account, name=parts[2], model__deleted_at=None).select_related("model")
    training = run.first()
    if training is None or training.model is None:
        return None
    said = resource_requests.of(account, training_arn(account, training.name)).get("OutputDataConfig", {})
    return training.model if said.get("S3OutputPath", "").rstrip("/") == parts[1] else None
