"""Taking in a detector that was trained elsewhere, as its owner sees it. The supervisor does the work."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from learning.models import Model, ModelImport
from marketplace import storage
from marketplace.errors import DomainError, Invalid, NameTaken
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.services import boundaries

MOST_MODEL_BYTES = 2 << 30
"""What one ONNX file can hold."""
MOST_DESCRIPTION_BYTES = 4 << 20


def create_import(
    *, account: Account, name: str, onnx_uri: str, config_uri: str, by: str, group_name: str = ""
) -> ModelImport:
    """Start taking in model.onnx and the config.json that says its input, output and classes (serving/foreign.py).

    The model gets the import's name. Raises Invalid for a file that is missing or too large, Forbidden for an address
    that the account may not read, NameTaken for a name that is taken.
    """
    check_name(name)
    if group_name:
        check_name(group_name)
    for field, uri, most in (
        ("onnx_uri", onnx_uri, MOST_MODEL_BYTES),
        ("config_uri", config_uri, MOST_DESCRIPTION_BYTES),
    ):
        try:
            boundaries.require_readable(account=account, uri=uri)
            size = storage.size(uri)
        except DomainError as error:
            raise type(error)(error.message, field=field) from None
        if not 0 < size <= most:
            raise Invalid(f"the file has {size:,} bytes; 1 to {most:,} expected", field=field)
    if Model.objects.filter(account=account, name=name).exists():
        raise NameTaken(f"there is a model {name!r} already", field="name")
    try:
        with transaction.atomic():
            # One that failed gives its name back: whoever tries again corrects the files, not the name.
            ModelImport.objects.filter(account=account, name=name, status__in=["Failed", "Stopped"]).delete()
            return ModelImport.objects.create(
                account=account,
                name=name,
                group_name=group_name,
                channels={"model": {"onnx_uri": onnx_uri, "config_uri": config_uri}},
                status_changed_at=timezone.now(),
            )
    except IntegrityError as error:
        raise NameTaken(f"a model {name!r} is being imported already", field="name") from error
