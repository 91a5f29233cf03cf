"""A detector made by hand, without torch: one box for each quarter of the picture.

The score of class 3 ("red") is how red the quarter is on average, the score of class 7 ("blue") how blue.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from learning.contract import ModelConfig

SIZE = 64
NAMES = {"3": "red", "7": "blue"}


def write_model(folder: Path, *, size: int = SIZE, config_size: int | None = None) -> Path:
    """The three files of a model. With another `config_size` the network refuses the pictures that it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    half = size // 2
    corners = [(0, 0, half, half), (half, 0, size, half), (0, half, half, size), (half, half, size, size)]
    constants = {
        "corners": np.array([corners], np.float32),
        "white": np.array(255, np.float32),
        "nothing": np.array(0, np.float32),
        "quarters": np.array([0, 3, 4], np.int64),
        "flat": np.array([0, 12], np.int64),
        "channels": np.array([0, 2], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["numbers", "white"], ["shares"]),
        helper.make_node("Transpose", ["shares"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[half, half], strides=[half, half]),
        helper.make_node("Reshape", ["means", "quarters"], ["by_channel"]),
        helper.make_node("Transpose", ["by_channel"], ["by_quarter"], perm=[0, 2, 1]),
        helper.make_node("Gather", ["by_quarter", "channels"], ["scores"], axis=2),
        helper.make_node("ReduceMean", ["scores"], ["any"], axes=[2], keepdims=1),
        helper.make_node("Mul", ["any", "nothing"], ["zeros"]),
        helper.make_node("Add", ["corners", "zeros"], ["boxes"]),
        helper.make_node("Reshape", ["means", "flat"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quadrants",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", size, size, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
            for name, shape in (("boxes", [4, 4]), ("scores", [4, 2]), ("embedding", [12]))
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "model.safetensors").write_bytes(b"none")
    thresholds = {"score": 0.02, "nms": 0.45}
    ModelConfig("compact", NAMES, config_size or size, {}, thresholds, {}, {}).write(folder)
    return folder
