"""Samples that a training leaves after each evaluation, and what it says of its use of the machine."""

import time

import numpy as np
import pytest
import torch
from PIL import Image

from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation
from learning.contract import JobFolder, MetricWriter, PredictedBox, read_metrics
from learning.samples import FOLDER, INDEX, Samples
from learning.serving.images import Picture
from learning.vision import usage
from learning.vision.album import Album, ImageAlbum
from learning.vision.evaluate import Truth
from tests.learning.vision import jobs

CLASSES = {"0": "red", "3": "blue"}


def evaluation(root, *, step, length=20, width=640, brightness=9):
    """An evaluation over so many pictures, each with a blue box that is found, one pixel off."""
    folder = JobFolder(root)
    album = Album(folder, class_map=CLASSES, length=length)
    for place in range(length):
        picture = Picture(np.full((64, 64, 3), brightness, np.uint8), width, 480, 3)
        truth = Truth(np.array([[10, 20, 40, 60]], np.float32), [3])
        album.look(place, picture, truth, [PredictedBox(3, 11, 20, 30, 40, 0.75)])
    album.keep(step=step, epoch=step // 2)
    return Samples.from_json((folder.output / FOLDER / INDEX).read_bytes())


def test_eight_pictures_are_kept_with_truth_and_predictions(tmp_path):
    evaluation(tmp_path, step=2)
    samples = evaluation(tmp_path, step=4)
    assert [image.file for image in samples.images] == [f"{n}.jpg" for n in range(8)]
    image = samples.images[0]
    assert (image.width, image.height) == (640, 480)
    assert [(b.label, b.left, b.top, b.width, b.height, b.score) for b in image.truth] == [
        ("blue", 10, 20, 30, 40, None)
    ]
    assert [(one.step, one.epoch) for one in samples.evaluations] == [(2, 1), (4, 2)]
    assert samples.evaluations[1].found[7][0].score == 0.75
    with Image.open(tmp_path / "output" / FOLDER / "7.jpg") as shown:
        assert shown.size == (320, 240)  # of the original's shape, and small
    assert evaluation(tmp_path / "few", step=2, length=3).evaluations[0].found != []


def picture():
    return Picture(np.full((64, 64, 3), 9, np.uint8), 640, 480, 3)


def kept(root):
    return Samples.from_json((root / "output" / FOLDER / INDEX).read_bytes())


@pytest.mark.parametrize(("several", "found"), [(False, [("wasp", 0.6)]), (True, [("bee", 0.55), ("wasp", 0.6)])])
def test_of_a_classifier_the_classes_that_count_are_kept(tmp_path, several, found):
    album = ImageAlbum(JobFolder(tmp_path), names=["bee", "wasp", "fly"], masks=False, length=1)
    album.classified(picture(), ("bee",), np.array([0.55, 0.6, 0.1], np.float32), several=several)
    album.keep(step=5, epoch=1)
    samples = kept(tmp_path)
    assert samples.kind == "classes" and [one.label for one in samples.images[0].truth] == ["bee"]
    assert [(one.label, one.score) for one in samples.evaluations[0].found[0]] == found


def test_of_a_segmenter_masks_of_the_size_of_the_picture_are_kept(tmp_path):
    album = ImageAlbum(JobFolder(tmp_path), names=["bee", "wasp"], masks=True, length=1)
    truth, found = np.zeros((2, 64, 64), np.int64)
    truth[:32, :32], found[:, :32] = 2, 1
    album.painted(picture(), truth, found)
    album.keep(step=5, epoch=1)
    samples = kept(tmp_path)
    (image,) = samples.images
    with Image.open(tmp_path / "output" / FOLDER / "0.jpg") as shown:
        assert samples.kind == "masks" and (image.width, image.height) == shown.size == (320, 240)
    (mask,), (seen,) = image.truth, samples.evaluations[0].found[0]
    assert (mask.label, seen.label) == ("wasp", "bee")
    laid = segments.layout(Segmentation((320, 240), (Segment(mask.label, mask.counts),)), [1])
    assert laid[:120, :160].all() and laid.sum() == 120 * 160


def test_other_pictures_replace_the_earlier_ones(tmp_path):
    evaluation(tmp_path, step=2)
    samples = evaluation(tmp_path, step=4, width=320, brightness=200)
    assert [one.step for one in samples.evaluations] == [4]
    with Image.open(tmp_path / "output" / FOLDER / "0.jpg") as shown:
        assert shown.size == (213, 320) and shown.getpixel((5, 5))[0] > 190


def test_a_broken_index_is_begun_anew(tmp_path):
    evaluation(tmp_path, step=2)
    (tmp_path / "output" / FOLDER / INDEX).write_text("{")
    assert [one.step for one in evaluation(tmp_path, step=4).evaluations] == [4]


def test_a_real_training_leaves_samples_of_each_evaluation(trained):
    folder, _ = trained
    samples = Samples.from_json((folder.output / FOLDER / INDEX).read_bytes())
    assert len(samples.images) == 3  # the validation channel has three pictures
    assert samples.evaluations[-1].step == 4
    assert {box.label for image in samples.images for box in image.truth} <= set(jobs.CLASS_MAP.values())
    assert all((folder.output / FOLDER / image.file).exists() for image in samples.images)


def test_the_use_of_the_machine_is_reported_while_a_program_works(tmp_path):
    folder = JobFolder(tmp_path)
    metrics = MetricWriter(folder, None)
    with usage.watched(metrics, device=torch.device("cpu"), place=lambda: (7, 1)):
        deadline = time.monotonic() + 60
        while not (found := read_metrics(folder.metrics)[0]):
            assert time.monotonic() < deadline
            sum(range(100_000))
    values = {metric.name: metric.value for metric in found}
    assert values.keys() >= {"usage:cpu"}
    assert 0 <= values["usage:cpu"] <= 1
    assert {metric.step for metric in found} == {7}
    memory = [one.value for one in read_metrics(folder.metrics)[0] if one.name == "usage:memory_bytes"]
    assert memory[0] > 10 << 20


def test_the_use_of_a_card_is_read_as_nvidia_smi_says_it(tmp_path):
    said = tmp_path / "nvidia-smi"
    said.write_text("#!/bin/sh\necho '37, 4096'\n")
    said.chmod(0o755)
    assert usage.card_meter([str(said), "-i", "GPU-1"])() == {"gpu": 0.37, "gpu_memory_bytes": 4096 * (1 << 20)}
    said.write_text("#!/bin/sh\necho '[N/A], 4096'\n")
    with pytest.raises(ValueError):
        usage.card_meter([str(said)])()
