"""Groups of models, and which version of its group a model is. Knows neither files nor where models come from."""

import re

from django.db import IntegrityError, transaction
from django.db.models import Max

from learning.models import Model, ModelGroup
from marketplace.errors import InUse, NameTaken
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.services import audit, quotas

_NUMBERED = re.compile(r"(-round)?-[0-9]+$")


def name_for(model_name: str) -> str:
    """The group that a model belongs to by its name: that of the loop for round 3 of a loop, `bees` for `bees-2`."""
    return _NUMBERED.sub("", model_name) or model_name


def create(*, account: Account, name: str, by: str) -> ModelGroup:
    """A group without versions. Raises Invalid for a name that cannot be a group's, NameTaken, LimitExceeded."""
    check_name(name)
    try:
        with transaction.atomic():
            rows = ModelGroup.objects.filter(account=account)
            quotas.require(account=account, kind="model-package-group", rows=rows)
            made = ModelGroup.objects.create(account=account, name=name)
    except IntegrityError as error:
        raise NameTaken(f"there is a group of models {name!r} already", field="name") from error
    audit.record(made, by=by, because="made")
    return made


def delete(*, group: ModelGroup, by: str) -> None:
    """Delete a group. Raises InUse while it has versions."""
    with transaction.atomic():
        locked = ModelGroup.objects.select_for_update().get(pk=group.pk)
        if (count := Model.objects.filter(group=locked, deleted_at=None).count()) > 0:
            raise InUse(f"the group {locked.name} has {count} models: delete them, or move them to another group")
        audit.record(locked, by=by, because=f"deleted {locked.name}")
        locked.delete()


def add(model: Model, *, group_name: str) -> None:
    """Make the model the next version of a group of its account, which is made when it is new. Needs a transaction."""
    check_name(group_name)
    group, _ = ModelGroup.objects.get_or_create(account_id=model.account_id, name=group_name)
    # The lock orders those who add; versions are never given twice, for the rows of deleted models stay.
    ModelGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    newest = Model.objects.filter(group=group).aggregate(newest=Max("version"))["newest"] or 0
    model.group, model.version = group, newest + 1
    model.save(update_fields=["group", "version"])


def move(*, model: Model, group_name: str, by: str) -> None:
    """Make the model the newest version of another group; nothing happens when it belongs to that one already.

    Raises Invalid for a name that cannot be a group's.
    """
    if model.group is not None and model.group.name == group_name:
        return
    before = f"{model.group.name} version {model.version}" if model.group else "no group"
    with transaction.atomic():
        add(model, group_name=group_name)
        because = f"moved from {before} to {group_name} version {model.version}"
        audit.record(model, by=by, because=because)
