"""What the design of a verification or adjustment job says of the earlier labels that people look at."""

from typing import TYPE_CHECKING

from labeling.formats.attribute_names import validate_label_attribute_name

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

FIELD = "audit_label_attribute_name"


def check_design(design: "Design") -> None:
    """A type that shows earlier labels needs the attribute that holds them; other types take none."""
    kind, name = design.kind, design.audit_label_attribute_name
    if kind is None:
        return
    if kind.audited is None:
        if name:
            design.wrong(FIELD, f"only verification and adjustment jobs show earlier labels, not {kind.name}")
        return
    if not name:
        design.wrong(FIELD, "the label attribute of the labels that people look at expected")
        return
    audited = kind.audited
    design.attempt(FIELD, lambda: validate_label_attribute_name(name, audited.name, is_file=audited.label_is_file))
