"""A stand-in for a program that predicts: a prediction for each line of the manifest, quickly and without a network.

Hyperparameters that start with an underscore tell it how to behave: _pause (seconds before each line), _die_at (the
object at which it kills itself, once), _fail_at (the object that is bad input).
"""

import os
import signal
import sys
import time
from pathlib import Path

from learning.class_manifests import read_items
from learning.contract import PREDICT, BadInput, JobFolder, Prediction
from learning.prediction_runs import predict_all
from learning.program import Stop, run


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    given = folder.read_hyperparameters()
    died = folder.checkpoints / "died"

    def predicted(items):
        for item in items:
            time.sleep(float(given.get("_pause", "0")))
            if str(item.object_id) == given.get("_fail_at"):
                raise BadInput(f"object {item.object_id} cannot be foretold")
            if str(item.object_id) == given.get("_die_at") and not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            there = Path(item.source_ref).exists()
            yield [Prediction(item.index, item.object_id, item.source_ref, None, [], [0.1], None if there else "away")]

    predict_all(
        folder, items=lambda: read_items(folder.manifest(PREDICT), of_texts=False), predicted=predicted, stop=stop
    )


if __name__ == "__main__":
    sys.exit(run(work, about="Foretell."))
