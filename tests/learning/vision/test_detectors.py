"""The architectures behind their one interface: they build, learn, export, and start from other weights."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from learning.contract import BadInput, ModelConfig
from learning.vision import recipe, ssd_networks, starting
from learning.vision.export import (
    TOLERANCE,
    ExportDiffers,
    compare,
    export_onnx,
    read_model,
    save_weights,
    write_model,
)
from learning.vision.ssd import Network, build

# Odd ones, which no layer divides evenly; VGG-16 costs the most.
SMALL = {"compact": 97, "ssdlite320_mobilenet_v3_large": 97, "ssd300_vgg16": 65, "ssd300_resnet50": 65}
SIZES = (160, 161, 300, 320, 333, 512)


def batch(size: int) -> tuple[torch.Tensor, list[dict[str, torch.Tensor]]]:
    """Two images, the second one without any object."""
    images = torch.full((2, 3, size, size), 120, dtype=torch.uint8)
    images[0, 0, 10:50, 10:40] = 250
    some = {"boxes": torch.tensor([[10.0, 10.0, 40.0, 50.0]]), "labels": torch.tensor([2])}
    none = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    return images, [some, none]


def large(architecture: str) -> Any:
    """The name as a parameter, whose tests are slow for all but the network that a job has without asking."""
    return pytest.param(architecture, marks=() if architecture == "compact" else pytest.mark.slow)


@pytest.mark.parametrize("architecture", [large(name) for name in SMALL])
def test_a_step_lowers_the_loss_and_the_export_agrees(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    size = SMALL[architecture]
    network = build(architecture, num_classes=2, image_size=size, from_random=True)
    images, targets = batch(size)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    totals = []
    for _ in range(3):
        total = sum(network.losses(images, targets).values())
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10)
        optimizer.step()
        totals.append(float(total.detach()))
    assert totals[-1] < totals[0]

    network.eval().finish()
    config = ModelConfig(architecture, {"0": "a", "1": "b"}, size, {}, {"score": 0.1, "nms": 0.5}, {}, {})
    differences = write_model(network, tmp_path, config)
    assert all(differences[name] <= limit for name, limit in TOLERANCE.items())
    again, read = read_model(tmp_path)
    assert read == config
    with torch.no_grad():
        for ours, theirs in zip(network.heads(images), again.heads(images), strict=True):
            assert ours.allclose(theirs)
        boxes, scores, embedding = network.heads(images)
    assert boxes.shape[1:] == (scores.shape[1], 4) and scores.shape[2] == 2 and embedding.dim() == 2
    assert boxes.min() >= 0 and boxes.max() <= size


def test_torchvision_detectors_learn_from_images_without_objects() -> None:
    network = build("ssdlite320_mobilenet_v3_large", num_classes=1, image_size=96)
    images, targets = batch(96)
    losses = network.losses(images[1:].repeat(2, 1, 1, 1), [targets[1], targets[1]])
    assert losses["classification"] > 0 and losses["boxes"] == 0


def test_an_export_that_differs_is_refused(tmp_path: Path) -> None:
    network = build("compact", num_classes=2, image_size=64).eval()
    export_onnx(network, tmp_path / "model.onnx", image_size=64)

    class Other(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            boxes, scores, embedding = network.heads(images.permute(0, 3, 1, 2).float())
            return boxes, scores + 0.01, embedding

    with pytest.raises(ExportDiffers, match="scores differ from torch"):
        compare(Other(), tmp_path / "model.onnx", image_size=64)


@pytest.mark.parametrize(("architecture", "size"), [("ssd300_vgg16", 63), ("compact", 32), ("ssd300_resnet50", 1)])
def test_impossible_sizes_are_refused(architecture: str, size: int) -> None:
    with pytest.raises(BadInput, match=f"image_size {size} is too small: {architecture} needs 64"):
        build(architecture, num_classes=1, image_size=size)


@pytest.mark.parametrize("architecture", [large("ssd300_vgg16"), "ssd300_resnet50"])
def test_the_last_maps_shrink_to_few_cells_at_any_size(architecture: str) -> None:
    """Each map is half the one before (or as in the paper) and no map is empty."""
    for size in (64, 128, *SIZES):
        model = ssd_networks.BUILDERS[architecture](2, size)
        sides = [side(model, size, place) for place in range(6)]
        assert sides[0] in (size // 8, size // 8 + 1, -(-size // 8)), sides
        assert all(before >= after for before, after in pairwise(sides)), sides
        assert sides[-1] in (1, 2), sides
        if size == 300:
            assert sides == [38, 19, 10, 5, 3, 1]


def side(model: torch.nn.Module, size: int, place: int) -> int:
    """The side of a map, worked out from the layers, without running them on an image of that size."""
    layers: list[torch.nn.Module] = [model.backbone.features, *model.backbone.extra[:place]]
    for part in layers:
        for layer in part.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.MaxPool2d):
                size = _after(layer, size)
    return size


def _after(layer: torch.nn.Module, size: int) -> int:
    kernel, stride, padding, dilation = (
        value[0] if isinstance(value, tuple) else value
        for value in (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    )
    if kernel == 1 and stride != 1:
        return size  # ResNet's shortcuts, beside the convolutions that are counted
    up = isinstance(layer, torch.nn.MaxPool2d) and layer.ceil_mode
    cells = size + 2 * padding - dilation * (kernel - 1) - 1
    return (-(-cells // stride) if up else cells // stride) + 1


@pytest.mark.parametrize("architecture", ["ssdlite320_mobilenet_v3_large", "ssd300_vgg16", "ssd300_resnet50"])
def test_gradients_of_the_least_maps_are_finite_in_bfloat16(architecture: str) -> None:
    network = build(architecture, num_classes=2, image_size=64)
    images, targets = batch(64)
    with torch.autocast("cpu", torch.bfloat16):
        sum(network.losses(images, targets).values()).backward()
    broken = [
        name for name, each in network.named_parameters() if each.grad is not None and not each.grad.isfinite().all()
    ]
    assert broken == []


def test_the_smallest_default_boxes_keep_their_pixels_and_all_lie_in_the_image() -> None:
    for size in SIZES:
        for generator, smallest in (
            (ssd_networks.default_boxes(size), 21),
            (ssd_networks.mobilenet_v3(2, size).anchor_generator, 64),
        ):
            assert generator.scales[0] * size == pytest.approx(smallest, abs=0.01), size
            assert generator.scales == sorted(generator.scales)
            assert 0.9 < generator.scales[-1] < 1.06


def test_at_the_published_size_the_networks_are_torchvisions() -> None:
    import torchvision.models.detection

    theirs = torchvision.models.detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=3)
    ours = ssd_networks.vgg16(3, 300)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
    mine, published = ssd_networks.default_boxes(300), theirs.anchor_generator
    assert mine.scales == pytest.approx(published.scales) and mine.steps == published.steps
    assert mine.aspect_ratios == published.aspect_ratios


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_exported_right(architecture: str, size: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(architecture, num_classes=2, image_size=size, from_random=True).eval()
    network.finish()
    export_onnx(network, tmp_path / "model.onnx", image_size=size)  # raises when torch and ONNX differ
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    boxes, scores, _ = session.run(None, {"images": np.zeros((1, size, size, 3), np.uint8)})
    assert boxes.shape[1] == scores.shape[1] > (size // 32) ** 2


def test_a_model_of_an_earlier_format_keeps_its_default_boxes(tmp_path: Path) -> None:
    network = build("ssdlite320_mobilenet_v3_large", num_classes=1, image_size=96, config_format=1).eval()
    config = ModelConfig("ssdlite320_mobilenet_v3_large", {"0": "a"}, 96, {}, {}, {}, {}, format=1)
    save_weights(network, tmp_path / "model.safetensors")
    config.write(tmp_path)
    again, _ = read_model(tmp_path)
    assert again.anchors.equal(network.anchors)
    assert not again.anchors.equal(build("ssdlite320_mobilenet_v3_large", num_classes=1, image_size=96).anchors)


def test_a_resnets_own_norms_are_frozen_and_its_extra_layers_learn_at_the_full_rate() -> None:
    network = build("ssd300_resnet50", num_classes=1, image_size=64)
    chosen = recipe.for_architecture("ssd300_resnet50")
    recipe.set_train_mode(network, chosen)
    norms = {n: p for n, p in network.named_modules() if isinstance(p, torch.nn.BatchNorm2d)}
    assert len(norms) > 50
    assert all(norm.training == ("backbone.extra." in name) for name, norm in norms.items())
    rates = {id(p): group["lr"] for group in recipe.parameter_groups(network.model, chosen) for p in group["params"]}
    by_part: dict[str, set[float]] = {}
    for name, parameter in network.model.named_parameters():
        by_part.setdefault(name.split(".", 2)[1], set()).add(rates[id(parameter)])
    assert by_part["extra"] == by_part["classification_head"] == {chosen.learning_rate}
    assert by_part["features"] == {chosen.learning_rate * chosen.trunk_factor}


def find(architecture: str, folder: Path | str, **changes: object) -> starting.Start | None:
    said: list[str] = changes.pop("said", [])  # type: ignore[assignment]
    options = {"weights": "auto", "weights_dir": str(folder), "earlier": None} | changes
    return starting.find(architecture, log=said.append, **options)


def ssdlite(classes: int) -> Network:
    return build("ssdlite320_mobilenet_v3_large", num_classes=classes, image_size=96)


def test_torchvisions_coco_weights_are_taken_from_a_folder(tmp_path: Path) -> None:
    coco = ssdlite(90)
    torch.save(coco.model.state_dict(), tmp_path / "ssdlite320_mobilenet_v3_large_coco-a79551df.pth")
    found = find("ssdlite320_mobilenet_v3_large", tmp_path)
    mine = ssdlite(2)
    left = starting.adopt(mine.model, found, classes=[starting.BACKGROUND, "Dog", "gadget"])
    assert left == []
    assert mine.model.backbone.extra[0][0][0].weight.equal(coco.model.backbone.extra[0][0][0].weight)
    # rows are [default box, class]; COCO calls class 18 "dog"
    rows = mine.model.head.classification_head.module_list[0][1].weight.unflatten(0, (6, 3))
    theirs = coco.model.head.classification_head.module_list[0][1].weight.unflatten(0, (6, 91))
    assert rows[:, 0].equal(theirs[:, 0]) and rows[:, 1].equal(theirs[:, 18])


@pytest.mark.parametrize(
    ("architecture", "file", "classifier"),
    [
        ("ssdlite320_mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", "mobilenet_v3_large"),
        pytest.param("ssd300_vgg16", "vgg16_features-amdegroot-88682ab5.pth", "vgg16", marks=pytest.mark.slow),
        ("ssd300_resnet50", "resnet50-0676ba61.pth", "resnet50"),
    ],
)
def test_imagenet_weights_fill_the_backbone(architecture: str, file: str, classifier: str, tmp_path: Path) -> None:
    import torchvision.models

    state = getattr(torchvision.models, classifier)(weights=None).state_dict()
    torch.save({name: value for name, value in state.items() if not name.startswith("classifier.")}, tmp_path / file)
    found = find(architecture, tmp_path)
    network = build(architecture, num_classes=1, image_size=SMALL[architecture])
    left = set(starting.adopt(network.model, found, classes=[starting.BACKGROUND, "a"]))
    trunk = [name for name in network.model.state_dict() if name.startswith("backbone.features.")]
    taken = [name for name in trunk if name not in left]
    # the reduced tail of SSDLite has other shapes than the classifier's last blocks
    assert len(taken) > 0.6 * len(trunk)
    assert taken[0] == trunk[0]


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return Path.write_text, (tmp_path / "exploded", "boom")

    torch.save({"x": Bomb()}, tmp_path / "ssdlite320_mobilenet_v3_large_coco-a79551df.pth")
    with pytest.raises(BadInput, match="cannot be read"):
        find("ssdlite320_mobilenet_v3_large", tmp_path)
    torch.save({"x": Bomb()}, tmp_path / "model.safetensors")
    with pytest.raises(BadInput, match="cannot be read"):
        find("compact", "", weights=str(tmp_path / "model.safetensors"))
    assert not (tmp_path / "exploded").exists()


def test_unreachable_weights_are_logged_and_the_run_starts_from_random_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    said: list[str] = []
    assert find("ssd300_vgg16", "", said=said) is None
    assert "out of reach" in said[0] and "starting from random weights" in said[0]


def test_our_starting_checkpoint_fits_any_classes() -> None:
    found = find("compact", "")
    assert found is not None and "our starting checkpoint" in found.origin
    for classes in (1, 3, 40):
        network = build("compact", num_classes=classes, image_size=64)
        names = [str(number) for number in range(classes)]
        left = starting.adopt(network.model, found, classes=names)
        assert all(name.endswith("num_batches_tracked") for name in left)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_file({"something.else": torch.zeros(3)}, tmp_path / "other.safetensors")
    found = find("ssdlite320_mobilenet_v3_large", "", weights=str(tmp_path / "other.safetensors"))
    with pytest.raises(BadInput, match="fit nothing"):
        starting.adopt(ssdlite(1).model, found, classes=[starting.BACKGROUND, "a"])
    broken = {name: value.clone() for name, value in ssdlite(1).model.state_dict().items()}
    broken["backbone.extra.0.0.0.weight"][0] = torch.nan
    with pytest.raises(BadInput, match="not finite in backbone.extra"):
        starting.adopt(ssdlite(1).model, starting.Start(broken, [], "test"), classes=[starting.BACKGROUND, "a"])
    with pytest.raises(BadInput, match="config.json is missing"):
        find("compact", "", weights=str(tmp_path))
