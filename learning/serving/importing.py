"""Takes in a foreign ONNX detector: python -m learning.serving.importing FOLDER (see learning/contract.py).

Reads model.onnx and the description.json in the "model" channel, tries the network once in a process with limits, and
writes the model's files. It must not know Django, the store or who sent the files.
"""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from learning.contract import MODEL, BadInput, JobFolder
from learning.program import Stop, log, run
from learning.serving.foreign import read_config

DESCRIPTION = "description.json"
MOST_DESCRIPTION_BYTES = 4 << 20
SECONDS = 180.0
POLL_SECONDS = 0.2


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    given = folder.channel(MODEL)
    config = read_config(read_description(given / DESCRIPTION))
    config.write(given)
    found = _tried(given, stop)
    if found is None:
        folder.write_stopped(step=0, epoch=0)
        return
    log(f"the network runs; its outputs: {found['shapes']}")
    shutil.copyfile(given / "model.onnx", folder.model / "model.onnx")
    # Last: its presence says that the model is whole.
    replace(config, input=found["input"], output=found["output"]).write(folder.model)


def read_description(path: Path) -> Any:
    """The JSON of a config.json as it was sent; raises BadInput."""
    if path.stat().st_size > MOST_DESCRIPTION_BYTES:
        raise BadInput(f"config.json has more than {MOST_DESCRIPTION_BYTES:,} bytes")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"config.json: not JSON: {error}") from error


def _tried(given: Path, stop: Stop) -> dict[str, Any] | None:
    """What the trial found; None when it was stopped. Raises BadInput when the network was refused or broke down."""
    answer = given / "trial.json"
    with answer.open("wb") as out:
        child = subprocess.Popen([sys.executable, "-m", "learning.serving.trial", str(given)], stdout=out)
        try:
            status = _wait(child, stop)
        finally:
            child.kill()
            child.wait()
    if status is None:
        return None
    if status < 0:
        limits = {signal.SIGXCPU: "it takes too much time", signal.SIGXFSZ: "it writes too much"}
        reason = limits.get(signal.Signals(-status), f"it ends with {signal.Signals(-status).name}")
        raise BadInput(f"the network cannot be run on a blank image: {reason}")
    lines = answer.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if status or not lines:
        # Nearly always memory: what it says itself is in the log.
        raise BadInput(f"the network cannot be run on a blank image within its limits (exit status {status})")
    found: dict[str, Any] = json.loads(lines[-1])
    if "refused" in found:
        raise BadInput(found["refused"])
    return found


def _wait(child: subprocess.Popen[bytes], stop: Stop) -> int | None:
    """The exit status; None when the work was asked to stop. Raises BadInput after SECONDS."""
    for _ in range(round(SECONDS / POLL_SECONDS)):
        try:
            return child.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if stop():
                return None
    raise BadInput(f"the network cannot be run on a blank image within {SECONDS:g} seconds")


if __name__ == "__main__":
    sys.exit(run(work, about="Take in a foreign ONNX detector."))
