"""A stand-in for a training container: counts to `steps` by the job folder's contract, quickly and without torch.

It appends every step it takes to output/steps, so that a test can see what was done twice; it saves its place after
each step, stops on SIGTERM, and writes a model of three small files. Hyperparameters that start with an underscore tell
it how to behave: _steps, _pause (seconds), _fail (reason), _exit (status), _die_at (step at which it kills itself),
_stubborn (ignores SIGTERM).
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from learning.contract import JobFolder, MetricWriter, ModelConfig, write_atomically


def main(root: Path) -> int:
    folder = JobFolder(root)
    folder.start()
    given = folder.read_hyperparameters()
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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
