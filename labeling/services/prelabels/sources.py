"""Where pre-labels come from: the labels of the input manifest, and what the rooms above register.

Knows neither who sees them nor what they cost.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from labeling import task_types
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.models import LabelingJob, ObjectLine
from labeling.services.intake import label_files
from labeling.services.one_by_one import OF_ONE_OBJECT

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

MANIFEST = "manifest"


@dataclass(frozen=True)
class Proposed:
    """A label that is proposed for an object, as its task type reads labels, and of which model ("" for the input's).

    `good`: it is expected to be good enough to be shown to people.
    """

    answer: Any
    model_name: str = ""
    good: bool = True


@dataclass(frozen=True)
class Source:
    """A source of pre-labels. `takes` are the members of the options that it needs, each a text.

    `check` gives what is wrong with a design that asks for it: (field, reason). `propose` gives labels for some of
    these objects, by their keys; None when they are not known yet: the job is advanced again later.
    """

    takes: tuple[str, ...]
    check: Callable[["Design"], Iterable[tuple[str, str]]]
    propose: Callable[[LabelingJob, Sequence[int]], Mapping[int, Proposed] | None]


SOURCES: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Make a source known by its name. Safe to repeat."""
    SOURCES[name] = source


# --- the labels that the input has ----------------------------------------------------------------------------------


def _check_attribute(design: "Design") -> Iterable[tuple[str, str]]:
    name = str((design.prelabels or {}).get("attribute", ""))
    if name == design.label_attribute_name:
        yield "prelabels.attribute", "another attribute than that of the job's own labels expected"
    try:
        validate_label_attribute_name(name, design.task_type, is_file=False)
    except ValueError as error:
        yield "prelabels.attribute", str(error)


def _of_input(job: LabelingJob, object_ids: Sequence[int]) -> Mapping[int, Proposed]:
    """The labels of lines that have one which can be read, and no other classes than the job's."""
    kind, attribute = task_types.get(job.task_type), job.prelabels["attribute"]
    found = {}
    for line in ObjectLine.objects.filter(data_object__in=list(object_ids)):
        try:
            attributes = label_files.with_file(orjson.loads(line.text), attribute, kind=kind, account=job.account)
            answer = kind.renamed(kind.read_manifest(attributes, attribute).answer, job.earlier_labels)
        except OF_ONE_OBJECT:
            # A line without such a label is labeled by people as ever.
            continue
        if kind.classes(answer) <= set(job.labels):
            found[line.pk] = Proposed(answer)
    return found


register(MANIFEST, Source(("attribute",), _check_attribute, _of_input))
