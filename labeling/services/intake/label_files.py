"""Labels of manifests that are files: reading them where the task type says that a label is one."""

from collections.abc import Mapping
from typing import Any

from labeling.formats.masks import MAX_PNG_BYTES
from labeling.task_types.base import TaskType
from marketplace import storage
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.models import Account
from marketplace.services import boundaries


def with_file(
    attributes: Mapping[str, Any], attribute: str, *, kind: TaskType[Any, Any], account: Account
) -> Mapping[str, Any]:
    """The attributes of a line as `kind.read_manifest` expects them: a label's file in place of its address.

    Raises ValueError for a file that is not there, too large or not the account's to read.
    """
    uri = attributes.get(attribute)
    if not kind.label_is_file or not isinstance(uri, str):
        return attributes
    try:
        boundaries.require_readable(account=account, uri=uri)
        content = storage.read(uri, limit=MAX_PNG_BYTES)
    except (Invalid, Forbidden, NotFound) as error:
        raise ValueError(f"{attribute!r}: {error.message}") from None
    return {**attributes, attribute: content}
