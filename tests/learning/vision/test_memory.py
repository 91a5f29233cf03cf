"""Memory that a step frees is there for the next step, without the system's help."""

import ctypes
import subprocess
import sys

import pytest

from tests.learning.vision import jobs

# Takes 64 MiB and frees them again, in five steps; says how many pages the system had to give, before and after.
STEPS = """
import resource
import torch
from learning.vision import memory
def step():
    torch.ones(2**20), torch.ones(15 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def pages():
    settled = [step() for _ in range(6)][-1]
    return [step() for _ in range(5)][-1] - settled
print(pages(), memory.keep_freed(), pages())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this system's C library has no mallopt")
def test_what_a_step_frees_the_next_one_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEPS], cwd=jobs.REPOSITORY, capture_output=True, text=True, check=True
    )
    before, kept, after = done.stdout.split()
    assert kept == "True" and int(after) < 100
    assert int(before) > 5 * 2**26 / 4096 / 2, "nothing was to be gained here"
