"""The real program on streamed images learns what it learns from copies, also when it is killed meanwhile."""

import json

import pytest

from learning.contract import EXIT_DONE, MODEL_FILES, TRAIN, VALIDATION, JobFolder, ModelConfig
from learning.services import training
from learning.services.programs import kinds
from marketplace import storage
from tests import builders
from tests.learning.vision import jobs
from tests.object_stores import make_bucket, s3_servers  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def story(tmp_path, s3_servers, make_bucket):  # noqa: F811
    """A bucket with a labeled manifest of twelve images, one of which is gone."""
    bucket = make_bucket(s3_servers["rclone"])
    folder = jobs.training_job(tmp_path / "made", images=12)
    lines = []
    for line in folder.manifest(TRAIN).read_text().splitlines():
        body = json.loads(line)
        path = body["source-ref"]
        body["source-ref"] = f"{bucket}/{path.rpartition('/')[2]}"
        if not path.endswith("/7.png"):
            with open(path, "rb") as stream:
                storage.write(body["source-ref"], stream)
        lines.append(json.dumps(body))
    storage.write(f"{bucket}/train.manifest", "\n".join(lines).encode())
    return bucket


def staged(account, bucket, root, mode, **hyperparameters):
    run = training.create_training(
        account=account,
        name=root.name,
        hyperparameters={"label_attribute_name": jobs.ATTRIBUTE, **jobs.QUICK, **hyperparameters},
        channels={"train": {"manifest_uri": f"{bucket}/train.manifest", "input_mode": mode}},
        by="user:1",
    )
    folder = JobFolder(root)
    kinds.of(run).stage(run, folder)
    return run, folder


def weights(folder: JobFolder) -> bytes:
    return (folder.model / "model.safetensors").read_bytes()


def test_a_streamed_training_that_was_killed_learns_what_one_from_copies_does(story, tmp_path):
    account = builders.an_account()
    # Batches without the image that is gone: copies leave it out before the first epoch, a stream when it meets it.
    given = {"validation_share": 0, "epochs": 5, "checkpoint_seconds": 0, "batch_size": 4}
    lines = [line for line in storage.read(f"{story}/train.manifest").splitlines() if b"/7.png" not in line]
    storage.write(f"{story}/train.manifest", b"\n".join(lines))
    _, copied = staged(account, story, tmp_path / "copied", "File", **given)
    status, _, log = jobs.finish("train", copied)
    assert status == EXIT_DONE, log
    run, streamed = staged(account, story, tmp_path / "streamed", "Pipe", **given)
    child = jobs.start("train", streamed)
    jobs.wait_until(lambda: any(streamed.checkpoints.glob("step-*[2-9]")), child)
    child.kill()
    child.communicate()
    kinds.of(run).stage(run, streamed)
    status, _, log = jobs.finish("train", streamed)
    assert status == EXIT_DONE, log
    assert "resumed at step" in log and "train: 11 images are streamed; 11 stay decoded in memory" in log
    assert not list((streamed.channel(TRAIN) / "images").iterdir())
    assert weights(streamed) == weights(copied)


def test_a_streamed_training_leaves_out_what_is_gone_and_divides_by_itself(story, tmp_path):
    _, folder = staged(builders.an_account(), story, tmp_path / "run", "FastFile", eval_every=1)
    assert not folder.manifest(VALIDATION).exists()
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    assert "no validation channel: 2 of 12 images (0.2, seed 0) are set aside" in log
    assert log.count("train channel, line 8: left out: there is no such object (HTTP 404)") == 1
    assert all((folder.model / name).exists() for name in MODEL_FILES)
    assert "mAP" in ModelConfig.read(folder.model).metrics
