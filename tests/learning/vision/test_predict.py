"""The prediction program as its supervisor sees it."""

import json
import signal

import pytest
from PIL import Image

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, TRAIN, JobFolder, Prediction, read_metrics, read_predictions
from learning.serving import shards
from learning.serving.archive import pack_model
from tests.learning.vision import jobs

LOW = {"score_threshold": 0.001, "max_detections": 20}


def predicted(folder: JobFolder) -> list[Prediction]:
    status, _, log = jobs.finish("predict", folder)
    assert status == EXIT_DONE, log
    return list(read_predictions(folder.predictions))


def test_predictions_are_in_the_order_of_the_manifest(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    manifest = model.manifest(TRAIN).read_text()
    broken = tmp_path / "broken.jpg"
    Image.new("RGB", (400, 300), "red").save(broken)
    broken.write_bytes(broken.read_bytes()[:900])
    manifest += json.dumps({"source-ref": broken.as_uri()}) + "\n"
    folder = jobs.prediction_job(tmp_path / "job", model.model, manifest, **LOW)

    found = predicted(folder)

    assert [line.index for line in found] == list(range(9))
    assert [line.object_id for line in found] == [*range(100, 108), None]
    assert found[0].image_size == {"width": 80, "height": 80, "depth": 3}
    for line in found[:8]:
        assert line.error is None and len(line.embedding) == 320
        assert 1 <= len(line.boxes) <= 20
        assert [box.score for box in line.boxes] == sorted((box.score for box in line.boxes), reverse=True)
    assert {box.class_id for line in found for box in line.boxes} <= {0, 3}
    assert all(b.left >= 0 and b.left + b.width <= 80.01 and b.width >= 0 for line in found for b in line.boxes)
    assert found[8].boxes == [] and "the image is damaged" in (found[8].error or "")
    names = {metric.name: metric.value for metric in read_metrics(folder.metrics)[0]}
    assert names["predict:progress"] == 1


def test_torch_and_serving_predict_the_same(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    manifest = model.manifest(TRAIN).read_text()
    folders = {
        backend: jobs.prediction_job(tmp_path / backend, model.model, manifest, backend=backend, **LOW)
        for backend in ("torch", "openvino", "onnxruntime")
    }
    found = {backend: predicted(folder) for backend, folder in folders.items()}
    for backend in ("openvino", "onnxruntime"):
        for ours, theirs in zip(found[backend], found["torch"], strict=True):
            assert ours.embedding == pytest.approx(theirs.embedding, abs=1e-3)
            best, reference = ours.boxes[0], theirs.boxes[0]
            assert best.score == pytest.approx(reference.score, abs=1e-4)
            scores = [box.score for box in ours.boxes]
            assert scores == pytest.approx([box.score for box in theirs.boxes], abs=1e-4)


def test_the_mirror_image_is_predicted_too_at_the_places_of_the_image(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    lines = []
    for line in map(json.loads, model.manifest(TRAIN).read_text().splitlines()[:3]):
        turned = tmp_path / f"turned-{len(lines)}.png"
        with Image.open(line["source-ref"].removeprefix("file://")) as image:
            image.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(turned)
        lines += [line, line | {"source-ref": turned.as_uri()}]
    manifest = "".join(json.dumps(line) + "\n" for line in lines)
    found = predicted(jobs.prediction_job(tmp_path / "job", model.model, manifest, mirrored=True, **LOW))
    for image, turned in zip(found[::2], found[1::2], strict=True):
        assert image.mirrored is not None and len(image.mirrored) == len(turned.boxes)
        for ours, theirs in zip(image.mirrored, turned.boxes, strict=True):
            assert (ours.class_id, ours.score) == (theirs.class_id, pytest.approx(theirs.score, abs=1e-3))
            assert ours.left == pytest.approx(80 - theirs.left - theirs.width, abs=0.1)
            assert (ours.top, ours.width) == pytest.approx((theirs.top, theirs.width), abs=0.1)
    assert predicted(jobs.prediction_job(tmp_path / "plain", model.model, manifest, **LOW))[0].mirrored is None


def test_killed_prediction_goes_on_after_its_last_whole_line(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    manifest = model.manifest(TRAIN).read_text()
    folder = jobs.prediction_job(tmp_path, model.model, manifest, batch_size=2, **LOW)
    whole = predicted(folder)
    lines = folder.predictions.read_bytes().splitlines(keepends=True)
    # As kill -9 leaves it: one shard is done, of another a line and a half.
    folder.predictions.unlink()
    begun = shards.plan(folder, total=8, processes=1, channel="predict")
    begun.path(0).write_bytes(b"".join(lines[:2]))
    begun.path(2).write_bytes(lines[4] + lines[5][:40])

    again = predicted(folder)

    after = folder.predictions.read_bytes().splitlines(keepends=True)
    assert [after[0], after[1], after[4]] == [lines[0], lines[1], lines[4]]
    assert [line.index for line in again] == [line.index for line in whole]
    assert [len(line.boxes) for line in again] == [len(line.boxes) for line in whole]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_sigterm_stops_between_lines(trained: tuple[JobFolder, str], processes: int, tmp_path) -> None:
    model, _ = trained
    manifest = model.manifest(TRAIN).read_text() * 2000
    folder = jobs.prediction_job(tmp_path, model.model, manifest, batch_size=1, processes=processes)
    child = jobs.start("predict", folder)
    jobs.wait_until(lambda: len(written(folder)) > 8, child)
    child.send_signal(signal.SIGTERM)
    _, log = child.communicate(timeout=120)
    assert child.returncode == EXIT_DONE, log
    assert json.loads(folder.stopped.read_text())["step"] == len(written(folder)) < 16000
    assert not folder.predictions.exists()


def written(folder: JobFolder) -> list[int]:
    """The places of the images that the shards have so far."""
    found = []
    for path in sorted((folder.output / "shards").glob("*.jsonl")):
        found += [line.index for line in read_predictions(path)]
    return found


@pytest.mark.slow
def test_kill_9_at_any_moment_predicts_no_image_twice_and_loses_none(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    manifest = model.manifest(TRAIN).read_text() * 100
    folder = jobs.prediction_job(tmp_path, model.model, manifest, batch_size=2, processes=2, embedding=False, **LOW)
    kept: dict[str, bytes] = {}
    for _ in range(3):
        before = len(written(folder))
        child = jobs.start("predict", folder)
        jobs.wait_until(lambda so_far=before: len(written(folder)) > so_far + 50, child)
        child.kill()
        child.communicate()
        # What a shard has once, it keeps.
        for name, content in kept.items():
            assert (folder.output / "shards" / name).read_bytes().startswith(content)
        kept = {path.name: path.read_bytes().rpartition(b"\n")[0] for path in folder.output.glob("shards/*.jsonl")}
    assert [line.index for line in predicted(folder)] == list(range(800))


def test_invalid_input_is_named_in_the_failure(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    folder = jobs.prediction_job(tmp_path / "a", model.model, '{"source-ref": "x.png"}\n{"source": "text"}\n')
    assert jobs.finish("predict", folder)[0] == EXIT_BAD_INPUT
    assert "predict channel, line 2: 'source-ref' is missing" in (folder.read_failure() or "")

    folder = jobs.prediction_job(tmp_path / "b", model.model, '{"source-ref": "x.png"}\n')
    (folder.channel("model") / "config.json").unlink()
    assert jobs.finish("predict", folder)[0] == EXIT_BAD_INPUT
    assert "config.json is missing" in (folder.read_failure() or "")


def test_a_packed_model_is_unpacked_first(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    line = model.manifest(TRAIN).read_text().splitlines()[0] + "\n"
    folder = jobs.prediction_job(tmp_path / "job", model.model, line, embedding=False, **LOW)
    channel = folder.channel("model")
    pack_model(channel, tmp_path / "model.tar.gz")
    for path in channel.iterdir():
        path.unlink()
    (tmp_path / "model.tar.gz").rename(channel / "model.tar.gz")
    found = predicted(folder)
    assert len(found) == 1 and found[0].embedding == [] and found[0].boxes


def test_the_limits_of_images_are_those_of_the_folder(trained: tuple[JobFolder, str], tmp_path) -> None:
    model, _ = trained
    lines = []
    for name, side in (("fits", 40), ("large", 41)):
        Image.new("RGB", (side, 40), "red").save(tmp_path / f"{name}.bmp")
        lines.append(json.dumps({"source-ref": str(tmp_path / f"{name}.bmp")}) + "\n")
    folder = jobs.prediction_job(tmp_path / "job", model.model, "".join(lines), image_max_pixels=1600, **LOW)
    found = predicted(folder)
    assert [line.error for line in found] == [None, "the image is 41 x 40, at most 1,600 pixels are allowed"]
