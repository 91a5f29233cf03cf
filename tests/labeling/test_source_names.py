"""A name is not an identity: files keep theirs beside keys of ours, and none is refused for how it looks."""

import io
import json
import warnings
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from frontend import uploads
from labeling.models import BadLine, DataObject
from labeling.services.intake import loading, source_names
from labeling.services.jobs import creation, status
from labeling.services.output import export_files, exports
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db

ODD_NAMES = [
    "蜜蜂.jpg",
    "黄蜂.jpg",
    "street/a.jpg",
    "garden/a.jpg",
    "IMG_1.JPG",
    "img_1.jpg",
    "img_1.png",
    "新しい\u3000画像.jpg",
    "café\xa0noir.jpg",
    "👨\u200d🌾 farm.jpg",
    "a\xadb.jpg",
    "test_2016-01-27_15:07:47.png",
    "run 12:30/a.jpg",
    "../../climb.png",
    "/absolute.png",
    "C:/windows.png",
    "con.png",
    " ",
    "tab\there.jpg",
    "photo.jfif",
    "photo.jpe",
    "no ending",
    "3f0c9a8e-0001",
    "a.b/c",
    "picture.TIFF",
    "x" * 300 + ".jpg",
    "?query=1#part%41.png",
]
"""Names of images, each a different one; some of them cannot be file names on some systems."""


@pytest.fixture
def account():
    return stories.an_account()


def pictures(names: list[str]) -> list[tuple[str, bytes]]:
    """An image of its own for each name."""
    return [(name, builders.image_bytes(number=number)) for number, name in enumerate(names)]


def uploaded(account, files: list[tuple[str, bytes]]) -> str:
    """The URI of an upload's folder with these files."""
    _, root = uploads.folder_uri(account)
    sent = []
    for name, content in files:
        file = SimpleUploadedFile("file", content)
        file.given_name = name
        sent.append(file)
    uploads.store_files(root, sent)
    return root


def zipped(account, files: list[tuple[str, bytes]]) -> str:
    """The URI of a zip archive with these members."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    uri = storage.join(boundaries.base_of(account), "uploads", "pictures.zip")
    storage.write(uri, buffer.getvalue())
    return uri


def lines_of(dataset) -> list[tuple[str, bytes]]:
    """(name, content) of each object of a data set, in order."""
    lines = [json.loads(line) for line in storage.read(dataset.manifest_uri).splitlines()]
    return [(line.get("source-name", ""), storage.read(line["source-ref"])) for line in lines]


def reasons(dataset) -> list[str]:
    return [row.reason for row in BadLine.objects.filter(dataset=dataset).order_by("number")]


@pytest.mark.parametrize(("kind", "stored"), [("folder", uploaded), ("zip", zipped)])
def test_images_of_any_name_become_objects_with_their_names(account, kind, stored):
    files = pictures(ODD_NAMES)
    dataset = builders.a_dataset(account=account, kind=kind, uri=stored(account, files))
    assert (dataset.status, reasons(dataset)) == ("Completed", [])
    assert sorted(lines_of(dataset)) == sorted(files)
    for line in storage.read(dataset.manifest_uri).splitlines():
        uri = json.loads(line)["source-ref"]
        assert uri.startswith(boundaries.base_of(account) + "/")
        assert uri.isascii() and "%" not in uri.removeprefix(boundaries.base_of(account))


def test_the_objects_of_an_upload_are_in_the_order_of_their_names(account):
    files = pictures([f"{number:03}.png" for number in range(20)])
    dataset = builders.a_dataset(account=account, uri=uploaded(account, files[::-1]))
    assert lines_of(dataset) == files


def test_files_of_one_name_in_one_request_stay_several_files(account):
    content = builders.image_bytes()
    files = [("a.png", content), ("a.png", builders.image_bytes(number=5)), ("a.png", content)]
    dataset = builders.a_dataset(account=account, uri=uploaded(account, files))
    assert sorted(lines_of(dataset)) == sorted(files)


def test_a_request_that_is_sent_again_stores_nothing_twice(account):
    folder, root = uploads.folder_uri(account)
    for _ in range(2):
        sent = [SimpleUploadedFile(name, content) for name, content in pictures(["a.png", "b.png", "b.png"])]
        stored = uploads.store_files(root, sent)
    assert sorted(file.uri for file in stored) == uploads.files_in(account, folder)
    later = uploads.store_files(root, [SimpleUploadedFile("c.png", builders.image_bytes(number=9))])
    assert len(uploads.files_in(account, folder)) == 4
    dataset = builders.a_dataset(account=account, uri=root)
    assert [name for name, _ in lines_of(dataset)] == ["a.png", "b.png", "b.png", "c.png"]
    assert storage.size(later[0].uri) == later[0].size


@pytest.mark.parametrize("name", ["", "\x00", "a\x00b.png", "\ud800.png", "n" * 5000])
def test_a_name_that_no_store_can_hold_is_made_storable(account, name):
    dataset = builders.a_dataset(account=account, uri=uploaded(account, [(name, builders.image_bytes())]))
    ((kept, _),) = lines_of(dataset)
    assert kept and len(kept) <= source_names.NAME_LENGTH and "\x00" not in kept


@pytest.mark.parametrize(("kind", "stored"), [("folder", uploaded), ("zip", zipped)])
def test_what_is_no_image_is_refused_by_its_content(account, kind, stored):
    files = [
        ("a.png", builders.image_bytes()),
        ("notes.txt", b"hello"),
        ("program", b"MZ and so on"),
        ("empty.png", b""),
        (".DS_Store", b"x"),
        ("folder/Thumbs.db", b"x"),
        ("__MACOSX/a.png", b"x"),
    ]
    dataset = builders.a_dataset(account=account, kind=kind, uri=stored(account, files))
    assert (dataset.objects_total, dataset.bad_lines) == (1, 3)
    found = " ".join(reasons(dataset))
    assert found.count("is not an image by its content (JPEG, PNG, WEBP, BMP, GIF)") == 2
    assert found.count("is empty") == 1


def test_members_with_backslashes_are_in_folders(account):
    files = pictures(["street\\a.png", "street\\b.png"])
    uri = zipped(account, [("street\\", b""), *files])
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
    assert [name for name, _ in lines_of(dataset)] == ["street/a.png", "street/b.png"]
    assert not reasons(dataset)


def test_names_in_utf_8_that_the_archive_does_not_announce_are_read(account):
    uri = zipped(account, pictures(["蜂.png"]))
    data = bytearray(storage.read(uri))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.index(signature)
        data[start + place : start + place + 2] = b"\x00\x00"
    storage.write(uri, bytes(data))
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
    assert [name for name, _ in lines_of(dataset)] == ["蜂.png"]


def test_an_unknown_method_of_packing_is_named_with_the_way_out(account):
    uri = zipped(account, pictures(["a.png", "b.png"]))
    data = bytearray(storage.read(uri))
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = data.index(signature)
        data[start + place : start + place + 2] = b"\x09\x00"
    storage.write(uri, bytes(data))
    dataset = builders.a_dataset(account=account, kind="zip", uri=uri)
    assert dataset.objects_total == 1
    assert reasons(dataset) == [
        "is packed with Deflate64, as Windows does above 2 GB, which cannot be unpacked: "
        "pack the archive again with the method Deflate"
    ]


def test_files_of_a_store_without_a_usual_ending_are_judged_by_their_first_bytes(account, settings, tmp_path):
    (tmp_path / "3f0c9a8e-0001").write_bytes(builders.image_bytes())
    (tmp_path / "photo.jfif").write_bytes(builders.image_bytes(form="JPEG"))
    (tmp_path / "notes").write_bytes(b"hello")
    settings.STORE_FILE_ROOTS = [tmp_path]
    dataset = builders.a_dataset(account=account, kind="prefix", uri=tmp_path.as_uri() + "/")
    assert (dataset.objects_total, dataset.bad_lines) == (2, 1)
    assert {name for name, _ in lines_of(dataset)} == {""}


def test_a_file_that_only_looks_like_names_gives_none(account):
    """Only an upload writes names, beside its own files; whatever else lies there is not read."""
    root = uploaded(account, pictures(["a.png"]))
    odd = storage.join(root, ".names-x", "manifest")
    storage.write(odd, b"{}\nno JSON")
    storage.write(storage.join(root, ".names-" + "0" * 31 + ".jsonl"), b"no JSON")
    dataset = builders.a_dataset(account=account, uri=root)
    assert [name for name, _ in lines_of(dataset)] == ["a.png"]


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_exports_name_the_files_as_they_were_uploaded(account, kind):
    names = ["a.png", "street/b.png", "street/c.d.png", "a.png"]
    dataset = builders.a_dataset(account=account, kind="zip", uri=zipped(account, pictures(names)))
    team = builders.a_team(account=account, workers=0)
    job = creation.create_job(**stories.a_design(account, team, dataset=dataset, input_manifest_uri=""))
    loading.load_objects(job)
    with transaction.atomic():
        status.move(job, "InProgress", by="system")
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    assert [row.source_name for row in rows] == names
    assert [row.file_name for row in rows] == ["a.png", "b.png", "c.d.png", "a.png"]
    DataObject.objects.filter(job=job).update(width=48, height=32)
    labels.record_labels(
        job=job,
        rows=[ExternalLabel(row.pk, [], 0.9) for row in rows],
        source="machine",
        model_name="model-1",
        algorithm="test",
        by="system",
    )
    export = exports.create_export(job=job, kind=kind, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    if kind == "coco":
        found = json.loads(archive.read(export_files.COCO_MEMBER))["images"]
        written = [image["file_name"] for image in found]
        assert [image["coco_url"] for image in found] == [row.source_ref for row in rows]
    else:
        index = [json.loads(line) for line in archive.read("images.jsonl").splitlines()]
        folder = {"voc": "JPEGImages/", "yolo": "images/train/"}[kind]
        written = [entry["file"].removeprefix(folder) for entry in index]
        labels_in, ending = {"voc": ("Annotations/", "xml"), "yolo": ("labels/train/", "txt")}[kind]
        assert {f"{labels_in}street/b.{ending}", f"{labels_in}street/c.d.{ending}"} <= set(archive.namelist())
    assert written[:3] == names[:3]
    assert len(set(written)) == 4
