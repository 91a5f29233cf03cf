"""How many processes train together, and how their ends become one."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, EXIT_FAILED, BadInput, JobFolder, ModelConfig, read_metrics
from learning.group import VARIABLE, Group
from learning.vision import together
from tests.learning.vision import jobs
from tests.object_stores import free_port

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("cards", "asked", "most", "batch_size", "count"),
    [
        (0, 0, 0, 16, 1),
        (0, 2, 0, 16, 2),
        (0, 9, 0, 64, 4),  # cores
        (1, 0, 0, 16, 1),
        (4, 0, 0, 16, 4),
        (4, 2, 0, 16, 2),
        (4, 8, 0, 16, 4),
        (4, 0, 3, 16, 3),
        (4, 0, 0, 4, 2),  # a share of less than two images is too small
        (4, 0, 0, 1, 1),
        (8, 0, 1, 64, 1),
    ],
)
def test_each_card_has_a_process_unless_somebody_says_otherwise(
    cards: int, asked: int, most: int, batch_size: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    device = CUDA if cards else CPU
    assert together.wanted(asked=asked, most=most, batch_size=batch_size, device=device, cores=4) == count


def test_one_that_torchrun_has_started_starts_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert together.wanted(asked=2, most=0, batch_size=16, device=CPU, cores=4) == 1


def test_machines_that_train_together_share_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, Group(1, 4, "bee-1:4711", "bee-2").to_text())
    assert together.wanted(asked=4, most=0, batch_size=16, device=CPU, cores=4) == 2
    assert together.is_to_start(1)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert not together.is_to_start(1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_machines_train_one_network_and_the_first_one_keeps_it(tmp_path) -> None:
    first = jobs.training_job(tmp_path / "first", epochs=8)
    second = JobFolder(shutil.copytree(first.root, tmp_path / "second"))
    manifests = [one.manifest(name) for one in (second,) for name in ("train", "validation")]
    for manifest in manifests:
        manifest.write_text(manifest.read_text().replace(str(first.root), str(second.root)))
    address = f"127.0.0.1:{free_port()}"
    children = []
    for number, folder in enumerate((first, second)):
        told = {VARIABLE: Group(number, 2, address, "127.0.0.1").to_text(), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "learning.vision.train", str(folder.root)]
        children.append(
            subprocess.Popen(command, cwd=jobs.REPOSITORY, env=os.environ | told, stderr=subprocess.PIPE, text=True)
        )
    logs = [child.communicate(timeout=800)[1] for child in children]
    assert [child.returncode for child in children] == [EXIT_DONE, EXIT_DONE], logs
    assert "1 processes train together on each of 2 machines" in logs[0]
    assert ModelConfig.read(first.model).metrics["steps"] == 16
    assert not (second.model / "model.onnx").exists() and not read_metrics(second.metrics)[0]


def test_the_ends_of_several_processes_are_one_end(tmp_path) -> None:
    folder = JobFolder(tmp_path)
    folder.write_failure("the image is upside down")
    with pytest.raises(BadInput, match="upside down"):
        together._end_as([EXIT_FAILED, EXIT_BAD_INPUT], folder)
    with pytest.raises(RuntimeError, match="upside down"):
        together._end_as([EXIT_FAILED, EXIT_FAILED], folder)
    dies = "import sys; from pathlib import Path; from learning.contract import JobFolder; "
    dies += "from learning.vision.together import _end_as; _end_as([1, -9], JobFolder(Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", dies, str(tmp_path)], cwd=jobs.REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL
