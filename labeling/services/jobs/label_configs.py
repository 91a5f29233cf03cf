"""The label category configuration of a job that is being designed: attributes of labels, labels and instructions.

It is given as Ground Truth's file has it. Knows nothing of what happens to a job once it exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from labeling import task_types
from labeling.formats import label_categories, label_config
from labeling.formats.label_categories import Categories, CategoriesError
from labeling.task_types.base import TaskType
from marketplace import storage, strict
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import boundaries

if TYPE_CHECKING:
    from labeling.services.jobs.design import Design

FIELD = "label_category_config"

LENGTH = Range(0, 100_000)
"""Characters of the file."""

SHOWN_LENGTH = Range(0, 300_000)
"""Characters of all labels as a task's page gets them, each with the attributes that all labels have."""


def read_text(text: str) -> dict[str, Any] | None:
    """The document in a text, None in an empty one. Raises Invalid for what is no JSON object."""
    if not text.strip():
        return None
    if len(text) not in LENGTH:
        raise Invalid(f"{len(text):,} characters found, {LENGTH} expected", field=FIELD)
    try:
        found = strict.read_json(text)
    except strict.NotJson as error:
        raise Invalid(str(error), field=FIELD) from None
    except DomainError as error:
        raise Invalid(f"{error.field or 'the file'}: {error.message}", field=FIELD) from None
    if not isinstance(found, dict):
        raise Invalid("a JSON object expected", field=FIELD)
    return found


def read_file(*, account: Account, uri: str) -> dict[str, Any] | None:
    """The document at an address that the account may read. Raises Invalid naming the field for what is none."""
    # Permission is checked first, so that nobody learns which files exist in another account's folder.
    try:
        boundaries.require_readable(account=account, uri=uri)
        text = storage.read(uri, limit=LENGTH.longest).decode()
    except (DomainError, UnicodeDecodeError) as error:
        raise Invalid(f"the file at {uri[:200]} cannot be read: {error}", field=f"{FIELD}_uri") from None
    return read_text(text.removeprefix("\N{BYTE ORDER MARK}"))


def read(document: dict[str, Any]) -> Categories:
    """The labels, attributes and instructions that a document names. Raises CategoriesError naming the member."""
    whole = {"labels": []} | document
    if not {"document-version", "documentVersion"} & whole.keys():
        whole["document-version"] = label_categories.VERSION
    return label_categories.parse(orjson.dumps(whole), fewest=0)


def problems(config: dict[str, Any], *, labels: list[str], kind: TaskType[Any, Any]) -> list[tuple[str, str]]:
    """What is wrong with what a job of this type, with these labels, would keep: (member, reason)."""
    strange = [label for label in config.get("labels", {}) if label not in labels]
    if strange:
        return [("labels", f"{strange[0]!r} is not among the labels of the job")]
    if label_config.declared(config) and not kind.attributed:
        able = ", ".join(one.title for one in map(task_types.get, task_types.names()) if one.attributed)
        return [("labels", f"labels of {kind.title} have no attributes; those of these task types can: {able}")]
    shown = len(orjson.dumps(label_config.of_labels(config, labels)))
    if shown not in SHOWN_LENGTH:
        return [("labels", f"too long: {shown:,} characters for all labels together, {SHOWN_LENGTH} expected")]
    return []


def check_design(design: Design) -> None:
    """Read the document: labels, instructions and the audited attribute that the design does not give come from it.

    Afterwards `label_category_config` is what the job keeps of it.
    """
    given, design.label_category_config = design.label_category_config, {}
    if not given:
        return
    if (length := len(orjson.dumps(given))) not in LENGTH:
        design.wrong(FIELD, f"{length:,} characters found, {LENGTH} expected")
        return
    try:
        categories = read(given)
        design.label_category_config = label_config.kept(categories)
    except CategoriesError as error:
        design.wrong(f"{FIELD}.{error.field}", error.problem)
        # So that it is not said of them, too, that there are none.
        listed = given.get("labels")
        names = [one.get("label") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        design.labels = design.labels or list(dict.fromkeys(name for name in names if isinstance(name, str)))
        return
    design.labels = design.labels or list(categories.names)
    if design.kind is not None and isinstance(design.labels, list):
        for member, reason in problems(design.label_category_config, labels=design.labels, kind=design.kind):
            design.wrong(f"{FIELD}.{member}", reason)
    written = {"short": categories.short_instruction, "full": categories.full_instruction}
    design.instructions = (design.instructions or {}) | {
        part: text for part, text in written.items() if text and not (design.instructions or {}).get(part)
    }
    audited = categories.extra.get("auditLabelAttributeName")
    if isinstance(audited, str) and not design.audit_label_attribute_name:
        design.audit_label_attribute_name = audited
