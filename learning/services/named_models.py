"""Models under names of their own, as SageMaker's CreateModel gives them. The files are those of the registry.

A model of the registry that was given no other name is found by its own. Knows no endpoints.
"""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from learning.models import Model, NamedModel
from learning.services import registry
from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.services import quotas


def create(*, account: Account, name: str, model: Model) -> NamedModel:
    """Call a model of the account by this name, too.

    Raises NameTaken for a name that is taken, also by another model of the registry, Invalid for one that cannot be,
    LimitExceeded.
    """
    check_name(name)
    if Model.objects.filter(account=account, name=name, deleted_at=None).exclude(pk=model.pk).exists():
        raise NameTaken(f"Cannot create already existing model {name!r}: a training or an import made it", field="name")
    try:
        with transaction.atomic():
            quotas.require(account=account, kind="model", rows=NamedModel.objects.filter(account=account))
            return NamedModel.objects.create(account=account, name=name, model=model)
    except IntegrityError as error:
        raise NameTaken(f"Cannot create already existing model {name!r}", field="name") from error


def names(account: Account) -> QuerySet[NamedModel]:
    """The names that were given, with their models loaded."""
    return NamedModel.objects.filter(account=account).select_related("model__account")


def find(account: Account, name: str) -> NamedModel | Model:
    """What has this name: one that was given, or a model of the registry. Raises NotFound."""
    given = names(account).filter(name=name).first()
    if given is not None:
        return given
    found = Model.objects.filter(account=account, name=name, deleted_at=None).select_related("account").first()
    if found is None:
        raise NotFound(f"Could not find model {name!r}.", field="model")
    return found


def model_of(account: Account, name: str) -> Model:
    """The model that has this name. Raises NotFound, also when its files were deleted."""
    found = find(account, name)
    if isinstance(found, Model):
        return found
    return registry.get(account=account, name=found.model.name)


def delete(*, account: Account, name: str) -> None:
    """Forget a name; the files of the model stay. Raises NotFound, Invalid for the own name of a model."""
    found = find(account, name)
    if isinstance(found, Model):
        raise Invalid(
            f"{name!r} was not made by CreateModel but by a training or an import: delete it in the portal or over "
            "REST, which deletes its files, too",
            field="model",
        )
    found.delete()
