"""The worker template that CreateLabelingJob names: the page of a custom job, the instructions of any other.

Jobs of built-in task types are shown by their own elements; of such a template they take instructions and header, and,
where people look at earlier labels, which attribute holds these.
"""

from html import escape
from typing import Any

from labeling import task_types
from labeling.formats import ui_templates
from labeling.services.jobs import limits
from labeling.task_types.base import TaskType
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account
from marketplace.services import boundaries

FIELD = "template_uri"


def read_file(*, account: Account, uri: str) -> str:
    """The template at an address that the account may read. Raises Invalid, naming FIELD, for what is none."""
    # Permission is checked first, so that nobody learns which files exist in another account's folder.
    try:
        boundaries.require_readable(account=account, uri=uri)
        return storage.read(uri, limit=4 * limits.TEMPLATE_LENGTH.longest).decode()
    except (DomainError, UnicodeDecodeError) as error:
        raise Invalid(f"the template at {uri[:200]} cannot be read: {error}", field=FIELD) from None


def fields(kind: TaskType[Any, Any], content: str) -> dict[str, Any]:
    """The fields of a job's design that follow from the template.

    Raises Invalid, naming FIELD, for a template that shows another element than the one of a built-in type.
    """
    if kind.by_template:
        return {"template": content}
    found = ui_templates.said(content)
    shown_by = {task_types.get(name).element.tag for name in task_types.names()}
    tools = [name for name in found.elements if name in shown_by]
    if tools and kind.element.tag not in tools:
        raise Invalid(
            f"it shows {tools[0]}, but {kind.name} is shown by {kind.element.tag}; "
            "a page of one's own is for custom functions",
            field=FIELD,
        )
    header = f"<p>{escape(found.header)}</p>" if found.header else ""
    instructions = {"short": header + found.short, "full": found.full}
    made: dict[str, Any] = {"instructions": {part: text for part, text in instructions.items() if text}}
    if kind.audited is not None and found.attributes:
        made["audit_label_attribute_name"] = found.attributes[0]
    return made
