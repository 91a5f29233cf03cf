"""A depthwise convolution whose training step is fast in bfloat16 on a CPU.

oneDNN has fast forward kernels for it but falls back to slow reference loops for two gradients that small detectors
need: the weights of a 5x5 kernel (5.1 ms an image against 0.16 ms here, 672 channels at 20x20, 2 cores) and
the input of a strided one (2.4 to 5 ms against 0.1 ms). Both are rewritten in terms of the operations that are
fast. It must not know detection.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TINY = 3  # pixels a side


class DepthwiseConv2d(nn.Conv2d):
    """nn.Conv2d for the convolutions that `depthwise_conv2d` knows; same parameters, same names."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - nn.Conv2d's own word
        return depthwise_conv2d(input, self.weight, self.bias, self.stride[0])


def quicken(model: nn.Module) -> None:
    """Turn the depthwise convolutions of a model into DepthwiseConv2d, in place."""
    for part in model.modules():
        if type(part) is not nn.Conv2d or part.groups == 1 or not part.groups == part.in_channels == part.out_channels:
            continue
        kernel = part.kernel_size[0]
        same = part.padding == (kernel // 2,) * 2 and part.dilation == (1, 1) and kernel % 2 == 1
        if same and part.kernel_size == (kernel, kernel) and part.stride[0] == part.stride[1]:
            part.__class__ = DepthwiseConv2d


def depthwise_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
    """x [N, C, H, W], weight [C, 1, k, k] with k odd, "same" padding k // 2; the numbers of F.conv2d."""
    kernel = weight.shape[-1]
    if x.device.type == "cpu" and min(x.shape[-2:]) <= TINY and torch.is_autocast_enabled("cpu"):
        # oneDNN's bfloat16 gradient of the weights of a 3x3 kernel with stride 2 over one pixel reads memory that
        # nobody wrote, and is not a number if that was not one; float32 costs nothing on maps this small.
        with torch.autocast("cpu", enabled=False):
            bias = None if bias is None else bias.float()
            return F.conv2d(x.float(), weight.float(), bias, stride, kernel // 2, 1, weight.shape[0])
    slow_here = x.device.type == "cpu" and (kernel == 5 or stride == 2)
    autocast = x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    bfloat = autocast and torch.get_autocast_dtype("cpu") == torch.bfloat16
    if slow_here and bfloat and torch.is_grad_enabled() and not torch.compiler.is_exporting():
        x, weight = x.to(torch.bfloat16), weight.to(torch.bfloat16)
        return _Depthwise.apply(x, weight, None if bias is None else bias.to(torch.bfloat16), stride)
    return F.conv2d(x, weight, bias, stride, kernel // 2, 1, weight.shape[0])


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.has_bias = stride, bias is not None
        return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        of_input = _grad_of_input(grad, weight, ctx.stride, x.shape) if ctx.needs_input_grad[0] else None
        of_weight = _grad_of_weight(x, grad, weight, ctx.stride) if ctx.needs_input_grad[1] else None
        of_bias = grad.float().sum((0, 2, 3)).to(grad.dtype) if ctx.has_bias else None
        return of_input, of_weight, of_bias, None


def _grad_of_input(grad: Tensor, weight: Tensor, stride: int, shape: torch.Size) -> Tensor:
    """The transposed convolution, as a plain one with the kernel turned round over zero-stuffed gradients."""
    if stride > 1:
        stuffed = torch.empty(shape, dtype=grad.dtype, memory_format=torch.channels_last).zero_()
        stuffed[:, :, ::stride, ::stride] = grad
        grad = stuffed
    return F.conv2d(grad, weight.flip(2, 3), None, 1, weight.shape[-1] // 2, 1, weight.shape[0])


def _grad_of_weight(x: Tensor, grad: Tensor, weight: Tensor, stride: int) -> Tensor:
    """A 3x3 kernel has a fast gradient; a 5x5 one is four overlapping 3x3 ones over shifted inputs."""
    kernel = weight.shape[-1]
    if kernel != 5:
        return _native_grad_of_weight(x, grad, weight, stride, kernel // 2)
    height, width = ((size - 1) * stride + 3 for size in grad.shape[-2:])
    padded = F.pad(x, (2, 2 + stride, 2, 2 + stride))
    corner, out = weight[:, :, :3, :3].contiguous(), torch.empty_like(weight)
    for top in (0, 2):
        for left in (0, 2):
            window = padded[:, :, top : top + height, left : left + width]
            window = window.contiguous(memory_format=torch.channels_last)
            part = _native_grad_of_weight(window, grad, corner, stride, 0)
            out[:, :, top : top + 3, left : left + 3] = part
    return out


def _native_grad_of_weight(x: Tensor, grad: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    channels = weight.shape[0]
    return torch.ops.aten.convolution_backward(
        grad, x, weight, None, [stride, stride], [padding, padding], [1, 1], False, [0, 0], channels,
        [False, True, False],
    )[1]  # fmt: skip
