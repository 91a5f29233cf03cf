"""Which model lies at an address: where this installation keeps it, or where SageMaker's clients asked it to be put."""

import re

from learning.models import Model, TrainingJob
from learning.services import asked_outputs, registry
from marketplace.errors import NotFound
from marketplace.models import Account

_OUTPUT = re.compile(r".+?/([^/]+)/output/model\.tar\.gz")


def model_at(*, account: Account, uri: str, field: str) -> Model:
    """The account's model whose archive, or folder of parts, is at this address. Raises NotFound naming `field`."""
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
    """Where the archive of a training's model is, or will be: where it was asked to be, if it was."""
    kept = run.model.artifact_uri if run.model else registry.archive_uri(run.account, run.name)
    return asked_outputs.model_uri(run) or kept


def _of_output(account: Account, uri: str) -> Model | None:
    parts = _OUTPUT.fullmatch(uri)
    if parts is None:
        return None
    runs = TrainingJob.objects.filter(account=account, name=parts[1], model__deleted_at=None)
    run = runs.select_related("model", "account").first()
    return run.model if run is not None and asked_outputs.model_uri(run) == uri else None
