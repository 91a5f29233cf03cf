"""Label imports: create and stop. What they do is in advancing.py, what they may be asked to do in limits.py."""

from typing import Any

from django.db import transaction

from labeling import task_types, transitions
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.models import Dataset, LabelImport, LabelingJob
from labeling.services.imports import limits
from labeling.services.intake import samples
from labeling.task_types.base import TEXT, TaskType
from marketplace import queue
from marketplace.errors import DomainError, ImportLimit, Invalid, NameTaken, WrongState
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.services import boundaries, workload

ADVANCE = "labeling.background.advance_import"


def create_import(
    *,
    account: Account,
    by: str,
    uri: str,
    purpose: str = limits.DATASET,
    name: str = "",
    images: Dataset | None = None,
    job: LabelingJob | None = None,
    format: str = limits.AUTO,  # noqa: A002 - the word everyone uses for it
    label_attribute_name: str = "",
    read_attribute: str = "",
    task_type: str = task_types.DEFAULT,
    without_boxes: str = limits.WITHOUT_BOXES[0],
) -> LabelImport:
    """Create an import of the label file at `uri` and queue its first step.

    With the purpose "dataset" it makes a data set `name`, whose labels are under `label_attribute_name`; its images
    are those of the data set `images`, or are packed with the labels. With "golds" the labels become golds of `job`.
    `read_attribute` names the label of a manifest that has several; `task_type` says what is read of the file, unless
    it is a job's. Raises Invalid, Forbidden, NameTaken, WrongState, ImportLimit or BackgroundLimit.
    """
    kind = _kind(task_type) if job is None else task_types.get(job.task_type)
    _check_choices(purpose, format, without_boxes, kind)
    if len(uri) not in boundaries.URI_LENGTH:
        raise Invalid(f"an address of {boundaries.URI_LENGTH} characters expected", field="uri")
    try:
        boundaries.require_readable(account=account, uri=uri)
    except DomainError as error:
        raise type(error)(error.message, field="uri") from None
    if read_attribute:
        _check_attribute(read_attribute, "read_attribute", kind)
    if purpose == limits.DATASET:
        label_attribute_name = label_attribute_name or default_attribute(kind)
        _check_dataset(account, name, images, job, label_attribute_name, kind)
    else:
        name, label_attribute_name = "", ""
        _check_golds(images, job)
    with transaction.atomic():
        # Requests of one account wait for each other in it, so that together they keep the limit of imports as well.
        workload.admit(account=account)
        unfinished = LabelImport.objects.filter(account=account, status__in=["Initializing", "InProgress"])
        if unfinished.count() >= limits.MOST_AT_ONCE:
            raise ImportLimit(f"{limits.MOST_AT_ONCE} label imports are running; wait until one of them has ended")
        row = LabelImport.objects.create(
            account=account,
            purpose=purpose,
            name=name,
            uri=uri,
            asked_format=format,
            images=images,
            job=job,
            label_attribute_name=label_attribute_name,
            task_type=kind.name,
            read_attribute=read_attribute,
            without_boxes=without_boxes,
            created_by=by,
        )
        queue.enqueue(ADVANCE, row.pk)
    return row


def stop_import(*, label_import: LabelImport, by: str) -> None:
    """Stop it: no data set is made; golds that were written stay. Raises WrongState when it is over already."""
    with transaction.atomic():
        transitions.LABEL_IMPORT.advance(label_import, "Stopped", by=by, because="stopped by its owner")


def takes_golds(job: LabelingJob) -> bool:
    """Whether labels of files can be golds of the job: files hold such labels, and it has been given objects."""
    return bool(task_types.get(job.task_type).imports) and job.status not in ("Initializing", "Failed")


def readable_types() -> list[TaskType[Any, Any]]:
    """The task types whose labels a data set can get from files, in the order in which pages offer them."""
    return [kind for kind in map(task_types.get, task_types.names()) if kind.imports and kind.audited is None]


def default_attribute(kind: TaskType[Any, Any]) -> str:
    """The attribute of a data set's labels when none is named; that of a label which is a file ends in -ref."""
    return limits.DEFAULT_ATTRIBUTE + ("-ref" if kind.label_is_file else "")


def _kind(name: str) -> TaskType[Any, Any]:
    offered = {kind.name: kind for kind in readable_types()}
    if name not in offered:
        raise Invalid(f"{name!r} found, one of {', '.join(offered)} expected", field="task_type")
    return offered[name]


def _check_choices(purpose: str, form: str, without_boxes: str, kind: TaskType[Any, Any]) -> None:
    for field, value, allowed in (
        ("purpose", purpose, limits.PURPOSES),
        ("format", form, limits.ASKED_FORMATS),
        ("without_boxes", without_boxes, limits.WITHOUT_BOXES),
    ):
        if value not in allowed:
            raise Invalid(f"{value!r} found, one of {', '.join(allowed)} expected", field=field)
    if kind.imports and form not in (limits.AUTO, *kind.imports):
        raise Invalid(
            f"labels of the type {kind.name} are read from {', '.join(kind.imports)}, not from {form}", field="format"
        )


def _check_dataset(
    account: Account,
    name: str,
    images: Dataset | None,
    job: LabelingJob | None,
    attribute: str,
    kind: TaskType[Any, Any],
) -> None:
    check_name(name)
    if job is not None:
        raise Invalid("a job has golds, a data set has none: leave it out", field="job")
    if Dataset.objects.filter(account=account, name=name).exists():
        raise NameTaken(f"the account has a data set {name!r} already", field="name")
    if images is not None and images.status != "Completed":
        raise WrongState(f"the data set {images.name} is {images.status}", field="images")
    if images is not None and samples.holds_texts(dataset=images) != (kind.medium == TEXT):
        what = "texts" if kind.medium == TEXT else "images"
        raise Invalid(f"the data set {images.name} holds no {what}, which {kind.name} is about", field="images")
    _check_attribute(attribute, "label_attribute_name", kind)


def _check_golds(images: Dataset | None, job: LabelingJob | None) -> None:
    if job is None:
        raise Invalid("golds are golds of a labeling job: name it", field="job")
    if images is not None:
        raise Invalid("golds are matched with the objects of the job: leave out the data set", field="images")
    if not takes_golds(job):
        readable = task_types.get(job.task_type).imports
        reason = (
            f"the labeling job is {job.status}" if readable else f"no files hold labels of the type {job.task_type}"
        )
        raise WrongState(reason, field="job")


def _check_attribute(name: str, field: str, kind: TaskType[Any, Any]) -> None:
    try:
        validate_label_attribute_name(name, kind.name, is_file=kind.label_is_file)
    except ValueError as error:
        raise Invalid(str(error), field=field) from None
