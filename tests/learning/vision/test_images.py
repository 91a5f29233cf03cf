"""Training and predicting classes and masks of images in job folders, with tiny networks and pictures."""

import json

import numpy as np
import pytest
import torch

from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation
from learning.contract import (
    EVERY_ARCHITECTURE,
    EXIT_BAD_INPUT,
    EXIT_DONE,
    IMAGE_CLASSIFIERS,
    SEGMENTERS,
    TRAIN,
    VALIDATION,
    ModelConfig,
    read_metrics,
    read_predictions,
)
from learning.families import FAMILIES
from learning.program import run
from learning.samples import FOLDER, INDEX, Samples
from learning.serving import predict_images
from learning.vision import train_images
from learning.vision.image_export import write_model
from learning.vision.image_networks import ImageNetwork, adopt
from tests.learning.vision.image_jobs import NAMES, a_prediction, a_training


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(folder):
    assert run(train_images.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
    return {metric.name: metric.value for metric in read_metrics(folder.metrics)[0]}


def predicted(tmp_path, folder, **given):
    job = a_prediction(tmp_path / "predict", trained=folder, **given)
    assert run(predict_images.work, about="", arguments=[str(job.root)]) == EXIT_DONE, job.read_failure()
    found = list(read_predictions(job.predictions))
    assert found[-1].error and not found[-1].classes and not found[-1].segments
    return found[:-1]


def samples_of(folder):
    return Samples.from_json((folder.output / FOLDER / INDEX).read_bytes())


def seen(samples):
    """Each picture with what was found on it in the end."""
    return list(zip(samples.images, samples.evaluations[-1].found, strict=True))


def classes_of(folder):
    rows = [json.loads(line) for line in folder.manifest(VALIDATION).read_text().splitlines()]
    return [row["kind"] for row in rows]


def test_a_classifier_learns_colours_and_its_graph_says_the_same(tmp_path):
    folder = a_training(tmp_path / "train", architecture="resnet18", epochs=10)
    figures = trained(folder)
    assert figures["validation:accuracy"] >= 0.9 and figures["train:progress"] == 1.0
    found = predicted(tmp_path, folder, backend="onnxruntime", num_threads=1)
    best = [max(one.classes, key=lambda each: each.score).class_id for one in found]
    assert np.mean(np.array(best) == classes_of(folder)) == pytest.approx(figures["validation:accuracy"])
    assert all(sum(each.score for each in one.classes) == pytest.approx(1, abs=1e-3) for one in found)
    assert all(len(one.embedding) == 512 and one.image_size["width"] == 48 for one in found)
    assert ModelConfig.read(folder.model).hyperparameters["started_from"] == "random weights"
    samples = samples_of(folder)
    right = [one[0].label in [true.label for true in image.truth] for image, one in seen(samples)]
    assert samples.kind == "classes" and len(right) == 8 and np.mean(right) > 0.6


@pytest.mark.slow
def test_with_several_classes_each_has_a_chance_of_its_own(tmp_path):
    folder = a_training(tmp_path / "train", architecture="resnet18", form="several", images=48, epochs=15)
    figures = trained(folder)
    assert figures["validation:jaccard"] >= 0.75
    found = predicted(tmp_path, folder, backend="onnxruntime", num_threads=1)
    said = [{one.class_id for one in each.classes if one.score >= 0.5} for each in found]
    right = [
        len(mine & set(true)) / max(len(mine | set(true)), 1)
        for mine, true in zip(said, classes_of(folder), strict=True)
    ]
    assert np.mean([one for one in right]) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
def test_a_segmenter_learns_masks(tmp_path, architecture):
    folder = a_training(
        tmp_path / "train",
        architecture=architecture,
        form="masks",
        image_size=96,
        epochs=60,
        images=16,
        learning_rate=3e-3,
    )
    figures = trained(folder)
    assert figures["validation:mIoU"] >= 0.5
    found = predicted(tmp_path, folder, backend="onnxruntime", num_threads=1)
    assert all(one.image_size == {"width": 48, "height": 48, "depth": 3} for one in found)
    for one in found:
        parts = tuple(Segment(NAMES[each.class_id], each.counts, each.score) for each in one.segments)
        segments.check(Segmentation((48, 48), parts))
        assert all(0 < each.score <= 1 for each in one.segments)
    named = [{NAMES[each.class_id] for each in one.segments} for one in found]
    assert np.mean([name in mine for mine, name in zip(named, NAMES * 4, strict=True)]) > 0.8
    samples = samples_of(folder)
    same = [{one.label for one in image.truth} <= {one.label for one in shapes} for image, shapes in seen(samples)]
    assert samples.kind == "masks" and np.mean(same) > 0.6


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path):
    whole = a_training(tmp_path / "whole", architecture="mobilenet_v3_small", images=8, validation=3, epochs=4)
    trained(whole)
    parts = a_training(tmp_path / "parts", architecture="mobilenet_v3_small", images=8, validation=3, epochs=4)
    asked = iter([False, False, False, True, True, True])
    parts.start()
    train_images.work(parts, lambda: next(asked, True))
    assert parts.stopped.exists() and (parts.model / "model.onnx").exists()
    trained(parts)
    assert not parts.stopped.exists()
    assert (parts.model / "model.safetensors").read_bytes() == (whole.model / "model.safetensors").read_bytes()


QUICK = ("resnet18", "mobilenet_v3_small", "lraspp_mobilenet_v3_large")
EVERY = [
    one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in (*IMAGE_CLASSIFIERS, *SEGMENTERS)
]


@pytest.mark.parametrize("architecture", EVERY)
def test_every_architecture_gives_scores_of_its_classes_and_falls_in_loss(architecture, tmp_path):
    torch.manual_seed(0)
    network = ImageNetwork(architecture, classes=2, several=False, image_size=32)
    pixels, masks = torch.rand(2, 3, 32, 32) * 255, architecture in SEGMENTERS
    scores, embedding = network.eval().scores(pixels)
    assert scores.shape == ((2, 3, 32, 32) if masks else (2, 2)) and embedding.shape[0] == 2
    assert torch.allclose(scores.sum(dim=1), torch.ones(1), atol=1e-5)
    target = torch.randint(3, (2, 32, 32)) if masks else torch.tensor([0, 1])
    optimizer = torch.optim.AdamW(network.train().parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        losses.append(network.loss(pixels, target))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert min(losses[1:]) < losses[0]


@pytest.mark.parametrize("architecture", ["resnet18", "lraspp_mobilenet_v3_large"])
def test_an_earlier_model_hands_its_classes_on_by_name(architecture):
    torch.manual_seed(1)
    earlier = ImageNetwork(architecture, classes=2, several=False, image_size=32).eval()
    later = ImageNetwork(architecture, classes=3, several=False, image_size=32).eval()
    assert adopt(later, earlier.state_dict(), found=["red", "blue"], wanted=["blue", "green", "red"]) == 0
    pixels = torch.rand(1, 3, 32, 32) * 255
    with torch.no_grad():
        (old, _), (new, _) = earlier(pixels), later(pixels)
    first = 1 if architecture in SEGMENTERS else 0
    assert torch.allclose(new[:, first], old[:, first + 1], atol=1e-5)
    assert torch.allclose(new[:, first + 2], old[:, first], atol=1e-5)


def test_the_segmenters_graph_computes_what_the_network_does(tmp_path):
    torch.manual_seed(2)
    network = ImageNetwork("lraspp_mobilenet_v3_large", classes=2, several=False, image_size=48)
    config = ModelConfig("lraspp_mobilenet_v3_large", {"0": "a", "1": "b"}, 48, {}, {}, {}, {})
    assert max(write_model(network, tmp_path, config).values()) < 1e-3


def test_what_cannot_be_used_is_named_by_line(tmp_path):
    folder = a_training(tmp_path / "t", architecture="resnet18", images=4, validation=2, class_map={"0": "red"})
    assert run(train_images.work, about="", arguments=[str(folder.root)]) == EXIT_BAD_INPUT
    assert folder.read_failure() == "train channel, line 2: 'green' is not one of the classes (red)"
    masks = a_training(tmp_path / "m", architecture="lraspp_mobilenet_v3_large", form="masks", images=2, validation=2)
    for path in masks.channel(TRAIN).glob("*.mask.png"):
        path.write_bytes(b"no png")
    assert run(train_images.work, about="", arguments=[str(masks.root)]) == EXIT_BAD_INPUT
    assert masks.read_failure().startswith("train channel: not one image can be read")


def test_every_architecture_belongs_to_one_family():
    named = [architecture for family in FAMILIES for architecture in family.architectures]
    assert sorted(named) == sorted(EVERY_ARCHITECTURE) and len(set(named)) == len(named)
