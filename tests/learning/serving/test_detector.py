"""A model folder in service, against torch on the same pixels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from labeling.formats.images import Limits
from learning.contract import BadInput, ModelConfig
from learning.serving.detector import Choice, Detector, detect_pictures, read_pictures
from learning.serving.session import BackendUnavailable
from learning.vision.export import read_model, write_model
from learning.vision.inference import TorchSession
from learning.vision.ssd import build

CHOICE = Choice(score_threshold=0.005, nms_threshold=0.45, max_detections=30)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained compact detector with class outputs far enough apart to be told from one another."""
    torch.manual_seed(1)
    network = build("compact", num_classes=3, image_size=96)
    network.eval()
    classes = network.model.head.classes
    torch.nn.init.normal_(classes.weight)
    with torch.no_grad():
        scores = network.heads(torch.randint(0, 256, (2, 3, 96, 96), dtype=torch.uint8))[1].double()
        classes.weight *= 1.5 / scores.logit().std()
    folder = tmp_path_factory.mktemp("model")
    names = {"0": "bee", "4": "wasp", "9": "fly"}
    thresholds = {"score": 0.02, "nms": 0.45}
    write_model(network, folder, ModelConfig("compact", names, 96, {}, thresholds, {}, {}))
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(2)
    paths = []
    for place, size in enumerate([(120, 90), (96, 96), (300, 200)]):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        paths.append(folder / f"{place}.png")
        coarse.resize(size, Image.Resampling.BICUBIC).save(paths[-1])
    return paths


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_serving_equals_torch(model: Path, photos: list[Path], backend: str) -> None:
    network, config = read_model(model)
    pictures = read_pictures(photos, size=config.image_size, limits=Limits())
    expected = detect_pictures(pictures, TorchSession(network).run, config, CHOICE)
    found = Detector(model, backend=backend, choice=CHOICE).detect(photos)
    assert [one.image_size["width"] for one in found] == [120, 96, 300]
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours.boxes) == len(theirs.boxes) > 3
        for mine, its in zip(ours.boxes, theirs.boxes, strict=True):
            assert mine.class_id == its.class_id
            assert mine.score == pytest.approx(its.score, abs=1e-3)
            numbers = (mine.left, mine.top, mine.width, mine.height)
            assert numbers == pytest.approx((its.left, its.top, its.width, its.height), abs=0.2)
        assert ours.embedding == pytest.approx(theirs.embedding, abs=1e-3)


def test_an_unreadable_image_does_not_affect_the_others(model: Path, photos: list[Path]) -> None:
    detector = Detector(model, choice=CHOICE)
    alone = detector.detect(photos[:1])[0]
    found = detector.detect([b"no image", photos[0], b""])
    assert [one.error is None for one in found] == [False, True, False]
    assert found[1].boxes == alone.boxes
    assert detector.detect([b"no image"])[0].boxes == [] and detector.detect([]) == []


def test_boxes_lie_inside_the_picture(model: Path, photos: list[Path]) -> None:
    for one in Detector(model, choice=CHOICE).detect(photos):
        width, height = one.image_size["width"], one.image_size["height"]
        for box in one.boxes:
            assert box.class_id in (0, 4, 9)
            assert 0 <= box.left <= box.left + box.width <= width + 0.01
            assert 0 <= box.top <= box.top + box.height <= height + 0.01


def test_a_missing_or_invalid_model_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="config.json is missing"):
        Detector(tmp_path)
    with pytest.raises(BadInput, match="'tensorflow' is not known; available: auto, cuda, openvino, onnxruntime"):
        Detector(model, backend="tensorflow")
    with pytest.raises(BadInput, match="precision 'int4' is not known"):
        Detector(model, precision="int4")
    with pytest.raises(BackendUnavailable, match="onnxruntime computes in float32"):
        Detector(model, backend="onnxruntime", precision="bfloat16")
    (tmp_path / "config.json").write_text((model / "config.json").read_text())
    with pytest.raises(BadInput, match="model.onnx is missing"):
        Detector(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(BackendUnavailable, match="openvino cannot load.*onnxruntime cannot load"):
        Detector(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 1, "architecture": "compact"}')
    with pytest.raises(BadInput, match="config.json: missing class_map"):
        Detector(tmp_path)


def test_serving_never_loads_torch(model: Path, photos: list[Path]) -> None:
    program = (
        "import sys; from pathlib import Path; from learning.serving.detector import Detector\n"
        f"found = Detector(Path({str(model)!r})).detect([{str(photos[0])!r}])\n"
        "assert found[0].error is None\n"
        "assert not {'torch', 'django'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).resolve().parents[3])
