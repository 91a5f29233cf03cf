"""Job folders with tiny pictures, and the real programs run on them as child processes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from learning.contract import MODEL, MODEL_FILES, OBJECT_ID_KEY, PREDICT, TRAIN, VALIDATION, JobFolder

REPOSITORY = Path(__file__).resolve().parents[3]
ATTRIBUTE = "boxes"
COLORS = [(220, 30, 30), (30, 30, 220)]
CLASS_MAP = {"0": "red", "3": "blue"}  # ids with a gap, as real class maps have
QUICK = {"image_size": 64, "epochs": 2, "batch_size": 4, "weights": "none", "class_map": CLASS_MAP}


def picture(rng: np.random.Generator, side: int, count: int) -> tuple[np.ndarray, list[dict[str, int]]]:
    """Grey with `count` coloured rectangles, and their annotations."""
    pixels = np.full((side, side, 3), 190, np.uint8)
    annotations = []
    for _ in range(count):
        width, height = (int(v) for v in rng.integers(side // 4, side // 2, 2))
        left, top = int(rng.integers(0, side - width)), int(rng.integers(0, side - height))
        kind = int(rng.integers(2))
        pixels[top : top + height, left : left + width] = COLORS[kind]
        size = {"left": left, "top": top, "width": width, "height": height}
        annotations.append({"class_id": [0, 3][kind], **size})
    return pixels, annotations


def labeled_line(path: Path, side: int, annotations: list[dict[str, Any]], object_id: int) -> str:
    label = {"image_size": [{"width": side, "height": side, "depth": 3}], "annotations": annotations}
    metadata = {"class-map": {}, "type": "groundtruth/object-detection", "human-annotated": "yes"}
    body = {"source-ref": str(path), OBJECT_ID_KEY: object_id, ATTRIBUTE: label, f"{ATTRIBUTE}-metadata": metadata}
    return json.dumps(body)


def training_job(root: Path, *, images: int = 8, side: int = 80, **hyperparameters: Any) -> JobFolder:
    """A folder ready for learning.vision.train; the last image of each channel shows nothing."""
    folder = JobFolder(root)
    given = {"label_attribute_name": ATTRIBUTE, **QUICK, **hyperparameters}
    folder.prepare(hyperparameters=given, channels={TRAIN: {}, VALIDATION: {}})
    rng = np.random.default_rng(5)
    for channel, count in ((TRAIN, images), (VALIDATION, 3)):
        lines = []
        for place in range(count):
            pixels, annotations = picture(rng, side, 0 if place == count - 1 else 1 + place % 2)
            path = folder.channel(channel) / f"{place}.png"
            Image.fromarray(pixels).save(path)
            lines.append(labeled_line(path, side, annotations, 100 + place))
        folder.manifest(channel).write_text("\n".join(lines) + "\n")
    return folder


def prediction_job(root: Path, model: Path, manifest: str, **hyperparameters: Any) -> JobFolder:
    """A folder ready for learning.serving.predict."""
    folder = JobFolder(root)
    folder.prepare(hyperparameters=hyperparameters, channels={PREDICT: {}, MODEL: {}})
    for name in MODEL_FILES:
        shutil.copy(model / name, folder.channel(MODEL) / name)
    folder.manifest(PREDICT).write_text(manifest)
    return folder


def start(program: str, folder: JobFolder) -> subprocess.Popen[str]:
    room = "serving" if program == "predict" else "vision"
    command = [sys.executable, "-m", f"learning.{room}.{program}", str(folder.root)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"}, **pipes)


def finish(program: str, folder: JobFolder) -> tuple[int, str, str]:
    """Run to the end; (exit status, stdout, stderr)."""
    child = start(program, folder)
    out, err = child.communicate(timeout=240)
    return child.returncode, out, err


def wait_until(condition: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    """Wait for something a running child does; fails with its log when it ends instead."""
    deadline = time.monotonic() + 200
    while not condition():
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < deadline, "the child never got there"
        time.sleep(0.02)
