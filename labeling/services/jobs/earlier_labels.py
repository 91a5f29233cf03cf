"""What the design of a verification or adjustment job says of the earlier labels that people look at."""

from typing import TYPE_CHECKING, Any

from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.task_types.base import TaskType

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design


def check_design(design: "Design") -> None:
    """A type that shows earlier labels needs the attribute that holds them; other types take none."""
    if design.kind is not None and (reason := refusal(design.kind, design.audit_label_attribute_name)):
        design.wrong("audit_label_attribute_name", reason)


def refusal(kind: TaskType[Any, Any], name: str) -> str:
    """Why a job of this type cannot have the labels under this attribute looked at, "" when it can."""
    audited = kind.audited
    if audited is None:
        return f"only verification and adjustment jobs show earlier labels, not {kind.name}" if name else ""
    if not name:
        return "the label attribute of the labels that people look at expected"
    try:
        validate_label_attribute_name(name, audited.name, is_file=audited.label_is_file)
    except ValueError as error:
        return str(error)
    return ""
