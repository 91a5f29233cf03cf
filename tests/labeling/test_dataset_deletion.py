"""Data sets are deleted; their files go later, unless anything else names them. Old exports go with their files."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.models import Dataset, DiscardedFolder, Export, HumanTaskUi
from labeling.services.intake import deletion
from labeling.services.output import exports
from marketplace import locks, storage
from marketplace.errors import InUse, NotFound, WrongState
from marketplace.models import AuditEvent
from marketplace.services import stored_deletion
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def files(folder: str) -> int:
    try:
        return sum(1 for _ in storage.list(folder))
    except NotFound:
        return 0


def age() -> None:
    DiscardedFolder.objects.update(discarded_at=timezone.now() - timedelta(days=31))


@pytest.fixture
def account():
    return stories.an_account()


@pytest.fixture
def dataset(account) -> Dataset:
    """Of two pictures that were uploaded for it."""
    return builders.a_dataset(account=account)


def test_its_files_go_after_a_while(dataset):
    folder, manifest = dataset.source["uri"], dataset.manifest_uri
    deletion.delete_dataset(dataset=dataset, by="user:1")
    assert not Dataset.objects.filter(pk=dataset.pk).exists()
    assert AuditEvent.objects.filter(object_type="labeling.Dataset", because=f"deleted {dataset.name}").exists()
    deletion.sweep()
    assert files(folder) == 2 and storage.exists(manifest)
    age()
    with locks.only_one(stored_deletion.LOCK):
        # A backup is made.
        deletion.sweep()
    assert files(folder) == 2
    deletion.sweep()
    assert files(folder) == 0 and not storage.exists(manifest)
    assert not DiscardedFolder.objects.exists()


def test_a_part_at_a_time(dataset, monkeypatch):
    monkeypatch.setattr(deletion, "FILES_AT_ONCE", 1)
    deletion.delete_dataset(dataset=dataset, by="user:1")
    age()
    left = []
    while DiscardedFolder.objects.exists():
        deletion.sweep()
        left.append(files(dataset.source["uri"]) + storage.exists(dataset.manifest_uri))
    assert left[:3] == [2, 1, 0]


@pytest.mark.parametrize("by", ["data set", "manifest", "text"])
def test_what_something_else_names_stays(dataset, account, by):
    (first, *_) = storage.list(dataset.source["uri"])
    if by == "data set":
        builders.a_dataset(account=account, uri=dataset.source["uri"], made=False)
    elif by == "manifest":
        line = {"source-ref": first.uri}
        builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, [line]))
    else:
        text = json.dumps({"image": first.uri})
        HumanTaskUi.objects.create(account=account, name="look", text=text, created_by="user:1")
    deletion.delete_dataset(dataset=dataset, by="user:1")
    age()
    deletion.sweep()
    assert files(dataset.source["uri"]) == 2 and not storage.exists(dataset.manifest_uri)
    assert not DiscardedFolder.objects.exists()


def test_one_that_is_used_or_made_is_not_deleted(dataset, account):
    job = stories.a_job(account, builders.a_team(account=account, workers=stories.a_crowd(1)))
    type(job).objects.filter(pk=job.pk).update(dataset=dataset)
    with pytest.raises(InUse, match=f"is used by the labeling job {job.name}"):
        deletion.delete_dataset(dataset=dataset, by="user:1")
    made = builders.a_dataset(account=account, made=False)
    with pytest.raises(WrongState, match="is Initializing; only what has ended"):
        deletion.delete_dataset(dataset=made, by="user:1")
    assert Dataset.objects.filter(pk__in=[dataset.pk, made.pk]).count() == 2
    assert not DiscardedFolder.objects.exists()


def test_old_exports_go_with_their_files(settings):
    job, _ = stories.a_funded_job()
    made = []
    for days in (1, 40):
        export = exports.create_export(job=job, kind="manifest", by="user:1")
        background.run_export(export.pk)
        Export.objects.filter(pk=export.pk).update(status_changed_at=timezone.now() - timedelta(days=days))
        made.append(Export.objects.get(pk=export.pk))
    exports.forget_old()
    assert Export.objects.count() == 2
    settings.EXPORTS_KEPT_DAYS = 30
    OrmQ.objects.all().delete()
    exports.forget_old()
    assert list(Export.objects.all()) == made[:1]
    (message,) = (row.task for row in OrmQ.objects.all())
    assert message["func"] == stored_deletion.DELETE
    stored_deletion.delete_kept(*message["args"])
    assert [storage.exists(export.uri) for export in made] == [True, False]
