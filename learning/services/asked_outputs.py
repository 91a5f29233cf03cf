"""Results at the addresses that SageMaker's clients asked for, beside where this installation keeps them.

A training's archive is put to `<S3OutputPath>/<training job>/output/model.tar.gz`, what a transform job says of its
images to `<S3OutputPath>/<name of the input>.out`, as SageMaker does. What was asked is kept by
marketplace/services/resource_requests.py.
"""

from typing import Any

from django.conf import settings

from learning import queries
from learning.models import TrainingJob, TransformJob
from learning.services import registry, transform_outputs
from marketplace import arns, storage
from marketplace.models import Account
from marketplace.services import boundaries, resource_requests

TRAINING, TRANSFORM, TUNING = "training-job", "transform-job", "hyper-parameter-tuning-job"
OUTPUT = "output"
PACKAGE = "ModelPackageConfig"


def check(account: Account, uri: str) -> None:
    """Raises Invalid or Forbidden where the account may not have results put."""
    boundaries.require_writable(account=account, uri=uri)


def model_uri(run: TrainingJob) -> str | None:
    """Where a training's archive was asked to be; None where nobody asked."""
    said = _asked(run.account, TRAINING, run.name)
    tuned, _ = queries.askers(run)
    if not said and tuned:
        said = definition(_asked(run.account, TUNING, tuned), run)
    path = said.get("OutputDataConfig", {}).get("S3OutputPath")
    return storage.join(path.rstrip("/"), run.name, OUTPUT, registry.ARCHIVE) if path else None


def definition(said: dict[str, Any], run: TrainingJob) -> dict[str, Any]:
    """What was asked of the trainings of a tuning job, of which this is one."""
    several = said.get("TrainingJobDefinitions", [])
    found: dict[str, Any] = several[run.tuning_trial.definition] if several else said.get("TrainingJobDefinition", {})
    return found


def group_name(run: TrainingJob) -> str:
    """The group whose next version a training's model was asked to be; "" where nobody asked."""
    arn = _asked(run.account, TRAINING, run.name).get(PACKAGE, {}).get("ModelPackageGroupArn")
    return arns.parse(arn).name if arn else ""


def put_model(run: TrainingJob, archive_uri: str) -> None:
    """Put a copy of the archive where it was asked to be. Safe to repeat. Raises as storage does."""
    target = model_uri(run)
    if target is not None:
        _copy(archive_uri, target, registry.CONTENT_TYPES[registry.ARCHIVE])


def put_predictions(run: TransformJob) -> None:
    """Put what is said of each image of a transform job, a line an image, where it was asked to be. Safe to repeat."""
    said = _asked(run.account, TRANSFORM, run.name)
    path = said.get("TransformOutput", {}).get("S3OutputPath")
    if path:
        source = said["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        target = storage.join(path.rstrip("/"), f"{source.rstrip('/').rpartition('/')[2]}.out")
        _copy(transform_outputs.part_uri(run, transform_outputs.ANNOTATIONS), target, "application/jsonlines")


def arn(account: Account, kind: str, name: str) -> str:
    """The ARN of what runs: a training, transform or tuning job of this name."""
    return arns.build(kind, account.number, name, region=settings.REGION)


def _asked(account: Account, kind: str, name: str) -> dict[str, Any]:
    return resource_requests.of(account, arn(account, kind, name))


def _copy(source: str, target: str, content_type: str) -> None:
    with storage.open(source) as stream:
        storage.write(target, stream, content_type=content_type)
