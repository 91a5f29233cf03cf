"""A training that loses its process, its memory or its solitude ends with the weights it would have had anyway."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from learning.contract import ARCHITECTURES, EXIT_BAD_INPUT, EXIT_DONE, JobFolder, ModelConfig, read_metrics
from tests.learning.vision import jobs

SIZES = {"compact": 64, "ssdlite320_mobilenet_v3_large": 96}  # the others take their own
TRAIN_PROGRAM = "learning.vision.train"


def weights(folder: JobFolder) -> dict[str, torch.Tensor]:
    return load_file(folder.model / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(architecture: str, tmp_path: Path) -> None:
    given = {"architecture": architecture, "image_size": SIZES.get(architecture, 0), "epochs": 3, "batch_size": 2}
    whole, killed = (
        jobs.training_job(tmp_path / name, images=4, checkpoint_seconds=0, eval_every=100, **given)
        for name in ("whole", "killed")
    )
    status, _, log = jobs.finish("train", whole)
    assert status == EXIT_DONE, log

    child = jobs.start("train", killed)
    jobs.wait_until(lambda: any(killed.checkpoints.glob("step-*[2-5]")), child)
    child.kill()
    child.communicate()
    assert not (killed.model / "config.json").exists()
    status, _, log = jobs.finish("train", killed)

    assert status == EXIT_DONE and "resumed at step" in log, log
    assert ModelConfig.read(killed.model).metrics["steps"] == 6
    wanted = weights(whole)
    assert all(value.equal(wanted[name]) for name, value in weights(killed).items())


def with_address_space(folder: JobFolder, gigabytes: float) -> subprocess.CompletedProcess[str]:
    """The program in a process that may have so much memory, the libraries' included."""
    limit = int(gigabytes * 2**30)
    return subprocess.run(
        [sys.executable, "-m", TRAIN_PROGRAM, str(folder.root)],
        cwd=jobs.REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.slow
def test_where_memory_is_short_batches_are_halved_until_they_fit(tmp_path: Path) -> None:
    folder = jobs.training_job(tmp_path, images=4, image_size=256, batch_size=64, epochs=2, precision="float32")
    done = with_address_space(folder, 4)
    assert done.returncode == EXIT_DONE, done.stderr
    said = re.findall(
        r"the memory is not enough for batches of (\d+) images .*; going on with batches of (\d+)", done.stderr
    )
    assert said and said[0] == ("64", "32")
    assert (folder.model / "model.onnx").exists()


def test_where_no_batch_fits_the_failure_says_so(tmp_path: Path) -> None:
    folder = jobs.training_job(tmp_path, images=2, image_size=1536, batch_size=2, precision="float32")
    done = with_address_space(folder, 3)
    assert done.returncode == EXIT_BAD_INPUT, done.stderr
    reason = folder.read_failure() or ""
    assert "the memory is not enough for batches of 2 images" in reason and "lower image_size" in reason


@pytest.mark.slow
def test_two_processes_learn_as_one_with_the_same_batches(tmp_path: Path) -> None:
    # The starting weights have norms that stay as they are: on CPUs others would see a half of the batch each.
    given = {"weights": "auto", "epochs": 2, "batch_size": 4, "precision": "float32", "eval_every": 2}
    alone, together = (jobs.training_job(tmp_path / name, **given) for name in ("alone", "together"))
    status, _, log = jobs.finish("train", alone)
    assert status == EXIT_DONE, log
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", TRAIN_PROGRAM]
    done = subprocess.run(
        [sys.executable, *words, str(together.root)],
        cwd=jobs.REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == EXIT_DONE, done.stderr

    def losses(folder: JobFolder) -> list[tuple[int, str, float]]:
        found = read_metrics(folder.metrics)[0]
        return [(m.step, m.name, m.value) for m in found if m.name.startswith("train:loss")]

    first = [value for value in losses(together) if value[0] == 1]
    assert first and first == [
        (step, name, pytest.approx(value, rel=1e-4)) for step, name, value in losses(alone) if step == 1
    ]
    assert ModelConfig.read(together.model).metrics["steps"] == ModelConfig.read(alone.model).metrics["steps"] == 4
    wanted = weights(alone)
    for name, value in weights(together).items():
        assert torch.allclose(value, wanted[name], rtol=1e-2, atol=1e-3), name
    # one process writes
    assert len([json.loads(line) for line in done.stdout.splitlines() if '"train:progress"' in line]) == len(
        [m for m in read_metrics(together.metrics)[0] if m.name == "train:progress"]
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_benchmark_of_cards_measures_every_row_on_a_cpu_too() -> None:
    words = ["-m", "benchmarks.gpu", "--small", "--architectures", "compact", "ssdlite320_mobilenet_v3_large"]
    done = subprocess.run([sys.executable, *words], cwd=jobs.REPOSITORY, capture_output=True, text=True, timeout=880)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    for name in ("compact", "ssdlite320"):
        assert figures[f"{name}_img_per_s"] > 0 and figures[f"{name}_loader_img_per_s"] > 0
        assert figures[f"{name}_graph_difference"] < 1e-3
    assert figures["ssdlite320_over_fp32_reference"] > 0
