"""The state of a training run on disk: safetensors and JSON, whole or not there at all, never a pickle.

It must not know what is trained or why: it is given tensors and plain values.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

TENSORS, STATE = "state.safetensors", "state.json"


def save(folder: Path, *, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write the checkpoint of a step and remove older ones; a kill -9 at any point leaves the older or the newer."""
    folder.mkdir(parents=True, exist_ok=True)
    beside, final = folder / f".writing-{os.getpid()}", folder / f"step-{step:09d}"
    if final.exists():
        return
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    save_file({k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}, beside / TENSORS)
    (beside / STATE).write_text(json.dumps(state), encoding="utf-8")
    for name in (TENSORS, STATE):
        with (beside / name).open("rb") as stream:
            os.fsync(stream.fileno())
    beside.rename(final)
    for other in (*folder.glob("step-*"), *folder.glob(".writing-*")):
        if other != final:
            shutil.rmtree(other)


def load_latest(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint's tensors and state, None when there is none."""
    found = sorted(folder.glob("step-*")) if folder.exists() else []
    if not found:
        return None
    state = json.loads((found[-1] / STATE).read_text(encoding="utf-8"))
    return load_file(found[-1] / TENSORS), state


def pack(prefix: str, state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split a nested state dict (as optimizers have) into tensors by path and plain values by path."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    for key, value in state.items():
        path = f"{prefix}/{key}"
        if isinstance(value, Tensor):
            tensors[path] = value
        elif isinstance(value, Mapping):
            inner_tensors, inner_plain = pack(path, value)
            tensors |= inner_tensors
            plain |= inner_plain
        else:
            plain[path] = value
    return tensors, plain


def take(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    start = prefix + "/"
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]
) -> None:
    """Put back what pack("optimizer", optimizer.state_dict()["state"]) took apart; groups stay as they are.

    Fused optimizers go through a parameter and its averages in the order of memory, so all get the parameter's layout.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for source in (take("optimizer", tensors), plain):
        for path, value in source.items():
            number, name = path.removeprefix("optimizer/").split("/", 1)
            like = parameters[int(number)]
            if isinstance(value, Tensor) and value.shape == like.shape:
                value = torch.empty_like(like, dtype=value.dtype).copy_(value)
            state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
