"""Backups into folders and buckets: incremental, checked by digests, thinned out; deletions wait while one is made.

A whole installation is backed up and restored in tests/journeys/test_backup.py.
"""

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from marketplace import addresses, locks, storage
from marketplace.errors import InUse, Invalid
from marketplace.services import stored_deletion
from marketplace.services.backups import making, restoring
from marketplace.services.backups.layout import Folder
from tests import builders, databases
from tests.object_stores import make_bucket, s3_servers  # noqa: F401


def keys_of(folder: Folder, backup: str) -> dict[str, str]:
    """The digest of each object in the index of a backup, by its key."""
    with folder.store.open(folder.part(backup, "objects.jsonl.gz")) as stream:
        lines = [json.loads(line) for line in gzip.decompress(stream.read()).splitlines()]
    assert [line["key"] for line in lines] == sorted(line["key"] for line in lines)
    return {line["key"]: line["sha256"] for line in lines}


@pytest.fixture
def store(settings, tmp_path) -> str:
    settings.STORE_URL = (tmp_path / "the store").as_uri()
    return settings.STORE_URL


@pytest.mark.django_db(transaction=True)
class TestMaking:
    def test_a_bucket_is_backed_up_into_a_bucket_and_restored_into_a_folder(self, request, settings, tmp_path):
        servers, bucket = request.getfixturevalue("s3_servers"), request.getfixturevalue("make_bucket")
        settings.STORE_URL = f"{bucket(servers['moto'])}/waggle"
        account = builders.an_account(funds="12")
        uris = builders.tiny_images(3, account=account)
        folder = Folder(f"{settings.STORE_URL.rpartition('/')[0]}/backups/daily")
        first = making.make(folder)
        assert (first.manifest.objects, first.contents_written) == (3, 3)
        # One changes, one goes, one is new and has the content of another.
        content = storage.read(uris[2])
        storage.write(uris[0], b"something else")
        storage.delete(uris[1])
        storage.write(f"{settings.STORE_URL}/a name with spaces, ü and %.png", content)
        second = making.make(folder)
        assert (second.manifest.objects, second.contents_written) == (3, 1)
        assert folder.backups() == [first.id, second.id]
        assert "every digest is right" in self.said("backup", folder.uri, "--check")
        assert restoring.thin(folder, keep=1) == (1, 2)
        settings.STORE_URL = (tmp_path / "elsewhere").as_uri()
        with databases.copy_of("template0") as name, databases.as_default(name):
            assert "the ledger is whole" in self.said("restore", folder.uri)
            assert len(keys_of(folder, second.id)) == len(list(storage.list(settings.STORE_URL + "/"))) == 3
            there = storage.join(settings.STORE_URL, "a name with spaces, ü and %.png")
            assert storage.read(there) == content

    def said(self, *command: str) -> str:
        out = StringIO()
        call_command(*command, stdout=out)
        return out.getvalue()

    def test_what_is_damaged_is_named_and_not_restored(self, store, tmp_path):
        builders.tiny_images(2, account=builders.an_account())
        folder = Folder(str(tmp_path / "backups"))
        made = making.make(folder)
        keys = keys_of(folder, made.id)
        key, digest = next(iter(keys.items()))
        damaged = tmp_path / "backups" / "objects" / digest[:2] / digest
        whole = damaged.read_bytes()
        for content, reason in ((whole[:-1], "is damaged"), (whole[:-1] + b"!", "is damaged"), (None, "is missing")):
            damaged.unlink() if content is None else damaged.write_bytes(content)
            with pytest.raises(Invalid, match=reason) as found:
                restoring.check(folder, made.id)
            assert key in found.value.message
        damaged.write_bytes(whole)
        dump = tmp_path / "backups" / "backups" / made.id / "database.dump"
        dump.write_bytes(dump.read_bytes()[:-1])
        with databases.copy_of("template0") as name, databases.as_default(name):
            with pytest.raises(CommandError, match="database.dump: is damaged"):
                call_command("restore", folder.uri)

    def test_a_store_with_objects_of_another_is_not_restored_into(self, store, tmp_path, settings):
        builders.tiny_images(1, account=builders.an_account())
        folder = Folder(str(tmp_path / "backups"))
        made = making.make(folder)
        settings.STORE_URL = (tmp_path / "another").as_uri()
        storage.write(f"{settings.STORE_URL}/mine.txt", b"mine")
        with databases.copy_of("template0") as name, databases.as_default(name):
            with pytest.raises(InUse, match="is not empty, it has mine.txt"):
                restoring.restore(folder, made.id)
        assert [storage.read(item.uri) for item in storage.list(settings.STORE_URL)] == [b"mine"]

    def test_an_interrupted_backup_is_none(self, store, tmp_path):
        folder = Folder(str(tmp_path / "backups"))
        made = making.make(folder)
        (Path(tmp_path) / "backups" / "backups" / made.id / "manifest.json").unlink()
        assert folder.backups() == []
        with pytest.raises(CommandError, match="has no complete backup; there is none"):
            call_command("restore", folder.uri)

    def test_one_of_a_newer_version_is_refused(self, store, tmp_path):
        folder = Folder(str(tmp_path / "backups"))
        made = making.make(folder)
        path = Path(tmp_path) / "backups" / "backups" / made.id / "manifest.json"
        content = json.loads(path.read_text())
        content["migrations"]["marketplace"].append("9999_of_the_future")
        path.write_text(json.dumps(content))
        with pytest.raises(CommandError, match="does not know marketplace.9999_of_the_future"):
            call_command("restore", folder.uri)

    def test_folders_that_lie_in_one_another_and_failing_programs_are_refused(self, store, tmp_path):
        for place in (f"{store}/backups", store.rpartition("/")[0]):
            with pytest.raises(CommandError, match="neither may lie in the other"):
                call_command("backup", place)
        (tmp_path / "pg_dump").write_text("#!/bin/sh\necho broken here >&2; exit 3")
        (tmp_path / "pg_dump").chmod(0o700)
        apart = tmp_path / "backups"
        with pytest.raises(CommandError, match="pg_dump failed: broken here"):
            call_command("backup", str(apart), "--programs", str(tmp_path))
        assert Folder(str(apart)).backups() == []

    def test_deletions_wait_while_a_backup_is_made(self, store):
        (uri,) = builders.tiny_images(1, account=builders.an_account())
        OrmQ.objects.all().delete()
        with locks.only_one(stored_deletion.LOCK) as mine:
            assert mine
            stored_deletion.delete([uri])
            assert storage.exists(uri)
        (message,) = OrmQ.objects.all()
        assert (message.task["func"], message.task["args"]) == (
            stored_deletion.DELETE,
            (addresses.relative(uri),),
        )
        stored_deletion.delete_kept(addresses.relative(uri))
        assert not storage.exists(uri)
