"""Data sets and golds from the output of Ground Truth jobs.

A manifest goes into the account's part of the store under a name made of its content: so a second import finds what the
first one did. Masks, which it names by their addresses in S3, go there, too.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from labeling.formats import manifest
from labeling.formats.aws_folder.things import Thing
from labeling.models import Dataset, LabelImport, LabelingJob
from labeling.services.imports import advancing, creating, limits
from labeling.services.intake import datasets
from labeling.services.migration.plans import FAILED, IMPORTED, THERE, Done, Plan, reasons
from marketplace import storage
from marketplace.errors import DomainError
from marketplace.names import free_name
from marketplace.services import boundaries

AGAIN = "it is tried again in the background"
OVER = ("Failed", "Stopped")
LIVE = ("Initializing", "InProgress", "Completed")


def take_in(thing: Thing, plan: Plan) -> Iterator[Done]:
    """Make a data set for each label of an output folder or manifest, one without labels where there is none.

    Where the plan names a job for its golds, the labels become these, too.
    """
    try:
        uri = _stored(thing, plan)
    except DomainError as error:
        yield Done(thing.kind, thing.name, FAILED, reasons(error))
        return
    for place, (attribute, task_type) in enumerate(thing.data["labels"].items()):
        name = thing.name if place == 0 else f"{thing.name}-{attribute}"
        yield _labeled(thing, plan, uri, name=name, attribute=attribute, task_type=task_type)
        if job := plan.golds.get(thing.name):
            yield _golds(thing, plan, uri, job=job, attribute=attribute, task_type=task_type)
    if not thing.data["labels"]:
        yield _unlabeled(thing, plan, uri)


def _labeled(thing: Thing, plan: Plan, uri: str, *, name: str, attribute: str, task_type: str) -> Done:
    earlier = LabelImport.objects.filter(
        account=plan.account, uri=uri, purpose=limits.DATASET, read_attribute=attribute, status__in=LIVE
    )
    if row := earlier.exclude(dataset__status__in=OVER).order_by("-pk").first():
        return _advanced(thing, row, THERE)
    name = _free(name, plan)
    try:
        row = creating.create_import(
            account=plan.account,
            by=plan.by,
            uri=uri,
            name=name,
            format="manifest",
            task_type=task_type,
            label_attribute_name=attribute,
            read_attribute=attribute,
        )
    except DomainError as error:
        return Done(thing.kind, name, FAILED, reasons(error))
    return _advanced(thing, row, IMPORTED)


def _golds(thing: Thing, plan: Plan, uri: str, *, job: LabelingJob, attribute: str, task_type: str) -> Done:
    name = f"golds of {job.name}"
    if job.task_type != task_type:
        return Done(
            thing.kind, name, FAILED, f"the labels under {attribute!r} are {task_type}, the job {job.task_type}"
        )
    earlier = LabelImport.objects.filter(job=job, uri=uri, read_attribute=attribute, status__in=LIVE)
    if row := earlier.order_by("-pk").first():
        return _advanced(thing, row, THERE)
    try:
        row = creating.create_import(
            account=plan.account, by=plan.by, uri=uri, purpose=limits.GOLDS, job=job, read_attribute=attribute
        )
    except DomainError as error:
        return Done(thing.kind, name, FAILED, reasons(error))
    return _advanced(thing, row, IMPORTED)


def _advanced(thing: Thing, row: LabelImport, outcome: str) -> Done:
    """Do the import now rather than wait for the queue, whose message then finds nothing to do."""
    name = f"golds of {row.job.name}" if row.job else row.name
    try:
        if row.status != "Completed":
            advancing.advance_import(row.pk)
            row.refresh_from_db()
    except storage.StoreUnavailable as error:
        return Done(thing.kind, name, FAILED, f"{error.message}; {AGAIN}")
    if row.status == "Failed":
        return Done(thing.kind, name, FAILED, row.failure_reason)
    labeled = f"{row.counts.get('labeled', 0):,} of {row.counts.get('images', 0):,} objects labeled"
    if row.job:
        return Done(thing.kind, name, outcome, labeled)
    dataset = row.dataset
    if dataset is None:
        return Done(thing.kind, name, outcome, f"{row.status}; its page says when it is done (label import {row.pk})")
    return _made(thing, dataset, outcome, labeled)


def _made(thing: Thing, dataset: Dataset, outcome: str, said: str = "") -> Done:
    try:
        datasets.advance_dataset(dataset.pk)
    except storage.StoreUnavailable as error:
        return Done(thing.kind, dataset.name, FAILED, f"{error.message}; {AGAIN}")
    dataset.refresh_from_db()
    if dataset.status == "Failed":
        return Done(thing.kind, dataset.name, FAILED, dataset.failure_reason)
    left_out = f"{dataset.bad_lines:,} lines left out, see the data set's page" if dataset.bad_lines else ""
    message = "; ".join(filter(None, (f"data set {dataset.pk}", said, left_out)))
    return Done(thing.kind, dataset.name, outcome, message)


def _unlabeled(thing: Thing, plan: Plan, uri: str) -> Done:
    same_name = Dataset.objects.filter(account=plan.account, name__startswith=thing.name).exclude(status__in=OVER)
    for found in same_name.order_by("pk"):
        if found.source.get("uri") == uri:
            return _made(thing, found, THERE)
    name = _free(thing.name, plan)
    try:
        source = {"kind": "manifest", "uri": uri}
        made = datasets.create_dataset(account=plan.account, name=name, source=source, by=plan.by)
    except DomainError as error:
        return Done(thing.kind, name, FAILED, reasons(error))
    return _made(thing, made, IMPORTED)


def _free(name: str, plan: Plan) -> str:
    """The name, or one with a number where a data set that came to nothing has it; no data set is ever renamed."""
    rows = Dataset.objects.filter(account=plan.account)
    if not rows.filter(name=name, status__in=OVER).exists():
        return name
    return free_name(name, list(rows.values_list("name", flat=True)))


def _stored(thing: Thing, plan: Plan) -> str:
    """The address of the manifest with its masks in the store, and addresses as the plan maps them."""
    path: Path = thing.data["manifest"]
    masks: dict[str, Path] = thing.data.get("masks", {})
    digest = hashlib.blake2b(repr(sorted(plan.maps)).encode(), digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    folder = storage.join(boundaries.base_of(plan.account), "migrated", digest.hexdigest())
    uri = storage.join(folder, "output.manifest")
    if storage.exists(uri):
        return uri
    there: dict[str, str] = {}
    for number, (address, mask) in enumerate(sorted(masks.items())):
        there[address] = storage.join(folder, "masks", f"{number:07d}.png")
        storage.write(there[address], mask.read_bytes(), content_type="image/png")
    # Last: with it the folder is complete.
    with tempfile.TemporaryFile() as out, path.open("rb") as stream:
        for line in stream:
            out.write(_moved(line, plan, there))
        out.seek(0)
        storage.write(uri, out, content_type="application/jsonl")
    return uri


def _moved(line: bytes, plan: Plan, masks: dict[str, str]) -> bytes:
    """The line with addresses of this installation; one that is not read is left as it is, to be reported by number."""
    if not plan.maps and not masks:
        return line
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(members, dict):
        return line
    changed = {name: masks[value] for name, value in members.items() if isinstance(value, str) and value in masks}
    source: Any = members.get(manifest.SOURCE_REF)
    for begins, instead in plan.maps:
        if isinstance(source, str) and source.startswith(begins):
            changed[manifest.SOURCE_REF] = instead + source[len(begins) :]
            break
    return orjson.dumps(members | changed) + b"\n" if changed else line
