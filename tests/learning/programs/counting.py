"""A stand-in for a training container: counts to `steps` by the job folder's contract, quickly and without torch.

It appends every step it takes to output/steps, so that a test can see what was done twice; it saves its place after
each step, stops on SIGTERM, and writes a model of three small files. Hyperparameters that start with an underscore tell
it how to behave: _say (a text for its log; then it leaves samples too), _steps, _pause (seconds), _fail (reason), _exit
(status), _die_at (step at which it kills itself), _stubborn (ignores SIGTERM).
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from PIL import Image

from learning.contract import JobFolder, MetricWriter, ModelConfig, write_atomically
from learning.samples import FOLDER, INDEX, Evaluation, SampleBox, SampleImage, Samples


def main(root: Path) -> int:
    folder = JobFolder(root)
    folder.start()
    given = folder.read_hyperparameters()
    if "_say" in given:
        print(given["_say"], flush=True)
    if "_fail" in given:
        folder.write_failure(given["_fail"])
        return int(given.get("_exit", "1"))
    stopped = []
    stubborn = given.get("_stubborn") == "true"
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else lambda *_: stopped.append(True))
    steps, pause = int(given["_steps"]), float(given.get("_pause", "0.02"))
    place = folder.checkpoints / "place"
    step = int(place.read_text()) if place.exists() else 0
    metrics = MetricWriter(folder, None)
    while step < steps and not stopped:
        step += 1
        with (folder.output / "steps").open("a") as stream:
            stream.write(f"{os.getpid()} {step}\n")
        metrics.write("train:loss", 1 / step, step=step, epoch=step)
        metrics.write("train:progress", step / steps, step=step, epoch=step)
        if "_say" in given:
            show(folder, step)
        write_atomically(place, str(step))
        died = folder.checkpoints / "died"
        if step == int(given.get("_die_at", "-1")) and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(pause)
    if stopped:
        folder.write_stopped(step=step, epoch=step)
    (folder.model / "model.onnx").write_bytes(b"onnx")
    (folder.model / "model.safetensors").write_bytes(b"weights after %d" % step)
    ModelConfig("compact", {"0": "bee"}, 64, {}, {"nms": 0.45, "score": 0.02}, given, {"validation:mAP": 0.5}).write(
        folder.model
    )
    # For the test: what the store gets is the model; the steps taken go with its hyperparameters.
    taken = (folder.output / "steps").read_text().split("\n")[:-1]
    config = json.loads((folder.model / "config.json").read_text())
    config["metrics"]["steps_taken"] = len(taken)
    write_atomically(folder.model / "config.json", json.dumps(config))
    return 0


def show(folder: JobFolder, step: int) -> None:
    """One picture with one box that is found, a pixel further to the right with each step."""
    samples = folder.output / FOLDER
    samples.mkdir(exist_ok=True)
    index = samples / INDEX
    truth = [SampleBox("bee", 10, 10, 30, 20)]
    kept = Samples([SampleImage("0.jpg", 80, 60, truth)])
    if index.exists():
        kept = Samples.from_json(index.read_bytes())
    else:
        Image.new("RGB", (80, 60), (190, 160, 90)).save(samples / "0.jpg")
    kept.add(Evaluation(step, step, [[SampleBox("bee", 10 + step % 20, 10, 30, 20, score=0.8)]]))
    write_atomically(index, kept.to_json())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
