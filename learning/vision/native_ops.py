"""The one torchvision operator that detection needs, where torchvision's own native library cannot load.

The PyPI wheel of torchvision is linked against CUDA; beside a CPU build of torch its library fails to load
and even `import torchvision` ends in "operator torchvision::nms does not exist". `install()` must run before
the first import of torchvision in a process; every program of this folder does so. It must not know models or data.
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

NMS_SCHEMA = "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
# torchvision registers a shape function for this one while imported, so it must exist; nothing calls it.
QUANTIZED_NMS_SCHEMA = "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

_installed: torch.library.Library | None = None


def install() -> bool:
    """Make `import torchvision` and `torchvision.ops.nms` work in this process; harmless when called again.

    Returns True when our own kernel is in use, False when torchvision's native library is.
    Raises ModuleNotFoundError when torchvision itself is not installed.
    """
    global _installed
    if _installed is not None:
        return True
    if _native_library_loads():
        return False
    library = torch.library.Library("torchvision", "DEF")
    library.define(NMS_SCHEMA)
    library.define(QUANTIZED_NMS_SCHEMA)
    library.impl("nms", nms, "CPU")
    # A GPU build of torch whose torchvision library does not load gets the same kernel through host memory.
    library.impl("nms", _nms_through_host, "CUDA")
    _installed = library  # The operators are removed when this object is.
    import torchvision.ops.boxes

    # torchvision refuses every operator unless its own library has loaded; only the one defined here is let
    # through, the others still end in torchvision's own clear error.
    torchvision.ops.boxes._assert_has_ops = lambda: None
    return True


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Greedy non-maximum suppression on the CPU.

    dets [N, 4] as (x1, y1, x2, y2), scores [N]; a box goes when its IoU with a kept, better box is above the
    threshold. Returns int64 indices of the kept boxes, best first. Raises ValueError on other shapes.
    """
    if dets.dim() != 2 or dets.size(1) != 4:
        raise ValueError(f"nms: boxes must have shape [N, 4], got {list(dets.shape)}")
    if scores.shape != dets.shape[:1]:
        raise ValueError(f"nms: {dets.size(0)} boxes but scores of shape {list(scores.shape)}")
    boxes = dets.detach().to("cpu", torch.float32).numpy()
    order = torch.argsort(scores.detach().to("cpu", torch.float32), descending=True, stable=True).numpy()
    x1, y1, x2, y2 = (np.ascontiguousarray(boxes[order, side]) for side in range(4))
    areas = (x2 - x1) * (y2 - y1)
    alive = np.arange(len(order))
    kept: list[int] = []
    while alive.size:
        best, rest = alive[0], alive[1:]
        kept.append(int(order[best]))
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        overlap = np.maximum(width, 0) * np.maximum(height, 0)
        # Written as a product so that two empty boxes (union 0) are kept, as torchvision's kernel does.
        alive = rest[overlap <= iou_threshold * (areas[best] + areas[rest] - overlap)]
    return torch.as_tensor(kept, dtype=torch.int64)


def _nms_through_host(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    return nms(dets, scores, iou_threshold).to(dets.device)


def _native_library_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("torchvision is not installed (learner block of requirements.txt)")
    folder = Path(list(spec.submodule_search_locations)[0])
    for path in sorted(folder.glob("_C*")):
        try:
            torch.ops.load_library(str(path))
        except OSError:
            continue
        return True
    return False
