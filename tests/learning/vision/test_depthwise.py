"""Depthwise convolutions learn right in bfloat16 on maps of any size, whatever lay in the memory they are given."""

import os
import subprocess
import sys

from tests.learning.vision import jobs

# The largest deviation of a gradient from that of float32, as a share of the largest value, for each case.
CASES = """
import itertools
import torch
from torch.nn import functional
from learning.vision.depthwise import depthwise_conv2d
torch.set_num_threads(1)
for images, side, kernel, stride in itertools.product((2, 8), (1, 2, 3, 4), (3, 5), (1, 2)):
    pixels = torch.randn(images, 16, side, side).to(memory_format=torch.channels_last)
    given = pixels, torch.randn(16, 1, kernel, kernel)
    ours, plain = ([value.clone().requires_grad_() for value in given] for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        out = depthwise_conv2d(ours[0].to(torch.bfloat16), ours[1], None, stride)
    slope = torch.randn(out.shape).to(out.dtype)
    out.backward(slope)
    functional.conv2d(*plain, None, stride, kernel // 2, 1, 16).backward(slope.float())
    for mine, theirs in zip(ours, plain):
        error = ((mine.grad - theirs.grad).abs().max() / theirs.grad.abs().max()).item()
        assert error < 0.05, (images, side, kernel, stride, error)
print("right")
"""


def test_gradients_read_no_memory_that_nobody_wrote() -> None:
    # glibc fills what it hands out with a pattern that is a huge number: as bfloat16 and as float32 about 3e38.
    done = subprocess.run(
        [sys.executable, "-c", CASES], cwd=jobs.REPOSITORY, env=os.environ | {"MALLOC_PERTURB_": "128"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "right\n", done.stderr
