"""Job folders are filled from files and from S3, whatever is wrong with single images, and the same when done twice."""

import json
from pathlib import Path

import pytest

from learning.contract import JobFolder
from learning.hyperparameters import parse_train
from learning.models import TrainingJob
from learning.services import training
from learning.services.programs import kinds
from marketplace import storage
from marketplace.errors import NotFound
from marketplace.models import Account
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return Account.objects.create(name="Bees & Co", number="123456789012")


def a_training(account, uri, **hyperparameters) -> TrainingJob:
    return training.create_training(
        account=account,
        name="bees",
        hyperparameters={"label_attribute_name": "bees"} | hyperparameters,
        channels={"train": {"manifest_uri": uri}},
        by="user:1",
    )


def staged_lines(folder):
    return [json.loads(line) for line in folder.manifest("train").read_text().splitlines()]


def test_files_are_used_where_they_lie_and_nobody_elses_are_used_at_all(account, settings, tmp_path):
    mine = storage.join(settings.STORE_URL, account.number, "pictures", "a b.png")
    theirs = storage.join(settings.STORE_URL, "999999999999", "pictures", "secret.png")
    storage.write(mine, b"a")
    storage.write(theirs, b"s")
    uri = storage.join(settings.STORE_URL, account.number, "train.manifest")
    lines = [
        json.dumps({"source-ref": mine, "bees": {"annotations": []}, "note": "é"}),
        json.dumps({"source-ref": theirs}),
        json.dumps({"source-ref": "file:///etc/passwd"}),
        "not json",
    ]
    storage.write(uri, "\r\n".join(lines).encode())
    folder = JobFolder(tmp_path / "job")
    run = a_training(account, uri, class_map={"0": "bee"}, early_stopping=True)
    kinds.of(run).stage(run, folder)
    kinds.of(run).stage(run, folder)
    raw = folder.manifest("train").read_text().splitlines()
    first, second, third = (json.loads(line) for line in raw[:3])
    assert first == {"source-ref": str(storage.local_path(mine)), "bees": {"annotations": []}, "note": "é"}
    for line in (second, third):
        assert "missing-" in line["source-ref"]
    assert raw[3].strip() == "not json", "the program names the line; it is not silently dropped"
    assert folder.read_hyperparameters() == {
        "label_attribute_name": "bees",
        "class_map": '{"0": "bee"}',
        "early_stopping": "true",
        "image_max_bytes": str(settings.IMAGE_MAX_BYTES),
        "image_max_pixels": str(settings.IMAGE_MAX_PIXELS),
    }
    assert folder.read_channels()["train"]["manifest_uri"] == uri


def test_images_on_s3_are_fetched_once(account, tmp_path, s3_servers, make_bucket):  # noqa: F811
    bucket = make_bucket(s3_servers["moto"])
    storage.write(f"{bucket}/a.png", b"picture")
    storage.write(
        f"{bucket}/train.manifest", f'{{"source-ref": "{bucket}/a.png"}}\n{{"source-ref": "{bucket}/b.png"}}'.encode()
    )
    folder = JobFolder(tmp_path / "job")
    run = a_training(account, f"{bucket}/train.manifest")
    kinds.of(run).stage(run, folder)
    there, absent = (Path(line["source-ref"]) for line in staged_lines(folder))
    assert there.read_bytes() == b"picture"
    assert not absent.exists()
    storage.delete(f"{bucket}/a.png")
    kinds.of(run).stage(run, folder)
    assert there.read_bytes() == b"picture"


def test_a_store_that_is_away_is_no_missing_image(account, settings, tmp_path, s3_servers, make_bucket):  # noqa: F811
    bucket = make_bucket(s3_servers["moto"])
    uri = storage.join(settings.STORE_URL, account.number, "train.manifest")
    storage.write(uri, f'{{"source-ref": "{bucket}/a.png"}}\n'.encode())
    run = a_training(account, uri)
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(storage.StoreUnavailable):
        kinds.of(run).stage(run, JobFolder(tmp_path / "job"))
    assert not JobFolder(tmp_path / "job").manifest("train").exists()


def test_a_manifest_that_is_gone_is_said_so(account, settings, tmp_path):
    uri = storage.join(settings.STORE_URL, account.number, "gone.manifest")
    with pytest.raises(NotFound, match="gone.manifest"):
        run = a_training(account, uri)
        kinds.of(run).stage(run, JobFolder(tmp_path / "job"))


def test_without_settings_the_limits_of_images_are_the_same(settings):
    """A program that is run by hand reads the same images as one that the portal starts."""
    asked = parse_train({"label_attribute_name": "bees"})
    assert (asked.image_max_bytes, asked.image_max_pixels) == (settings.IMAGE_MAX_BYTES, settings.IMAGE_MAX_PIXELS)
