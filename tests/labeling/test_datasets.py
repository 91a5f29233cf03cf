"""Data sets from folders, prefixes, zip files and manifests: selections, and refused files with their reasons."""

import io
import json
import struct
import zipfile

import pytest

from labeling.models import BadLine, Dataset
from labeling.services.intake import datasets, progress, rejected_lines, zips
from marketplace import storage
from marketplace.errors import Forbidden, InUse, Invalid, NotFound
from marketplace.services import boundaries
from tests import builders

pytestmark = pytest.mark.django_db


def refs(dataset):
    return [json.loads(line)["source-ref"] for line in storage.read(dataset.manifest_uri).splitlines()]


def folder_of(uri):
    return uri.rsplit("/", 1)[0]


def a_zip(account, members, *, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    uri = storage.join(boundaries.base_of(account), "uploads", "pictures.zip")
    storage.write(uri, buffer.getvalue())
    return uri


@pytest.fixture
def account():
    return builders.an_account()


class TestFolder:
    def test_every_image_in_it_becomes_a_line(self, account):
        uris = builders.tiny_images(5, account=account)
        dataset = builders.a_dataset(account=account, uri=folder_of(uris[0]))
        assert (dataset.status, dataset.objects_total, dataset.bad_lines) == ("Completed", 5, 0)
        assert refs(dataset) == uris
        assert dataset.manifest_uri.endswith(f"dataset-{dataset.created_at:%y%m%dT%H%M%S}.manifest")
        assert dataset.progress == 1

    def test_other_files_are_reported_and_the_images_are_used(self, account):
        uris = builders.tiny_images(2, account=account)
        folder = folder_of(uris[0])
        storage.write(storage.join(folder, "notes.txt"), b"hello")
        storage.write(storage.join(folder, "empty.png"), b"")
        storage.write(storage.join(folder, ".DS_Store"), b"x")
        dataset = builders.a_dataset(account=account, uri=folder)
        assert (dataset.objects_total, dataset.bad_lines) == (2, 2)
        reasons = {row.excerpt.rsplit("/", 1)[1]: row.reason for row in BadLine.objects.filter(dataset=dataset)}
        assert "is empty" in reasons["empty.png"]
        assert "not an image by its content" in reasons["notes.txt"]

    def test_an_empty_folder_fails_with_a_reason(self, account):
        storage.write(storage.join(boundaries.base_of(account), "uploads", "x", "notes.pdf"), b"hello")
        dataset = builders.a_dataset(account=account, uri=storage.join(boundaries.base_of(account), "uploads", "x"))
        assert dataset.status == "Failed"
        assert "holds no object that can be labeled (1 rejected; the first: notes.pdf" in dataset.failure_reason
        missing = builders.a_dataset(account=account, uri=storage.join(boundaries.base_of(account), "nowhere"))
        assert missing.status == "Failed"
        assert "nowhere" in missing.failure_reason

    def test_folders_of_other_accounts_are_refused(self, account, settings, tmp_path):
        uris = builders.tiny_images(1, account=builders.an_account())
        for uri in (folder_of(uris[0]), settings.STORE_URL, tmp_path.as_uri(), "file:///etc"):
            with pytest.raises(Forbidden) as refused:
                builders.a_dataset(account=account, uri=uri)
            assert refused.value.field == "uri"
        with pytest.raises(Invalid):
            builders.a_dataset(account=account, uri=boundaries.base_of(account) + "/../" + uris[0].rsplit("/", 3)[1])
        assert not Dataset.objects.exists()

    def test_a_folder_allowed_by_the_operator_may_be_read(self, account, settings, tmp_path):
        (tmp_path / "bees and more").mkdir()
        (tmp_path / "bees and more" / "ä 1.png").write_bytes(builders.image_bytes())
        settings.STORE_FILE_ROOTS = [tmp_path]
        dataset = builders.a_dataset(account=account, uri=tmp_path.as_uri())
        assert dataset.objects_total == 1
        assert storage.read(refs(dataset)[0]) == builders.image_bytes()


class TestZip:
    def test_images_are_unpacked_into_the_store(self, account):
        pictures = {f"train/{n}.png": builders.image_bytes(number=n) for n in range(3)}
        dataset = builders.a_dataset(account=account, kind="zip", uri=a_zip(account, pictures.items()))
        assert (dataset.status, dataset.objects_total) == ("Completed", 3)
        assert [storage.read(uri) for uri in refs(dataset)] == [*pictures.values()]

    def test_hostile_members_harm_nothing(self, account):
        good = builders.image_bytes()
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        members = [
            ("ok.png", good),
            ("../../climb.png", good),
            ("/absolute.png", good),
            ("C:\\windows.png", good),
            (link, b"/etc/passwd"),
            ("OK.png", good),
            ("program.exe", b"MZ"),
            ("__MACOSX/ok.png", good),
        ]
        dataset = builders.a_dataset(account=account, kind="zip", uri=a_zip(account, members))
        assert (dataset.objects_total, dataset.bad_lines) == (5, 2)
        reasons = dict(BadLine.objects.filter(dataset=dataset).values_list("number", "reason"))
        assert reasons[5] == "is a link or a special file"
        assert "not an image" in reasons[7]
        # Names lead nowhere: every member is below the data set's own folder, under a key of ours.
        base = storage.join(boundaries.base_of(account), "datasets", str(dataset.pk), "images")
        keys = [f"{number:07d}.png" for number in (1, 2, 3, 4, 6)]
        assert refs(dataset) == [storage.join(base, key) for key in keys]
        assert [item.uri for item in storage.list(base + "/")] == refs(dataset)

    def test_a_zip_bomb_is_refused_whatever_its_header_says(self, account, settings, monkeypatch):
        monkeypatch.setattr(zips, "FREE_BYTES", 1_000_000)
        members = [(f"{n}.png", bytes(400_000)) for n in range(10)]
        dataset = builders.a_dataset(account=account, kind="zip", uri=a_zip(account, members))
        assert dataset.status == "Failed"
        assert "rejected as a zip bomb" in dataset.failure_reason

    def test_a_member_larger_than_it_says_is_refused(self, account, settings):
        settings.IMAGE_MAX_BYTES = 10_000
        uri = a_zip(account, [("0.png", bytes(50_000)), ("1.png", builders.image_bytes())])
        data = bytearray(storage.read(uri))
        # Both headers of the first member state a size of 100 bytes.
        for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            start = data.index(signature)
            data[start + place : start + place + 4] = struct.pack("<I", 100)
        storage.write(uri, bytes(data))
        dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
        assert (dataset.objects_total, dataset.bad_lines) == (1, 1)

    def test_a_file_that_is_not_a_zip_fails_with_a_reason(self, account):
        uri = storage.join(boundaries.base_of(account), "uploads", "x.zip")
        storage.write(uri, b"not a zip")
        dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
        assert dataset.status == "Failed"
        assert "not a zip archive" in dataset.failure_reason

    def test_unpacking_a_large_archive_continues_where_it_was(self, account, monkeypatch):
        uri = a_zip(account, [(f"{n}.png", builders.image_bytes(number=n)) for n in range(4)])
        monkeypatch.setattr(zips, "SLICE_SECONDS", -1)
        dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
        assert dataset.status == "InProgress"
        monkeypatch.setattr(zips, "SLICE_SECONDS", 60)
        datasets.advance_dataset(dataset.pk)
        dataset.refresh_from_db()
        assert (dataset.status, dataset.objects_total) == ("Completed", 4)


class TestManifest:
    def test_bad_lines_are_reported_with_their_numbers_and_the_others_are_used(self, account):
        uris = builders.tiny_images(2, account=account)
        other = builders.tiny_images(1, account=builders.an_account())[0]
        lines = [
            {"source-ref": uris[0], "a": 1},
            b"{oops",
            {"no": "source"},
            {"source-ref": uris[1]},
            {"source-ref": other},
        ]
        dataset = builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines))
        assert (dataset.objects_total, dataset.bad_lines, dataset.lines_read) == (2, 3, 5)
        reasons = dict(BadLine.objects.filter(dataset=dataset).values_list("number", "reason"))
        assert "not valid JSON" in reasons[2]
        assert "is missing" in reasons[3]
        assert "belongs to another account" in reasons[5]
        assert json.loads(storage.read(dataset.manifest_uri).splitlines()[0]) == {"source-ref": uris[0], "a": 1}

    def test_all_bad_lines_are_counted_and_only_the_first_are_stored(self, account):
        lines = [{"source-ref": "s3://b/1.png"}, *[b"x"] * (rejected_lines.MOST_KEPT + 50)]
        dataset = builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines))
        assert dataset.bad_lines == rejected_lines.MOST_KEPT + 50
        assert BadLine.objects.filter(dataset=dataset).count() == rejected_lines.MOST_KEPT

    def test_a_random_selection_has_the_exact_size_and_is_reproducible(self, account):
        uri = builders.a_manifest(account, [{"source-ref": f"s3://b/{n}.png"} for n in range(200)])
        selection = {"kind": "random", "percent": 10, "seed": 3}
        one, two = (builders.a_dataset(account=account, kind="manifest", uri=uri, selection=selection) for _ in "ab")
        assert one.objects_total == 20
        assert refs(one) == refs(two)

    def test_a_random_selection_leaves_out_what_the_account_may_not_read(self, account):
        theirs = builders.tiny_images(1, account=builders.an_account())[0]
        lines = [{"source-ref": f"s3://b/{n}.png"} for n in range(40)] + [{"source-ref": theirs}] * 160
        uri = builders.a_manifest(account, lines)
        selection = {"kind": "random", "percent": 25, "seed": 3}
        dataset = builders.a_dataset(account=account, kind="manifest", uri=uri, selection=selection)
        assert (dataset.objects_total, dataset.bad_lines, dataset.lines_read) == (10, 160, 200)

    def test_a_condition_selects_lines(self, account):
        uri = builders.a_manifest(account, [{"source-ref": f"s3://b/{n}.png", "score": n} for n in range(10)])
        selection = {"kind": "filter", "where": "score >= 7"}
        dataset = builders.a_dataset(account=account, kind="manifest", uri=uri, selection=selection)
        assert refs(dataset) == [f"s3://b/{n}.png" for n in (7, 8, 9)]
        last = builders.a_dataset(
            account=account, kind="manifest", uri=uri, selection={"kind": "filter", "where": "score < 3"}
        )
        assert (last.objects_total, last.lines_read) == (3, 10)

    def test_a_preview_has_the_count_and_the_first_lines(self, account):
        uri = builders.a_manifest(account, [{"source-ref": "s3://b/1.png"}, b"x", {"source-ref": "s3://b/2.png"}])
        seen = datasets.preview_manifest(account=account, uri=uri, most=1)
        assert (seen["objects_total"], seen["bad_lines"]) == (2, 1)
        assert seen["lines"] == [{"source-ref": "s3://b/1.png"}]
        assert seen["refused"][0]["number"] == 2


class TestRequests:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"kind": "ftp"}, "kind"),
            ({"uri": ""}, "uri"),
            ({"uri": "ftp://x/y"}, "uri"),
            ({"selection": {"kind": "random", "percent": 0}}, "percent"),
            ({"selection": {"kind": "filter", "where": "a >"}}, "where"),
            ({"selection": {"kind": "some"}}, "selection"),
        ],
    )
    def test_an_error_names_its_field(self, account, change, field):
        source = {"kind": "prefix", "uri": "s3://b/x"} | change
        with pytest.raises(Invalid) as refused:
            datasets.create_dataset(account=account, name="bees", source=source, by="system")
        assert refused.value.field == field

    def test_names_are_unique_in_an_account(self, account):
        source = {"kind": "prefix", "uri": "s3://b/x"}
        datasets.create_dataset(account=account, name="bees", source=source, by="system")
        datasets.create_dataset(account=builders.an_account(), name="bees", source=source, by="system")
        with pytest.raises(InUse):
            datasets.create_dataset(account=account, name="bees", source=source, by="system")

    def test_a_stopped_data_set_has_no_lines_and_can_be_stopped_again(self, account):
        uris = builders.tiny_images(2, account=account)
        dataset = builders.a_dataset(account=account, uri=folder_of(uris[0]), made=False)
        datasets.stop_dataset(dataset=dataset, by="system")
        datasets.stop_dataset(dataset=dataset, by="system")
        datasets.advance_dataset(dataset.pk)
        dataset.refresh_from_db()
        assert (dataset.status, dataset.manifest_uri) == ("Stopped", "")

    def test_a_stop_while_it_is_processed_takes_effect(self, account, monkeypatch):
        uris = builders.tiny_images(3, account=account)
        dataset = builders.a_dataset(account=account, uri=folder_of(uris[0]), made=False)
        monkeypatch.setattr(progress, "REPORT_SECONDS", 0)
        listed = storage.list

        def stopping(uri):
            yield from listed(uri)
            datasets.stop_dataset(dataset=Dataset.objects.get(pk=dataset.pk), by="system")

        monkeypatch.setattr(storage, "list", stopping)
        datasets.advance_dataset(dataset.pk)
        dataset.refresh_from_db()
        assert dataset.status == "Stopped"
        with pytest.raises(NotFound):
            storage.size(storage.join(boundaries.base_of(account), "datasets", str(dataset.pk), "x.manifest"))
