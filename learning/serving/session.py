"""Running model.onnx: CUDA where there is one, else OpenVINO or ONNX Runtime, behind one small interface.

It must not know images, classes or thresholds: uint8 pixels go in, raw heads come out.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from learning.contract import BadInput

# In the order in which they are tried: measured on 2 cores, OpenVINO is the faster one of those for CPUs.
ON_THE_CPU = ("openvino", "onnxruntime")
BACKENDS = ("cuda", *ON_THE_CPU)
_OPENVINO_PRECISION = {"float32": "f32", "bfloat16": "bf16"}
OUTPUTS = ("boxes", "scores", "embedding")
Heads = tuple[NDArray[np.float32], ...]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Session(Protocol):
    """A loaded model."""

    name: str

    def run(self, images: NDArray[np.uint8]) -> Heads:
        """images [N, S, S, 3] -> boxes [N, A, 4] in pixels of the S x S input, scores [N, A, C], embedding [N, D]."""
        ...


class Runtime(Session, Protocol):
    """A loaded model whose input and outputs may be any."""

    def call(self, values: NDArray[Any], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """The network's first input -> its outputs of these names, which the next call may overwrite."""
        ...


class BackendUnavailable(RuntimeError):
    """The runtime asked for is missing or refuses the model; the message says which and why."""


class OpenVinoSession:
    """OpenVINO, tuned for throughput of one caller."""

    name = "openvino"

    def __init__(self, model: Path, num_threads: int, precision: str, outputs: Sequence[str]) -> None:
        self._outputs = tuple(outputs)
        try:
            import openvino
        except ImportError as error:
            raise BackendUnavailable(f"openvino is not installed: {error}") from error
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _OPENVINO_PRECISION[precision],
        }
        if num_threads:
            options["INFERENCE_NUM_THREADS"] = num_threads
        try:
            self._model = openvino.Core().compile_model(str(model), "CPU", options)
        except RuntimeError as error:
            raise BackendUnavailable(f"openvino cannot load {model.name}: {_one_line(error)}") from error
        self._request = self._model.create_infer_request()

    def call(self, values: NDArray[Any], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """See Runtime.call."""
        found = self._request.infer({0: values}, share_inputs=True)
        return [found[name] for name in outputs]

    def run(self, images: NDArray[np.uint8]) -> Heads:
        return tuple(self.call(images, self._outputs))


class OnnxRuntimeSession:
    """ONNX Runtime's CPU provider."""

    name = "onnxruntime"

    def __init__(self, model: Path, num_threads: int, precision: str, outputs: Sequence[str]) -> None:
        self._outputs = list(outputs)
        if precision != "float32":
            raise BackendUnavailable(f"onnxruntime computes in float32 here, not in {precision}")
        try:
            import onnxruntime
        except ImportError as error:
            raise BackendUnavailable(f"onnxruntime is not installed: {error}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or os.cpu_count() or 1
        options.log_severity_level = 3
        # Threads that spin while they wait would take the cores from other processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = self._providers(onnxruntime)
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=providers)
        except Exception as error:  # noqa: BLE001 - its exceptions share no base class but Exception
            raise BackendUnavailable(f"onnxruntime cannot load {model.name}: {_one_line(error)}") from error
        self._input = self._session.get_inputs()[0].name

    def call(self, values: NDArray[Any], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """See Runtime.call."""
        return self._session.run(list(outputs), {self._input: values})

    def run(self, images: NDArray[np.uint8]) -> Heads:
        return tuple(self.call(images, self._outputs))

    def _providers(self, onnxruntime: Any) -> list[str]:
        return ["CPUExecutionProvider"]


class CudaSession(OnnxRuntimeSession):
    """ONNX Runtime on the first GPU (the package onnxruntime-gpu)."""

    name = "cuda"

    def _providers(self, onnxruntime: Any) -> list[str]:
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise BackendUnavailable("this onnxruntime has no CUDA")
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]


_MAKERS: dict[str, Callable[[Path, int, str, Sequence[str]], Runtime]] = {
    "cuda": CudaSession,
    "openvino": OpenVinoSession,
    "onnxruntime": OnnxRuntimeSession,
}


def open_session(
    model: Path,
    *,
    backend: str = "auto",
    num_threads: int = 0,
    precision: str = "float32",
    outputs: Sequence[str] = OUTPUTS,
) -> Runtime:
    """Load a model; "auto" takes the first backend that works. num_threads 0: all cores.

    `outputs` are the graph's outputs in the order in which `run` gives them: those of detectors, unless said otherwise.

    precision "bfloat16" is about 1.7 times faster where the CPU multiplies it natively, and moves scores by up to a
    few hundredths. Raises BadInput when the file is missing or a name is not known, BackendUnavailable with the
    reason of every backend tried when none works.
    """
    if not model.is_file():
        raise BadInput(f"{model.name} is missing in {model.parent}")
    if backend != "auto" and backend not in _MAKERS:
        raise BadInput(f"serving backend {backend!r} is not known; available: auto, {', '.join(BACKENDS)}")
    if precision not in _OPENVINO_PRECISION:
        raise BadInput(f"precision {precision!r} is not known; available: {', '.join(_OPENVINO_PRECISION)}")
    reasons = []
    for name in BACKENDS if backend == "auto" else (backend,):
        try:
            return _MAKERS[name](model, num_threads, precision, outputs)
        except BackendUnavailable as error:
            reasons.append(str(error))
    raise BackendUnavailable("; ".join(reasons))
