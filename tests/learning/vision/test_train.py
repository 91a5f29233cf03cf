"""The training program as its supervisor sees it: a child process and a folder."""

import json
import math
import re
import shutil
import signal

import pytest
from safetensors.torch import save_file

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, MODEL_FILES, TRAIN, JobFolder, ModelConfig, read_metrics
from learning.vision import ssd
from learning.vision.starting import Start, _is_class_output, adopt, output_names
from tests.learning.vision import jobs


def last(folder: JobFolder, name: str) -> float:
    metrics, _ = read_metrics(folder.metrics)
    return [metric.value for metric in metrics if metric.name == name][-1]


def test_a_finished_training_leaves_metrics_and_a_model(trained: tuple[JobFolder, str]) -> None:
    folder, out = trained
    metrics, _ = read_metrics(folder.metrics)
    names = {metric.name for metric in metrics}
    assert {"train:loss", "train:progress", "train:learning_rate", "validation:mAP", "validation:mAP_50"} <= names
    assert last(folder, "train:progress") == 1
    assert [json.loads(line)["step"] for line in out.splitlines()] == [metric.step for metric in metrics]
    assert all((folder.model / name).stat().st_size for name in MODEL_FILES)
    config = ModelConfig.read(folder.model)
    assert config.class_map == jobs.CLASS_MAP
    assert config.metrics["steps"] == 4  # two epochs of eight images in batches of four
    assert {"mAP", "mAP_50"} <= config.metrics.keys()
    # neither a failure nor a stop, and nothing half written is left behind
    assert sorted(path.name for path in folder.output.iterdir()) == ["metrics.jsonl", "samples"]


def test_a_killed_training_resumes_from_its_last_checkpoint(tmp_path) -> None:
    folder = jobs.training_job(tmp_path, epochs=6, checkpoint_seconds=0)
    child = jobs.start("train", folder)
    jobs.wait_until(lambda: any(folder.checkpoints.glob("step-*[3-9]")), child)
    child.kill()
    child.communicate()
    assert not (folder.model / "config.json").exists()
    with folder.metrics.open("a") as stream:
        stream.write('{"name": "train:lo')  # what a kill in the middle of a write leaves

    status, _, log = jobs.finish("train", folder)

    assert status == EXIT_DONE, log
    assert "resumed at step" in log
    assert ModelConfig.read(folder.model).metrics["steps"] == 12
    steps = [m.step for m in read_metrics(folder.metrics)[0] if m.name == "train:progress"]
    assert steps[-1] == 12
    assert len(list(folder.checkpoints.glob("step-*"))) == 1


@pytest.mark.slow
def test_sigterm_keeps_the_model_so_far_and_can_be_continued(tmp_path) -> None:
    folder = jobs.training_job(tmp_path, epochs=50_000)
    child = jobs.start("train", folder)
    jobs.wait_until(lambda: bool(read_metrics(folder.metrics)[0]), child)
    child.send_signal(signal.SIGTERM)
    _, log = child.communicate(timeout=200)

    assert child.returncode == EXIT_DONE, log
    stopped = json.loads(folder.stopped.read_text())
    steps = ModelConfig.read(folder.model).metrics["steps"]
    assert stopped["step"] == steps and 0 < steps < 100_000
    assert last(folder, "train:progress") < 1

    # given the same folder again, with an end in reach
    given = json.loads(folder.hyperparameters.read_text()) | {"epochs": str(math.ceil(steps / 2) + 1)}
    folder.hyperparameters.write_text(json.dumps(given))
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    assert f"resumed at step {steps}" in log
    assert ModelConfig.read(folder.model).metrics["steps"] > steps
    assert not folder.stopped.exists()


def test_a_loss_that_is_not_finite_says_what_to_change(tmp_path) -> None:
    # given weights that no step can make sense of, as a far too high learning rate leaves them
    state = ssd.build("compact", num_classes=2, image_size=64).model.state_dict()
    save_file({name: value * 1e30 for name, value in state.items()}, tmp_path / "huge.safetensors")
    folder = jobs.training_job(tmp_path / "job", learning_rate=0.5, weights=str(tmp_path / "huge.safetensors"))
    status, _, _ = jobs.finish("train", folder)
    assert status == EXIT_BAD_INPUT
    reason = folder.read_failure() or ""
    assert re.match(r"step 1: the loss became .*(nan|inf).*; lower learning_rate \(it is 0.5\)", reason), reason
    assert not (folder.model / "config.json").exists()


@pytest.mark.slow
def test_a_time_budget_ends_the_schedule_inside_it(tmp_path) -> None:
    folder = jobs.training_job(tmp_path, epochs=100_000, max_seconds=10)
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    assert last(folder, "train:progress") == 1
    rates = [m.value for m in read_metrics(folder.metrics)[0] if m.name == "train:learning_rate"]
    assert rates[-1] < 0.25 * max(rates)
    assert ModelConfig.read(folder.model).metrics["seconds"] < 60


@pytest.mark.slow
def test_the_preset_chooses_the_size_and_early_stopping_counts_epochs(tmp_path) -> None:
    """Evaluations after epochs 2, 4 and 6: by a rate that changes nothing the last two bring no improvement."""
    folder = jobs.training_job(
        tmp_path, image_size=0, epochs=50, eval_every=2, learning_rate=1e-9, num_training_samples=5,
        early_stopping=True, early_stopping_min_epochs=1, early_stopping_patience=4, early_stopping_tolerance=1,
        nms_threshold=0.6, overlap_threshold=0.3, freeze_layer_pattern="^trunk.",
    )  # fmt: skip
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    config = ModelConfig.read(folder.model)
    assert config.metrics["steps"] == 12  # six epochs of two batches
    assert "preset auto: image size 288: the smallest tenth" in log
    assert "'num_training_samples' is 5, but the train channel has 8 labeled images" in log
    assert "freeze_layer_pattern: " in log
    assert config.image_size == config.hyperparameters["image_size"] == 288
    assert config.hyperparameters["recipe"]["batch_size"] == 4
    assert config.thresholds["nms"] == 0.6 and "mAP_30" in config.metrics
    said = re.findall(r"validation mAP <score>=\((.+)\)", log)
    assert float(said[-1]) == pytest.approx(config.metrics["mAP_30"])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adadelta"])
def test_a_set_of_awss_hyperparameters_trains(tmp_path, optimizer: str) -> None:
    given = {
        "base_network": "resnet-50", "use_pretrained_model": "0", "num_classes": 2, "mini_batch_size": 4, "epochs": 2,
        "learning_rate": 0.001, "lr_scheduler_step": "1", "lr_scheduler_factor": 0.1, "optimizer": optimizer,
        "momentum": 0.9, "weight_decay": 0.0005, "overlap_threshold": 0.5, "nms_threshold": 0.45, "image_shape": 64,
        "label_width": 350, "num_training_samples": 8, "kv_store": "dist_sync",
    }  # fmt: skip
    folder = jobs.training_job(tmp_path)
    own = {name: value for name, value in jobs.QUICK.items() if name == "class_map"}
    folder.prepare(hyperparameters={"label_attribute_name": jobs.ATTRIBUTE, **own, **given}, channels={})
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    rates = [m.value for m in read_metrics(folder.metrics)[0] if m.name == "train:learning_rate"]
    assert rates[0] == pytest.approx(0.001) and rates[-1] == pytest.approx(0.0001)
    config = ModelConfig.read(folder.model)
    assert (config.architecture, config.image_size) == ("ssd300_resnet50", 64)
    assert config.hyperparameters["preset"] == "builtin"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"class_id": 7}, "train channel, line 2: class_id 7 is not one of the classes (0: red, 3: blue)"),
        ({"left": "far"}, "train channel, line 2: boxes.annotations[0].left must be a number"),
    ],
)
def test_a_bad_label_is_named_by_its_line(tmp_path, change: dict, expected: str) -> None:
    folder = jobs.training_job(tmp_path)
    lines = folder.manifest(TRAIN).read_text().splitlines()
    body = json.loads(lines[1])
    body[jobs.ATTRIBUTE]["annotations"][0] |= change
    lines[1] = json.dumps(body)
    folder.manifest(TRAIN).write_text("\n".join(lines))
    status, _, _ = jobs.finish("train", folder)
    assert status == EXIT_BAD_INPUT
    assert expected in (folder.read_failure() or "")


def test_images_that_cannot_be_read_are_left_out(tmp_path) -> None:
    folder = jobs.training_job(tmp_path, epochs=1)
    (folder.channel(TRAIN) / "0.png").write_bytes(b"no image")
    (folder.channel(TRAIN) / "1.png").unlink()
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    assert "train channel, line 1: left out: not an image in a known format" in log
    assert "train channel, line 2: left out" in log


def test_an_earlier_model_is_the_start_of_the_next(trained: tuple[JobFolder, str], tmp_path) -> None:
    earlier, _ = trained
    folder = jobs.training_job(tmp_path, epochs=1, weights="auto", class_map={"0": "blue", "1": "green"})
    shutil.rmtree(folder.channel("validation"))
    for name in (TRAIN,):
        text = folder.manifest(name).read_text().replace('"class_id": 3', '"class_id": 1')
        folder.manifest(name).write_text(text)
    shutil.copytree(earlier.model, folder.channel("model"))
    status, _, log = jobs.finish("train", folder)
    assert status == EXIT_DONE, log
    assert "starting from model.safetensors; 0 tensors start at random" in log
    config = ModelConfig.read(folder.model)
    assert config.hyperparameters["started_from"] == "model.safetensors"
    assert list(config.class_map.values()) == ["blue", "green"]


def test_classes_that_are_added_start_at_random_in_torchvisions_detectors_too() -> None:
    architecture = "ssdlite320_mobilenet_v3_large"
    before, after = (ssd.build(architecture, num_classes=count, image_size=160).model for count in (2, 3))
    named = [output_names(architecture, names) for names in (["red", "blue"], ["blue", "green", "red"])]
    left = adopt(after, Start(before.state_dict(), named[0], "test"), classes=named[1])
    assert left == []
    old, new = (
        {name: rows.view(6, len(classes), -1) for name, rows in model.state_dict().items() if _is_class_output(name)}
        for model, classes in zip((before, after), named, strict=True)
    )
    assert old.keys() == new.keys() and old
    for name, rows in new.items():
        for place, source in ((0, 0), (1, 2), (3, 1)):
            assert rows[:, place].equal(old[name][:, source])
        # Biases of a fresh head are alike; only weights can tell that these were not copied.
        if "weight" in name:
            assert not any(rows[:, 2].equal(old[name][:, source]) for source in range(3))


def test_class_outputs_are_taken_over_by_name() -> None:
    before = ssd.build("compact", num_classes=2, image_size=64).model
    after = ssd.build("compact", num_classes=3, image_size=64).model
    fresh = after.state_dict()["head.classes.weight"].clone()
    adopt(after, Start(before.state_dict(), ["red", "blue"], "test"), classes=["Blue", "green", "red"])
    old, new = before.head.classes.weight, after.head.classes.weight
    assert new[0].equal(old[1]) and new[2].equal(old[0]) and new[1].equal(fresh[1])
