"""Detectors that were trained elsewhere: what their description says, how they are tried, and what they detect."""

import io
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, FOREIGN, MODEL, BadInput, JobFolder, ModelConfig
from learning.serving.detector import Detector
from learning.serving.foreign import FORMATS, read_config
from learning.serving.importing import read_description
from learning.serving.trial import try_model
from tests.learning.serving.foreign_models import a_network, an_import, described, save, taken_in
from tests.learning.vision.jobs import REPOSITORY


def picture(width: int, height: int, *, red: int = 255) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (red, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def rows(detection) -> list[tuple]:
    return [
        (box.class_id, box.left, box.top, box.width, box.height, pytest.approx(box.score, abs=1e-3))
        for box in detection.boxes
    ]


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_boxes(tmp_path, kind, backend):
    detector = Detector(taken_in(tmp_path, kind), backend=backend)
    (found, dark) = detector.detect([picture(128, 64), picture(128, 64, red=51)])
    # The network's boxes are stretched to the picture; the second is removed where the network did not.
    first, second, third = (3, 32, 8, 64, 32, 0.8), (3, 34, 9, 64, 32, 0.6), (1, 0, 0, 40, 20, 0.4)
    expected = [first, second, third] if kind in ("ssd", "detr") else [first, third]
    assert rows(found) == expected
    assert found.image_size == {"width": 128, "height": 64, "depth": 3} and found.embedding == []
    if kind != "detr":
        assert [box.score for box in dark.boxes][0] == pytest.approx(0.8 * 51 / 255, abs=1e-3)


def test_letterboxed_pictures_keep_their_proportions(tmp_path):
    detector = Detector(taken_in(tmp_path, "boxes", description=described(input_resize="letterbox", input_pad=0)))
    (wide, tall) = detector.detect([picture(128, 64), picture(32, 64)])
    # 128 x 64 lies at rows 16 to 48 of the input, at half its size; red is half of it, so chances are halved.
    assert rows(wide) == [(3, 32, 0, 64, 48, 0.4), (1, 0, 0, 40, 8, 0.2)]
    assert rows(tall)[0][:5] == (3, 0, 8, 32, 32)


@pytest.mark.parametrize(
    ("layout", "changes", "score"),
    [
        ("NHWC", {"input_layout": "NHWC"}, 0.8),
        ("NCHW", {"input_color": "BGR"}, 0.0),
        ("NCHW", {"input_scale": 1.0, "input_std": 510}, 0.4),
        ("NCHW", {"input_scale": 1.0, "input_mean": [127.5, 0, 0], "input_std": [255, 1, 1]}, 0.4),
    ],
)
def test_pixels_are_what_the_description_says(tmp_path, layout, changes, score):
    detector = Detector(taken_in(tmp_path, "boxes", description=described(**changes), layout=layout))
    (found,) = detector.detect([picture(64, 64)])
    assert (found.boxes[0].score if found.boxes else 0.0) == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_network_of_a_fixed_batch_gets_it(tmp_path, batch):
    detector = Detector(taken_in(tmp_path, "boxes", batch=batch))
    assert json.loads((tmp_path / "config.json").read_text())["input"]["batch"] == batch
    found = detector.detect([picture(64, 64, red=red) for red in (255, 51, 102)])
    assert [one.boxes[0].score for one in found] == pytest.approx([0.8, 0.16, 0.32], abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": None}, "config.json: input must be an object"),
        ({"input": {"height": 64}}, "input.width .pixels. is missing"),
        ({"input": {"width": True, "height": 64}}, "input.width is True; a whole number from 16 to 4096"),
        ({"input": {"width": 64, "height": 64, "layout": "CHW"}}, "input.layout is 'CHW'; available: NCHW, NHWC"),
        ({"input": {"width": 64, "height": 64, "std": [1, 0, 1]}}, "input.std must not be 0"),
        ({"input": {"width": 64, "height": 64, "mean": [1, 2]}}, "input.mean has 2 numbers"),
        ({"input": {"width": 64, "height": 64, "scale": float("nan")}}, "input.scale is nan; a number"),
        ({"input": {"width": 64, "height": 64, "dtype": "uint8", "scale": 2}}, "change nothing of .* uint8"),
        ({"input": {"width": 64, "height": 64, "colour": "RGB"}}, "input.colour is not known"),
        ({"output": {}}, "output.format is missing; available: boxes, yolo5, yolo8, ssd, detr"),
        ({"output": {"format": "yolo9"}}, "output.format is 'yolo9'"),
        ({"output": {"format": "boxes", "names": {"box": "a"}}}, "output.names has box; format 'boxes' has boxes"),
        ({"output": {"format": "boxes", "suppressed": 1}}, "output.suppressed is 1"),
        ({"class_map": {}}, "class_map must be an object"),
        ({"class_map": {"-1": "a"}}, "'-1' is not a class number"),
        ({"class_map": {"1": "a", "01": "b"}}, "a number and a name of its own"),
        ({"class_map": {"1": "a", "2": "a"}}, "a number and a name of its own"),
        ({"class_map": {"1": "\n"}}, "class_map.1 must be a name"),
        ({"thresholds": {"score": 2}}, "thresholds.score is 2"),
        ({"external": "/etc/passwd"}, "'external' is not known"),
    ],
)
def test_a_wrong_description_is_named(change, message):
    with pytest.raises(BadInput, match=message):
        read_config({**described(), **change})


def test_a_description_that_is_no_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(BadInput, match="not JSON"):
        read_description(tmp_path / "a.json")
    with pytest.raises(BadInput, match="expected an object, found list"):
        read_config([])


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("boxes", {"input_width": 32}, r"said to be \[N, 3, 64, 32\], the network reads \['n', 3, 64, 64\]"),
        ("boxes", {"input_layout": "NHWC"}, r"said to be \[N, 64, 64, 3\]"),
        ("boxes", {"input_dtype": "float16"}, r"input.dtype is float16, the network reads tensor\(float\)"),
        ("boxes", {"input_name": "pixels"}, "input.name is 'pixels', the network's input is 'images'"),
        ("boxes", {"output_names": {"boxes": "box"}}, "names.boxes is 'box', the network has 'boxes', 'scores'"),
        ("boxes", {"output_format": "detr"}, "output.names.logits is 'logits'"),
        ("yolo8", {"output_format": "yolo5"}, r"'predictions' has the shape \[1, 9, 3\]"),
        ("yolo5", {"class_map_7": "fly"}, "class 7 of class_map is not among the 5 classes of 'predictions'"),
    ],
)
def test_a_description_that_does_not_fit_the_network_is_named(tmp_path, kind, changes, message):
    with pytest.raises(BadInput, match=message):
        taken_in(tmp_path, kind, description=described(kind, **changes))


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07no model")
    read_config(described()).write(tmp_path)
    with pytest.raises(BadInput, match="is not an ONNX model"):
        try_model(tmp_path)


def test_tensors_in_other_files_are_refused(tmp_path):
    a_network(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    read_config(described()).write(tmp_path)
    with pytest.raises(BadInput, match="lies in another file"):
        try_model(tmp_path)


def test_operators_of_other_libraries_are_refused_also_inside_branches(tmp_path):
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    inner = helper.make_graph([helper.make_node("Steal", ["images"], ["y"], domain="evil.ops")], "then", [], [value])
    node = helper.make_node("If", ["yes"], ["boxes"], then_branch=inner, else_branch=inner)
    save(
        tmp_path / "model.onnx",
        [node],
        [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, None)],
        {"yes": np.array(True)},
        [1, 3, 64, 64],
        domains=[helper.make_opsetid("evil.ops", 1)],
    )
    read_config(described()).write(tmp_path)
    with pytest.raises(BadInput, match="the operator evil.ops.Steal is not one of ONNX's own"):
        try_model(tmp_path)


def finish(folder: JobFolder) -> int:
    command = [sys.executable, "-m", "learning.serving.importing", str(folder.root)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=200).returncode


def test_the_program_takes_a_detector_in(tmp_path):
    folder = an_import(tmp_path, "yolo8")
    assert finish(folder) == EXIT_DONE
    config = ModelConfig.read(folder.model)
    assert (config.architecture, config.class_ids, config.input["name"]) == (FOREIGN, [1, 3], "images")
    (found,) = Detector(folder.model).detect([picture(64, 64)])
    assert [(box.class_id, box.left) for box in found.boxes] == [(3, 16), (1, 0)]


def test_a_network_that_wants_too_much_memory_breaks_only_the_trial(tmp_path):
    folder = an_import(tmp_path)
    names = {"boxes": [1, 1, 4], "scores": [1, 1], "labels": [1, 1]}
    nodes = [helper.make_node("ConstantOfShape", ["endless"], ["large"])]
    nodes += [helper.make_node("ReduceMax", ["large"], [name], keepdims=0) for name in names]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    save(folder.channel(MODEL) / "model.onnx", nodes, outputs, {"endless": np.array([1 << 36])}, [1, 3, 64, 64])
    assert finish(folder) == EXIT_BAD_INPUT
    assert "network" in (folder.read_failure() or "") and not (folder.model / "config.json").exists()
