"""Groups of model packages and their versions by ARNs, for whatever names one."""

from frontend.aws import references
from frontend.aws.registry import Call
from learning import queries
from learning.models import Model, ModelGroup
from marketplace import strict
from marketplace.errors import Invalid, NotFound
from marketplace.ranges import Range

GROUP, PACKAGE = "model-package-group", "model-package"
APPROVED = "Approved"
_VERSIONS = Range(1, 2**31 - 1)


def group(call: Call, name: str) -> ModelGroup:
    """The group of this name or ARN. Raises NotFound."""
    wanted = references.named(call, name, GROUP)
    found = queries.model_groups(call.account).filter(name=wanted).first()
    if found is None:
        raise NotFound(f"Model Package Group {wanted} does not exist.")
    return found


def package(call: Call, arn: str) -> Model:
    """The version with this ARN, or the model of this name. Raises NotFound."""
    wanted = references.named(call, arn, PACKAGE)
    group, slash, version = wanted.partition("/")
    rows = queries.models(call.account).exclude(group=None)
    if slash:
        number = strict.whole_number(version, allowed=_VERSIONS)
        rows = rows.none() if number is None else rows.filter(group__name=group, version=number)
    else:
        rows = rows.filter(name=wanted)
    found = rows.first()
    if found is None:
        raise NotFound(f"ModelPackage {arn} does not exist.")
    return found


def deployable(call: Call, arn: str, *, field: str) -> Model:
    """`package`. Raises Invalid, too, for one that is not approved."""
    found = package(call, arn)
    if found.status != APPROVED:
        raise Invalid(f"the model package {arn} is {found.status}; approve it before it is deployed", field=field)
    return found


def arn_of(call: Call, model: Model) -> str:
    """The ARN of a model that is a version of a group."""
    assert model.group is not None
    return references.arn(call.account, PACKAGE, f"{model.group.name}/{model.version}")
