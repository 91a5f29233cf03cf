"""Deleting data sets, and later the files that they leave in the store, where nothing else names those.

What a data set is made from may be named by others: other data sets, manifests, human loops, trainings. So its files
stay for WAGGLE_DELETED_IMAGES_KEPT_DAYS, and then everything that the database keeps is asked for them first.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from psycopg import sql

from labeling import transitions
from labeling.models import Dataset, DiscardedFolder, LabelImport
from labeling.services.intake import inaturalist, sources
from marketplace import addresses, storage
from marketplace.errors import InUse, NotFound, WrongState
from marketplace.services import audit, boundaries, stored_deletion

OWN_SOURCES = ("folder", "zip", inaturalist.KIND)
"""Sources that are what somebody has uploaded for the data set; a prefix or a manifest is of somewhere else."""

FOLDERS_AT_ONCE = 5
FILES_AT_ONCE = 2000
"""What one sweep deletes at most."""

NAMING = (addresses.AddressField, addresses.LineField, models.JSONField, models.TextField)
"""Kinds of columns that may hold addresses of files."""


def delete_dataset(*, dataset: Dataset, by: str) -> None:
    """Delete a data set that has ended. Its manifest and files go later, see `sweep`.

    Raises WrongState unless it has ended, InUse naming a labeling job or an import of labels that needs it.
    """
    with transaction.atomic():
        row = Dataset.objects.select_for_update().select_related("account").get(pk=dataset.pk)
        if row.status not in transitions.DATASET.final:
            raise WrongState(f"{row.name} is {row.status}; only what has ended is deleted", field="status")
        if (job := row.labeling_jobs.order_by("pk").first()) is not None:
            raise InUse(f"the data set {row.name} is used by the labeling job {job.name}")
        live = LabelImport.objects.exclude(status__in=transitions.LABEL_IMPORT.final)
        if live.filter(models.Q(images=row) | models.Q(dataset=row)).exists():
            raise InUse(f"the data set {row.name} is used by an import of labels that is under way")
        for uri in _files_of(row):
            DiscardedFolder.objects.create(account=row.account, uri=uri)
        audit.record(row, by=by, because=f"deleted {row.name}")
        row.delete()


def _files_of(dataset: Dataset) -> Iterator[str]:
    """Addresses that everything begins with that is the data set's own."""
    yield sources.images_base(dataset).rpartition("/")[0] + "/"
    uri, uploads = dataset.source["uri"], storage.join(boundaries.base_of(dataset.account), "uploads") + "/"
    if dataset.source["kind"] in OWN_SOURCES and uri.startswith(uploads):
        yield uri.rstrip("/") + "/" if dataset.source["kind"] == "folder" else uri


def sweep() -> None:
    """Delete files of data sets that were deleted long enough ago; run every minute, a bounded part at a time."""
    before = timezone.now() - timedelta(days=settings.DELETED_IMAGES_KEPT_DAYS)
    due = DiscardedFolder.objects.filter(discarded_at__lte=before).select_related("account").order_by("pk")
    left = FILES_AT_ONCE
    for folder in due[:FOLDERS_AT_ONCE]:
        if is_named(folder):
            # Whoever names it keeps it; when they are gone, they have left it to themselves.
            folder.delete()
            continue
        with stored_deletion.allowed() as now:
            if not now:
                return
            found = list(islice(_listed(folder.uri), left))
            for uri in found:
                storage.delete(uri)
        left -= len(found)
        if left <= 0:
            return
        folder.delete()


def _listed(uri: str) -> Iterator[str]:
    try:
        yield from (item.uri for item in storage.list(uri))
    except NotFound:
        return


def is_named(folder: DiscardedFolder) -> bool:
    """Whether anything in the database, or a manifest of another data set of the account, names it or files in it."""
    # Without what it begins with: the store may have been somewhere else when a text or a manifest was written.
    key = addresses.relative(folder.uri).removeprefix(addresses.SCHEME)
    # The folder itself may be named without its slash, at the end of a text or of a member of some JSON.
    pattern = re.escape(key.rstrip("/")) + ('(/|"|$)' if key.endswith("/") else "")
    return any(_in_column(model, field, pattern) for model, field in _columns()) or _in_datasets(folder, key)


def _columns() -> Iterator[tuple[type[models.Model], models.Field]]:
    for room in ("labeling", "learning"):
        if apps.is_installed(room):
            for model in apps.get_app_config(room).get_models():
                if model is not DiscardedFolder:
                    yield from (
                        (model, field) for field in model._meta.local_concrete_fields if isinstance(field, NAMING)
                    )


def _in_column(model: type[models.Model], field: models.Field, pattern: str) -> bool:
    statement = sql.SQL("SELECT EXISTS (SELECT FROM {table} WHERE {column}::text ~ %s)").format(
        table=sql.Identifier(model._meta.db_table), column=sql.Identifier(field.column)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [pattern])
        return bool(cursor.fetchone()[0])


def _in_datasets(folder: DiscardedFolder, key: str) -> bool:
    for dataset in Dataset.objects.filter(account=folder.account_id).order_by("pk").iterator():
        # Made of the folder, or of one in which it lies.
        source = dataset.source.get("uri")
        if source and folder.uri.startswith(source):
            return True
        if dataset.manifest_uri:
            try:
                with storage.open(dataset.manifest_uri) as stream:
                    if any(key.encode() in line for line in stream):
                        return True
            except NotFound:
                continue
    return False
