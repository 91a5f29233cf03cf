"""How to train each architecture: defaults, parameter groups, learning-rate curve, moving average, precision.

Figures behind the defaults are in weights/README.md. It must not know more of a model than that it is a torch module,
nor files or manifests.
"""

import copy
import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)
EXTRAS = "backbone.extra."  # the start of the names of SSD's extra layers


@dataclass(frozen=True)
class Recipe:
    """What training an architecture needs to know; a hyperparameter given by the requester overrides its field."""

    batch_size: int
    learning_rate: float  # of layers that are new to the task
    trunk_factor: float  # the pretrained trunk's rate as a share of it
    weight_decay: float
    warmup_steps: int
    final_factor: float  # the last step's rate as a share of the highest
    ema_decay: float
    frozen_blocks: int  # of the compact trunk: its stem and this many blocks do not learn
    clip_norm: float
    augmentation: str
    freeze_norms: bool  # keep running statistics as pretrained; right for small batches
    class_factor: float = 1.0  # the rate of the layer that tells the task's classes apart, as a share
    least_steps: int = 1500  # of a run without a given length, however few its images
    fresh_extras: bool = False  # SSD's extra layers have no pretrained weights, so neither rate nor norms are held back


_SSD = Recipe(
    batch_size=16, learning_rate=5e-4, trunk_factor=0.3, weight_decay=1e-4, warmup_steps=100, final_factor=0.01,
    ema_decay=0.998, frozen_blocks=0, clip_norm=10.0, augmentation="strong", freeze_norms=False,
)  # fmt: skip
RECIPES = {
    "compact": Recipe(
        batch_size=8, learning_rate=3e-3, trunk_factor=0.3, weight_decay=1e-2, warmup_steps=10, final_factor=0.02,
        ema_decay=0.99, frozen_blocks=5, clip_norm=10.0, augmentation="standard", freeze_norms=True,
        class_factor=3.0, least_steps=1200,
    ),
    "ssdlite320_mobilenet_v3_large": _SSD,
    "ssd300_vgg16": _SSD,
    # Batches are too small to estimate the statistics of 50 layers; torchvision's detectors freeze them as well.
    "ssd300_resnet50": dataclasses.replace(_SSD, freeze_norms=True, fresh_extras=True),
}  # fmt: skip


def for_architecture(architecture: str) -> Recipe:
    """The recipe of an architecture; raises ValueError for a name that has none."""
    if architecture not in RECIPES:
        raise ValueError(f"no recipe for architecture {architecture!r}; there are: {', '.join(RECIPES)}")
    return RECIPES[architecture]


def prepare(model: nn.Module, recipe: Recipe) -> None:
    """Stop learning where the recipe says so; once, before parameter_groups."""
    freeze = getattr(getattr(model, "trunk", None), "freeze", None)
    if recipe.frozen_blocks and freeze is not None:
        freeze(recipe.frozen_blocks)


def set_train_mode(model: nn.Module, recipe: Recipe) -> None:
    """model.train(), with batch norms left as they are where the recipe freezes them; before each epoch.

    The norms of frozen layers are left as they are too: their statistics are a part of what must not change.
    """
    model.train()
    for name, part in model.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            held = recipe.freeze_norms and not (recipe.fresh_extras and EXTRAS in name)
            if held or not part.weight.requires_grad:
                part.eval()


def parameter_groups(model: nn.Module, recipe: Recipe, *, learning_rate: float = 0.0) -> list[dict[str, Any]]:
    """Groups for an optimizer: trunk, class layer or rest, decayed or not (biases and norms are not).

    Each group also carries "peak", its highest learning rate, which Schedule.apply scales.
    """
    highest = learning_rate or recipe.learning_rate
    sorted_out: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            sorted_out.setdefault((_factor(name, recipe), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": highest * factor,
            "peak": highest * factor,
            "weight_decay": recipe.weight_decay if decayed else 0.0,
        }
        for (factor, decayed), parameters in sorted_out.items()
    ]


def _factor(name: str, recipe: Recipe) -> float:
    if recipe.fresh_extras and EXTRAS in name:
        return 1.0
    if name.startswith(("trunk.", "backbone.")):
        return recipe.trunk_factor
    return recipe.class_factor if name.startswith("head.classes.") else 1.0


@dataclass(frozen=True)
class Schedule:
    """Warm-up, then a cosine down to `final_factor`, over steps or over time, whichever ends first.

    With `max_seconds` a run that is slower than expected still ends at its low rate, within the limit.
    """

    recipe: Recipe
    total_steps: int
    max_seconds: float = 0.0  # 0: no limit

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start, 1 when training is over (by steps done or seconds gone)."""
        by_steps = step / max(1, self.total_steps)
        return min(1.0, max(by_steps, elapsed / self.max_seconds if self.max_seconds else 0.0))

    def factor(self, step: int, elapsed: float) -> float:
        """What each group's peak rate is multiplied by at this step."""
        low = self.recipe.final_factor
        curve = low + (1 - low) * 0.5 * (1 + math.cos(math.pi * self.progress(step, elapsed)))
        return curve * min(1.0, (step + 1) / max(1, self.recipe.warmup_steps))

    def stretched(self, factor: float) -> "Schedule":
        """The same curve over another number of steps, for batches of another size."""
        return replace(self, total_steps=round(self.total_steps * factor))

    def apply(self, optimizer: torch.optim.Optimizer, step: int, elapsed: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * self.factor(step, elapsed)


def to_channels_last(model: nn.Module) -> None:
    """Lay the weights of convolutions out as CPUs and tensor cores read them fastest, in place."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs do not know it


class Ema(Generic[M]):
    """A moving average of the weights; it is the average that is evaluated and kept.

    Early on the average is short, so that after a few dozen steps it does not consist mostly of the first weights.
    """

    def __init__(self, model: M, recipe: Recipe) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.updates = recipe.ema_decay, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Follow the weights by one step, all of them in one call; buffers are copied."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        pairs = zip(self.model.parameters(), model.parameters(), strict=True)
        averaged, new = zip(*((own, new) for own, new in pairs if new.requires_grad), strict=True)
        torch._foreach_lerp_(averaged, new, 1 - decay)
        buffers: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for kept, current in zip(self.model.buffers(), model.buffers(), strict=True):
            for tensors, tensor in zip(buffers.setdefault(kept.dtype, ([], [])), (kept, current), strict=True):
                tensors.append(tensor)
        for kept_ones, current_ones in buffers.values():  # one call takes tensors of one type
            torch._foreach_copy_(kept_ones, current_ones)

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.updates = state["updates"]


@contextmanager
def precision(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Autocast to `dtype`, or nothing for float32."""
    context: AbstractContextManager[Any] = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
    with context:
        yield


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return torch.bfloat16 if native.get("avx512_bf16") or native.get("amx_bf16") else torch.float32
