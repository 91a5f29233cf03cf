"""Models as SageMaker's hosting has them: a name for what a training has left, with the image that runs it."""

from datetime import datetime
from typing import Any

from frontend.aws import package_versions, paging, references
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import families
from learning.builtin_algorithms import of_family, of_image
from learning.contract import BadInput
from learning.models import Model, NamedModel
from learning.services import artifacts, named_models
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

LISTED = {
    "CreationTimeAfter": "created_at__gt",
    "CreationTimeBefore": "created_at__lt",
    "NameContains": "name__icontains",
}
"""The filters of lists of models and of endpoint configurations."""

_SETTINGS = "It is kept and shown again; the program of this installation that serves a model takes no such settings."
_ADDRESS = "The address says which model it is."
_ALONE = "A model is one archive of this installation, run by its own program."
SAID_BY_ADDRESS = ("S3DataType", "CompressionType", "ETag")
NO_SOURCE = ("ModelAccessConfig", "HubAccessConfig", "ManifestS3Uri", "ManifestEtag")
"""Members of the source of a model: what its address says already, and what is refused."""

_CONTAINER_IGNORED = {
    "ContainerHostname": _SETTINGS,
    "Environment": _SETTINGS,
    **{f"ModelDataSource.S3DataSource.{name}": _ADDRESS for name in SAID_BY_ADDRESS},
}
_CONTAINER_REFUSED = dict.fromkeys(
    (
        "ImageConfig",
        *(f"ModelDataSource.S3DataSource.{name}" for name in NO_SOURCE),
        "AdditionalModelDataSources",
        "InferenceSpecificationName",
        "MultiModelConfig",
        "ContainerMetricsConfig",
    ),
    _ALONE,
)


def _containers(declared: dict[str, str]) -> dict[str, str]:
    return {f"{name}.{path}": why for name in ("PrimaryContainer", "Containers[]") for path, why in declared.items()}


_KEPT = (
    "PrimaryContainer", "Containers", "InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig",
    "EnableNetworkIsolation",
)  # fmt: skip


@operation(
    "sagemaker",
    "CreateModel",
    fields={"name": "ModelName"},
    ignored={
        **_containers(_CONTAINER_IGNORED),
        "InferenceExecutionConfig": _SETTINGS,
        "ExecutionRoleArn": references.ROLE,
        "VpcConfig": references.NETWORK,
        "EnableNetworkIsolation": references.NETWORK,
    },
    refused=_containers(_CONTAINER_REFUSED),
)
def create_model(
    call: Call,
    *,
    ModelName: str,
    PrimaryContainer: dict[str, Any] | None = None,
    Containers: list[dict[str, Any]] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Give a trained model the name by which endpoints find it."""
    if (PrimaryContainer is None) == (Containers is None):
        raise Invalid("either PrimaryContainer or Containers expected")
    if Containers is not None and len(Containers) != 1:
        raise Invalid(f"{len(Containers)} found; one is run, no pipelines of several", field="Containers")
    place = "PrimaryContainer" if PrimaryContainer is not None else "Containers[0]"
    found = _model(call, PrimaryContainer or (Containers or [{}])[0], place)
    arn = references.arn(call.account, "model", ModelName)
    resources.make(
        account=call.account,
        make=lambda: named_models.create(account=call.account, name=ModelName, model=found),
        arn=lambda made: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"ModelArn": arn}


@operation("sagemaker", "DescribeModel", fields={"model": "ModelName"})
def describe_model(call: Call, *, ModelName: str) -> dict[str, Any]:
    """A model: one that was named, or that a training, an import or a labeling job has made."""
    found = named_models.find(call.account, ModelName)
    said = resource_requests.of(call.account, references.arn(call.account, "model", found.name))
    if isinstance(found, Model):
        said = {"PrimaryContainer": container(call, found)}
    return {"EnableNetworkIsolation": False, **said, **_listed(call, found)}


@operation("sagemaker", "ListModels")
def list_models(
    call: Call,
    *,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    NameContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The models that CreateModel has named."""
    rows = paging.filtered(call, named_models.names(call.account), LISTED)
    by = "name" if SortBy == "Name" else "created_at"
    page = paging.page(call, rows, by=by, descending=paging.descending(call, paging.DESCENDING))
    return page.members("Models", [_listed(call, row) for row in page.rows])


@operation("sagemaker", "DeleteModel", fields={"model": "ModelName"})
def delete_model(call: Call, *, ModelName: str) -> None:
    """Forget a model that was named; what the training left stays, and endpoints that serve it go on."""
    resources.delete(
        account=call.account,
        arn=references.arn(call.account, "model", ModelName),
        delete=lambda: named_models.delete(account=call.account, name=ModelName),
    )


def container(call: Call, model: Model) -> dict[str, Any]:
    """The container of a model that was named by nobody."""
    algorithm = of_family(families.of_architecture(model.architecture))
    image = algorithm.image(call.region) if algorithm else None
    return {"Image": image, "Mode": "SingleModel", "ModelDataUrl": model.artifact_uri}


def _model(call: Call, given: dict[str, Any], place: str) -> Model:
    """The model that a container runs. Raises Invalid, NotFound."""
    if given.get("Mode") == "MultiModel":
        raise Invalid("MultiModel found; an endpoint serves several models as variants", field=f"{place}.Mode")
    found = _packaged(call, given, place) if "ModelPackageName" in given else model_of_container(call, given, place)
    if "Image" in given:
        try:
            algorithm = of_image(given["Image"])
        except BadInput as error:
            raise Invalid(str(error), field=f"{place}.Image") from None
        family = families.of_architecture(found.architecture)
        if algorithm.family is not family:
            raise Invalid(f"the image of {algorithm.name} found, the model is a {family.word}", field=f"{place}.Image")
    return found


def _packaged(call: Call, given: dict[str, Any], place: str) -> Model:
    """The version of a model package that a container names; an address may only say the same. Raises as `_model`."""
    found = package_versions.deployable(call, given["ModelPackageName"], field=f"{place}.ModelPackageName")
    if ("ModelDataUrl" in given or "ModelDataSource" in given) and model_of_container(call, given, place) != found:
        raise Invalid("the address is that of another model than the package", field=f"{place}.ModelPackageName")
    return found


def model_of_container(call: Call, given: dict[str, Any], place: str) -> Model:
    """The model whose address a container has. Raises Invalid without one, NotFound."""
    source = given.get("ModelDataSource", {}).get("S3DataSource", {})
    uri = given.get("ModelDataUrl") or source.get("S3Uri")
    if uri is None:
        raise Invalid("the address of a model expected", field=f"{place}.ModelDataUrl")
    member = "ModelDataUrl" if "ModelDataUrl" in given else "ModelDataSource.S3DataSource.S3Uri"
    return artifacts.model_at(account=call.account, uri=uri, field=f"{place}.{member}")


def _listed(call: Call, found: NamedModel | Model) -> dict[str, Any]:
    return {
        "ModelName": found.name,
        "ModelArn": references.arn(call.account, "model", found.name),
        "CreationTime": found.created_at,
    }
