"""Channels of every format become the same manifest, copied or streamed; what is wrong is named by file and place."""

import json
from pathlib import Path

import pytest
from django.test import Client

from learning.contract import TRAIN, VALIDATION, BadInput, JobFolder
from learning.models import TrainingJob
from learning.services import training
from learning.services.programs import kinds
from learning.vision.fetcher import Places
from learning.vision.manifests import read_labels, resolve_class_map
from learning.vision.remote import RemoteReader
from marketplace import storage
from marketplace.errors import Forbidden, Invalid
from marketplace.services import boundaries
from tests import builders
from tests.frontend import hostile
from tests.labeling import label_files
from tests.labeling.formats.test_packed_images import ANNOTATION
from tests.learning.packed_records import MAGIC, boxes, packed, record
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (100, 50)


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def here(account):
    """A folder of the account in the installation's own store."""
    return storage.join(boundaries.base_of(account), "uploads", "channels")


def a_run(account, channels, **hyperparameters) -> TrainingJob:
    return training.train_on_channels(account=account, channels=channels, hyperparameters=hyperparameters, by="user:1")


def staged(run: TrainingJob, root: Path) -> JobFolder:
    folder = JobFolder(root)
    kinds.of(run).stage(run, folder)
    return folder


def learned(run: TrainingJob, root: Path, channel: str = TRAIN) -> list[tuple[str, list, tuple[int, ...], bool]]:
    """(file name, boxes, class ids, whether the file is there) of every image as the program reads it."""
    folder = staged(run, root)
    found = read_labels(folder.manifest(channel), run.hyperparameters["label_attribute_name"])
    return [(item.path.name, item.boxes.round(3).tolist(), item.class_ids, item.path.is_file()) for item in found.items]


def files(base: str, members: dict[str, bytes | str]) -> str:
    """Write files into a folder of the store; returns its address, with a slash at its end."""
    for name, data in members.items():
        storage.write(f"{base}/{name}", data.encode() if isinstance(data, str) else data)
    return f"{base}/"


def a_rec(*labels: list[float], images: list[bytes] | None = None) -> bytes:
    images = images or [label_files.picture(SIZE) for _ in labels]
    return b"".join(record(packed(some, image)) for some, image in zip(labels, images, strict=True))


# --- RecordIO --------------------------------------------------------------------------------------------------------


def test_recordio_is_unpacked(account, here, tmp_path):
    data = a_rec(boxes((1, 0.1, 0.2, 0.5, 0.6)), boxes(), boxes((0, 0, 0, 1, 1), (1, 0.5, 0.5, 1, 1)))
    storage.write(f"{here}/train.rec", data)
    run = a_run(account, {"train": {"uri": f"{here}/train.rec", "content_type": "application/x-recordio"}})
    found = learned(run, tmp_path)
    assert [(box, ids, there) for _, box, ids, there in found] == [
        ([[10, 10, 50, 30]], (1,), True),
        ([], (), True),
        ([[0, 0, 100, 50], [50, 25, 100, 50]], (0, 1), True),
    ]
    assert run.hyperparameters["label_attribute_name"] == "labels" and run.name.startswith("train")


def test_recordio_on_s3_is_streamed_record_by_record(account, tmp_path, s3_servers, make_bucket):  # noqa: F811
    bucket = make_bucket(s3_servers["rclone"])
    # One with the magic number at a word's place, which is packed in parts.
    pictures = [label_files.picture(SIZE), label_files.picture(SIZE) + b"\0" * 3]
    pictures[1] += b"\0" * (-(24 + 4 * 7 + len(pictures[1])) % 4) + MAGIC + b"tail"
    parts = [a_rec(boxes((0, 0.1, 0.2, 0.5, 0.6)), images=[one]) for one in pictures]
    files(f"{bucket}/set", {"a.rec": parts[0], "b.rec": parts[1], "b.idx": b"0\t0\n"})
    content = {"content_type": "application/x-recordio", "input_mode": "Pipe"}
    run = a_run(account, {"train": {"uri": f"{bucket}/set/", **content}})
    found = learned(run, tmp_path)
    assert [box for _, box, _, _ in found] == [[[10, 10, 50, 30]]] * 2
    assert not any(there for *_, there in found), "nothing is copied"
    assert [read_streamed(JobFolder(tmp_path), name) for name, *_ in found] == pictures


def read_streamed(folder: JobFolder, name: str) -> bytes:
    """The bytes that the program reads for a name."""
    from learning.vision.fetcher import Fetcher, Shelf

    reader = RemoteReader(connections=2, max_bytes=1 << 20, expires=float("inf"))
    shelf = Shelf(folder.stream_cache, 0)
    return Fetcher(Places([folder.addresses(TRAIN)]), reader, shelf).get(name, keep=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04", r"train channel, train.rec, record 1: does not begin with the magic number|the file ends"),
        (a_rec(boxes((0, 0, 0, 1, 1)), [2.0, 5.0, 1.0]), "train channel, train.rec, record 2: has 1 numbers after its"),
        (a_rec(boxes((0, 10, 10, 60, 40))), r"record 1: box 1: its sides are shares .* found 10, 10, 60, 40"),
        (b"", "train channel: there is nothing to learn from at"),
    ],
)
def test_what_is_wrong_in_recordio_is_named(account, here, tmp_path, data, message):
    storage.write(f"{here}/train.rec", data)
    run = a_run(account, {"train": {"uri": f"{here}/train.rec", "content_type": "application/x-recordio"}})
    with pytest.raises(BadInput, match=message):
        staged(run, tmp_path)
    assert not JobFolder(tmp_path).manifest(TRAIN).exists()


def test_a_manifest_that_aws_calls_recordio_is_read_whatever_the_order_of_its_names(account, here, tmp_path):
    image = files(here, {"a.png": label_files.picture(SIZE)}) + "a.png"
    label = {"annotations": [{"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}], "image_size": []}
    storage.write(f"{here}/out.manifest", json.dumps({"bees": label, "source-ref": image}).encode())
    for names in (["source-ref", "bees"], ["bees", "source-ref"]):
        content = {"content_type": "application/x-recordio", "attribute_names": names}
        run = a_run(account, {"train": {"uri": f"{here}/out.manifest", **content}})
        assert learned(run, tmp_path / names[0])[0][1:3] == ([[1, 2, 4, 6]], (0,))


# --- lists and the image format --------------------------------------------------------------------------------------


def test_a_list_names_images_beside_it_or_in_another_folder(account, here, tmp_path):
    line = "0\t2\t5\t1\t0.1\t0.2\t0.5\t0.6\timg/a.png\n1\t2\t5\timg/gone.png\n"
    files(here, {"train.lst": line, "img/a.png": label_files.picture(SIZE), "val.lst": line.replace("img/", "")})
    channels = {
        "train": {"uri": f"{here}/train.lst", "content_type": "application/x-image"},
        "validation": {"uri": f"{here}/val.lst", "content_type": "image/png", "images_uri": f"{here}/img"},
    }
    run = a_run(account, channels)
    wanted = [([[10, 10, 50, 30]], (1,), True), ([], (), False)]
    assert [rest for _, *rest in map(list, learned(run, tmp_path))] == [list(one) for one in wanted]
    assert [tuple(rest) for _, *rest in learned(run, tmp_path, VALIDATION)] == wanted
    storage.write(f"{here}/train.lst", b"0\t2\t5\t0\t0\t0\t1\t1\ta.png\n1\t2\t5\t../../secret.png\n")
    with pytest.raises(BadInput, match="train channel, train.lst, line 2: .*secret"):
        staged(run, tmp_path / "bad")


def test_the_image_format_has_one_json_file_for_each_image(account, here, tmp_path):
    second = ANNOTATION | {"file": "b.jpg", "annotations": []}
    files(f"{here}/train", {"a.jpg": label_files.picture(), "b.jpg": label_files.picture(), "more.jpg": b"unlabeled"})
    files(f"{here}/json", {"a.json": json.dumps(ANNOTATION), "b.json": json.dumps(second), "notes.txt": "x"})
    channels = {
        "train": {"uri": f"{here}/train/", "content_type": "image/jpeg"},
        "train_annotation": {"uri": f"{here}/json/"},
    }
    run = a_run(account, channels)
    found = learned(run, tmp_path)
    assert [tuple(rest) for _, *rest in found] == [([[111, 134, 172, 262]], (1,), True), ([], (), True)]
    labels = read_labels(JobFolder(tmp_path).manifest(TRAIN), "labels")
    assert resolve_class_map({}, 0, {TRAIN: labels}) == {"0": "dog", "1": "cat"}
    files(f"{here}/json", {"b.json": json.dumps(second | {"image_size": None})})
    with pytest.raises(BadInput, match="train_annotation channel, b.json: 'image_size' must be a list"):
        staged(run, tmp_path / "bad")


# --- the formats of imports ------------------------------------------------------------------------------------------

VOC = """<annotation><filename>a.jpg</filename><size><width>100</width><height>50</height><depth>3</depth></size>
<object><name>bee</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object>
</annotation>"""
SETS: dict[str, dict[str, bytes | str]] = {
    "coco": {"labels.json": label_files.coco(label_files.BEE), "images/a.jpg": b""},
    "voc": {"Annotations/a.xml": VOC, "JPEGImages/a.jpg": b""},
    "yolo": {"labels/a.txt": "0 0.2 0.4 0.2 0.4", "data.yaml": "names: [bee]", "images/a.jpg": b""},
}


def filled(members):
    return {name: data or label_files.picture(SIZE, form="JPEG") for name, data in members.items()}


@pytest.mark.parametrize("form", SETS)
@pytest.mark.parametrize("way", ["zip", "folder"])
def test_import_formats_are_read_from_a_zip_and_from_a_folder(account, here, tmp_path, form, way):
    members = filled(SETS[form])
    uri = files(f"{here}/{form}", members)
    if way == "zip":
        uri = f"{here}/{form}.zip"
        storage.write(uri, label_files.zipped(members))
    run = a_run(account, {"train": {"uri": uri, "content_type": form if way == "folder" else "application/zip"}})
    ((_, box, ids, there),) = learned(run, tmp_path)
    assert (box, ids, there) == ([[10, 10, 30, 30]], (0,), True)
    labels = read_labels(JobFolder(tmp_path).manifest(TRAIN), "labels")
    assert resolve_class_map({}, 0, {TRAIN: labels}) == {"0": "bee"}


def test_classes_have_the_same_numbers_in_all_channels_and_what_is_left_out_is_said(account, here, tmp_path):
    wasp = VOC.replace("bee", "wasp")
    flat = VOC.replace("</annotation>", VOC[VOC.index("<object>") :].replace("<xmax>30", "<xmax>10"))
    files(f"{here}/a", filled({"a.xml": flat, "a.jpg": b"", "b.xml": VOC.replace("a.jpg", "gone.jpg")}))
    both = wasp.replace("</annotation>", VOC[VOC.index("<object>") :])
    files(f"{here}/b", filled({"a.xml": both, "a.jpg": b""}))
    channels = {
        "train": {"uri": f"{here}/a/", "content_type": "voc"},
        "validation": {"uri": f"{here}/b/", "content_type": "voc"},
    }
    run = a_run(account, channels)
    assert learned(run, tmp_path)[0][2] == (0,)
    assert learned(run, tmp_path, VALIDATION)[0][2] == (1, 0)
    notes = JobFolder(tmp_path).notes(TRAIN).read_text()
    assert "no area" in notes and "b.xml: there is no image for it: none has the name 'gone.jpg'" in notes
    given = a_run(account, channels, class_map={"4": "bee"})
    with pytest.raises(BadInput, match=r"validation channel, .*a.xml.*'wasp' is not one of the classes \(bee\)"):
        staged(given, tmp_path / "given")


def test_a_folder_on_s3_is_streamed(account, tmp_path, s3_servers, make_bucket):  # noqa: F811
    bucket = make_bucket(s3_servers["rclone"])
    members = filled(SETS["yolo"])
    run = a_run(
        account,
        {"train": {"uri": files(f"{bucket}/y", members), "content_type": "yolo", "input_mode": "FastFile"}},
    )
    ((name, box, _, there),) = learned(run, tmp_path)
    assert box == [[10, 10, 30, 30]] and not there
    assert read_streamed(JobFolder(tmp_path), name) == members["images/a.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip", "train channel, .*labels.zip: not a readable zip file"),
        (label_files.zipped({"a.json": label_files.coco()}), "there are no images beside the labels"),
        (label_files.zipped({"a.txt": "x"}), "holds no COCO"),
        (
            label_files.zipped({"l.json": label_files.coco_of("b.jpg"), "a.jpg": b"x"}),
            "not one image can be used: .*images.0.: there is no image for it: none has the name 'b.jpg'",
        ),
    ],
)
def test_what_is_wrong_with_a_label_archive_is_said(account, here, tmp_path, content, message):
    storage.write(f"{here}/labels.zip", content)
    run = a_run(account, {"train": {"uri": f"{here}/labels.zip", "content_type": "application/zip"}})
    with pytest.raises(BadInput, match=message):
        staged(run, tmp_path)


# --- streaming -------------------------------------------------------------------------------------------------------


def test_streamed_images_have_addresses_without_keys_that_are_made_anew_at_every_start(
    account,
    settings,
    tmp_path,
    s3_servers,  # noqa: F811
    make_bucket,  # noqa: F811
):
    bucket = make_bucket(s3_servers["rclone"])
    settings.S3_PRESIGN = False  # browsers may not reach the server; the program runs beside us
    settings.S3_PUBLIC_ENDPOINT_URL = "http://public.invalid"
    mine = files(f"{storage.join(settings.STORE_URL, account.number)}", {"local.png": b"local"}) + "local.png"
    files(bucket, {"a b/é.png": b"picture"})
    uris = [f"{bucket}/a b/é.png", mine, "s3://somebody-elses/c.png"]
    label = {"annotations": [], "image_size": []}
    lines = [json.dumps({"source-ref": uri, "labels": label}) for uri in uris]
    storage.write(f"{bucket}/train.manifest", "\n".join(lines).encode())
    run = a_run(
        account, {"train": {"uri": f"{bucket}/train.manifest", "input_mode": "Pipe"}}, label_attribute_name="labels"
    )
    folder = staged(run, tmp_path)
    manifest, first = folder.manifest(TRAIN).read_bytes(), folder.addresses(TRAIN).read_text()
    paths = [Path(json.loads(line)["source-ref"]) for line in manifest.splitlines()]
    assert [path.is_file() for path in paths] == [False, True, False], "a file of this machine is read where it is"
    assert paths[2].name.startswith("missing-")
    head, only = first.splitlines()
    assert "X-Amz-Signature" in only and settings.S3_SECRET_ACCESS_KEY not in first and "public.invalid" not in first
    assert read_streamed(folder, paths[0].name) == b"picture"

    settings.S3_INPUT_BUCKETS = frozenset()
    assert kinds.of(run).stage(run, folder) is None
    again = folder.addresses(TRAIN).read_text().splitlines()
    assert len(again) == 1 and json.loads(again[0])["expires"] > json.loads(head)["expires"]
    assert folder.manifest(TRAIN).read_bytes() == manifest, "what a resumed run sees stays"


# --- creating --------------------------------------------------------------------------------------------------------

REC = {"uri": "s3://bees/a.rec", "content_type": "application/x-recordio"}


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({}, "the channel 'train' is missing"),
        ({"train": REC, "test": REC}, r"channels \['test'\] are not known"),
        ({"train": {}}, "the channel 'train' has no manifest_uri, and no uri"),
        ({"train": REC | {"manifest_uri": "s3://bees/m"}}, "has both a manifest_uri and a uri"),
        ({"train": REC | {"shuffle": 1}}, r"the channel 'train' has \['shuffle'\]"),
        ({"train": REC | {"content_type": "text/csv"}}, "content_type 'text/csv' is not known; there are application/"),
        ({"train": REC, "validation": REC | {"input_mode": "pipe"}}, "'validation': input_mode 'pipe' is not known"),
        ({"train": {"uri": "s3://bees/a.zip", "content_type": "coco", "input_mode": "Pipe"}}, "an archive is not str"),
        ({"train": {"uri": "s3://bees/a/", "content_type": "image/png"}}, "the channel 'train_annotation' with one"),
        ({"train": REC, "train_annotation": {"uri": "s3://bees/j/"}}, "needs the channel 'train' with its images"),
        ({"train": REC | {"attribute_names": ["source-ref"]}}, "'source-ref' and one label attribute expected"),
        ({"train": REC | {"attribute_names": ["a", "b"]}}, "in any order"),
    ],
)
def test_channels_that_cannot_be_are_refused_when_the_training_is_created(account, channels, message):
    with pytest.raises(Invalid, match=message):
        a_run(account, channels)
    with pytest.raises(Forbidden):
        a_run(account, {"train": REC | {"uri": "s3://somebody-elses/a.rec"}})
    assert not TrainingJob.objects.exists()


def test_channels_are_given_over_rest(account, here):
    storage.write(f"{here}/train.rec", b"")
    client = Client()
    client.force_login(account.members.get())

    def post(**body):
        answer = client.post("/api/v1/training-jobs", body, content_type="application/json")
        return answer.status_code, answer.json()

    train = {"uri": f"{here}/train.rec", "content_type": "application/x-recordio", "input_mode": "Pipe"}
    status, made = post(channels={"train": train}, hyperparameters={"validation_share": "0.3"})
    assert status == 201, made
    assert TrainingJob.objects.get().channels == {"train": train}
    refused = [
        *(post(channels={"train": train | {"uri": uri}}) for uri in ("", "a", *hostile.ADDRESSES)),
        *(post(channels={"train": train | {member: "\0"}}) for member in train),
        post(channels={"train": train, "model": {"name": "\0"}}),
        post(channels=[]),
        post(),
        post(channels={"train": train}, dataset=1),
        post(channels={"train": train}, input_mode="Pipe"),
        post(channels={"train": train | {"content_type": "text/csv"}}),
        post(channels={"train": train | {"input_mode": 3}}),
        post(channels={"train": train | {"attribute_names": ["a"]}}),
        post(channels={"validation": train}),
    ]
    assert {status for status, _ in refused} <= {400, 403, 404}, refused
    assert [status for status, _ in refused[-8:]] == [400] * 8
    assert TrainingJob.objects.count() == 1
    dataset = label_files.an_import(account, label_files.zipped(filled(SETS["coco"]))).dataset
    status, made = post(dataset=dataset.pk, input_mode="FastFile")
    assert status == 201, made
    assert TrainingJob.objects.get(pk=made["id"]).channels["train"]["input_mode"] == "FastFile"
