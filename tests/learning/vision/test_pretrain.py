"""Pretraining: ImageNet's names, the checkpoint that is shipped, and a run of the program end to end."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from learning.scenes import abstract as scenes
from learning.vision import native_ops

native_ops.install()

from learning.vision import compact, pretrain  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads on a machine that is busy with other tests wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def bank():
    return scenes.draw_bank(np.random.default_rng(3), sprites=60, grounds=4, side=220)


def test_imagenet_names_fit_the_trunk():
    state = pretrain.imagenet_trunk()
    if state is None:
        pytest.skip(f"{pretrain.TRUNK_PACKAGE} is not installed; only making a new checkpoint needs it")
    trunk = compact.Trunk(norm=True)
    trunk.load_state_dict(state)
    assert trunk.stem.conv.weight.std() > 0.1 and trunk.stem.norm.running_var.max() > 1


def test_the_shipped_checkpoint_finds_generated_things(bank):
    folder = pretrain.Path(pretrain.__file__).parent / "weights"
    note = json.loads((folder / "waggle-start.json").read_text())
    file = folder / "waggle-start.safetensors"
    assert file.stat().st_size <= 20_000_000 and note["finished"] and note["metrics"]["recall"] > 0.5
    model = compact.build(len(note["outputs"]) + 1, image_size=note["image_size"]).eval()
    assert compact.load(model, load_file(file)) == []
    rng, matched, true = np.random.default_rng(11), 0, 0
    for _ in range(6):
        scene = scenes.compose(rng, bank, note["image_size"])
        pixels = torch.from_numpy(np.asarray(scene.image).transpose(2, 0, 1).copy()).float() / 255
        with torch.no_grad():
            found = model([pixels])[0]
        keep = (found["labels"] == 1) & (found["scores"] > 0.3)
        if keep.any() and len(scene.boxes):
            iou = pretrain.pairwise_iou(torch.from_numpy(scene.boxes)[None], found["boxes"][keep][None])[0]
            matched += int((iou.amax(1) > 0.5).sum())
        true += len(scene.boxes)
    assert matched >= 0.5 * true > 0


@pytest.mark.slow
def test_the_program_writes_a_checkpoint_from_random_weights(tmp_path):
    words = ["--out", tmp_path, "--steps", "2", "--seconds", "200", "--image-size", "64", "--sprites", "12",
             "--workers", "0", "--random", "--seed", "1", "--held-out", "8", "--threads", "1"]  # fmt: skip
    run = [sys.executable, "-m", "learning.vision.pretrain", *map(str, words)]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    note = json.loads((tmp_path / "waggle-start.json").read_text())
    assert note["trunk"] == "random weights" and note["seed"] == 1 and note["steps"] == 2 and note["finished"]
    assert set(note["metrics"]) == {"scenes", "recall", "precision", "mean_iou_of_found"}
    state = load_file(tmp_path / "waggle-start.safetensors")
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert compact.load(compact.build(3, image_size=64), state) == []  # folded: it fits a detector for use
