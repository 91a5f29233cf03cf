"""One run of a foreign network on blank images: python -m learning.serving.trial MODEL_FOLDER

The file is hostile until it has passed: this process has limits of memory, time and output, and is thrown away after
it. It prints one JSON object: {"batch", "outputs": {part: shape}} or {"refused": why}.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from learning.contract import BadInput, ModelConfig
from learning.serving.foreign import OPTIONAL, Input, Output, read_input, read_output
from learning.serving.heads import read_heads
from learning.serving.opening import pixels_for
from learning.serving.session import BackendUnavailable, Runtime, open_session

# The standard's own operators, and those that ONNX Runtime brings with it; all others need a library of their author.
DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
MOST_NODES = 100_000
MOST_DEPTH = 16
MEMORY = 6 << 30
CPU_SECONDS = 120
WRITTEN_BYTES = 1 << 20
DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


def limit(model_bytes: int) -> None:
    """Limit this process: a network that wants more is ended by the system."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY + 6 * model_bytes),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def try_model(folder: Path) -> dict[str, Any]:
    """Check the graph of the folder's model.onnx and run it; raises BadInput naming what is wrong."""
    check_graph(folder / "model.onnx")
    config = ModelConfig.read(folder)
    frame, output = read_input(config.input), read_output(config.output)
    runtime = open_session(folder / "model.onnx", backend="onnxruntime", num_threads=1)
    frame, output = _fitted(folder / "model.onnx", frame, output)
    shapes = _run(runtime, frame, output, config.class_ids, images=frame.batch or 1)
    if not frame.batch:
        try:
            _run(runtime, frame, output, config.class_ids, images=2)
        except (BadInput, RuntimeError):
            # It says that it takes any number of images and does not.
            frame = replace(frame, batch=1)
    return {"input": asdict(frame), "output": asdict(output), "shapes": shapes}


def check_graph(path: Path) -> None:
    """Refuse what no detector needs: tensors in other files, operators of other libraries, endless graphs."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001 - protobuf's errors share no base class but Exception
        raise BadInput("model.onnx is not an ONNX model") from error
    if not model.graph.node:
        raise BadInput("model.onnx is not an ONNX model: its graph has no node")
    known = DOMAINS | {function.domain for function in model.functions}
    count = 0
    for owner in (model.graph, *model.functions):
        for node in _nodes(owner, 0):
            count += 1
            if count > MOST_NODES:
                raise BadInput(f"model.onnx has more than {MOST_NODES:,} nodes")
            if node.domain not in known:
                raise BadInput(
                    f"model.onnx: the operator {node.domain[:60]}.{node.op_type[:60]} is not one of ONNX's own; "
                    "operators of other libraries are not taken"
                )
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise BadInput(
                f"model.onnx: the tensor {tensor.name[:60]!r} lies in another file; save the model as one file"
            )


def _nodes(owner: Any, depth: int) -> Iterator[Any]:
    if depth > MOST_DEPTH:
        raise BadInput(f"model.onnx: graphs are nested more than {MOST_DEPTH} deep")
    for node in owner.node:
        yield node
        for inner in _graphs(node):
            yield from _nodes(inner, depth + 1)


def _graphs(node: Any) -> Iterable[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _tensors(model: Any) -> Iterator[Any]:
    for owner in (model.graph, *model.functions):
        yield from getattr(owner, "initializer", ())
        for node in _nodes(owner, 0):
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
                for one in (*sparse, *attribute.sparse_tensors):
                    yield from (one.values, one.indices)
            for inner in _graphs(node):
                yield from inner.initializer
                for one in inner.sparse_initializer:
                    yield from (one.values, one.indices)
        for one in getattr(owner, "sparse_initializer", ()):
            yield from (one.values, one.indices)


def _fitted(path: Path, frame: Input, output: Output) -> tuple[Input, Output]:
    """Input and output as the network itself has them, where the description leaves it open or says otherwise."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs, names = session.get_inputs(), [one.name for one in session.get_outputs()]
    if len(inputs) != 1:
        raise BadInput(f"the network has {len(inputs)} inputs ({_some(one.name for one in inputs)}), one is expected")
    (found,) = inputs
    if frame.name and frame.name != found.name:
        raise BadInput(f"config.json: input.name is {frame.name!r}, the network's input is {found.name!r}")
    if DTYPES.get(found.type) != frame.dtype:
        raise BadInput(f"config.json: input.dtype is {frame.dtype}, the network reads {found.type}")
    shape = list(found.shape)
    sides = [frame.height, frame.width]
    wanted = [None, 3, *sides] if frame.layout == "NCHW" else [None, *sides, 3]
    fits = len(shape) == 4 and all(
        not isinstance(side, int) or want in (None, side) for side, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        asked = ", ".join("N" if side is None else str(side) for side in wanted)
        raise BadInput(f"config.json: the input is said to be [{asked}], the network reads {shape}")
    lacking = {part: name for part, name in output.names.items() if name not in names}
    absent = {part for part in lacking if (output.format, part) in OPTIONAL}
    for part, name in lacking.items():
        if part not in absent:
            raise BadInput(f"config.json: output.names.{part} is {name!r}, the network has {_some(names)}")
    kept = {part: name for part, name in output.names.items() if part not in absent}
    batch = shape[0] if isinstance(shape[0], int) else 0
    if frame.batch and batch not in (0, frame.batch):
        raise BadInput(f"config.json: input.batch is {frame.batch}, the network takes {batch} images at once")
    return replace(frame, name=found.name, batch=frame.batch or batch), replace(output, names=kept)


def _run(runtime: Runtime, frame: Input, output: Output, classes: list[int], *, images: int) -> dict[str, list[int]]:
    blank = np.full((images, frame.height, frame.width, 3), 127, np.uint8)
    names = output.names
    values = runtime.call(pixels_for(blank, frame), list(names.values()))
    outputs = dict(zip(names, values, strict=True))
    read_heads(outputs, frame=frame, output=output, classes=classes, images=images)
    return {names[part]: list(value.shape) for part, value in outputs.items()}


def _some(names: Iterable[str]) -> str:
    return ", ".join(repr(name[:60]) for name in list(names)[:12])


def main() -> int:
    """The whole program."""
    folder = Path(sys.argv[1])
    limit((folder / "model.onnx").stat().st_size)
    try:
        answer = try_model(folder)
    except (BadInput, BackendUnavailable) as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": "the network needs more memory than it may have"}
    except Exception as error:  # noqa: BLE001 - runtimes raise their own kinds; what they say is all that is known
        answer = {"refused": f"the network does not run: {' '.join(str(error).split())[:500]}"}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
