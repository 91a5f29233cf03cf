"""The quality of a detector after a few minutes of training on a CPU, on a few labeled images.

    make bench NAME=fine_tuning      or: python -m benchmarks.fine_tuning --sets demo bccd --images 100 --seconds 180

Each set is trained by `python -m learning.vision.train` in a job folder, as in production, on `--images`
images of its training split (the demo's: the first half) and scored on its whole test split. The time is that of
the whole program: start, decoding, training, evaluation and the export to ONNX.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import machine, report
from frontend.demo import scenes
from learning.contract import TRAIN, VALIDATION, JobFolder, ModelConfig

ROOT = Path(__file__).resolve().parents[1]
DATASETS = ROOT.parent / "shared" / "datasets"
DEMO_SCENES, DEMO_TEST = 300, 150
ATTRIBUTE = "boxes"


def main() -> None:
    """Train on every set in turn and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["demo", "bccd", "cards", "raccoon"])
    parser.add_argument("--datasets", type=Path, default=DATASETS, help="the folder of the real sets")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--epochs", type=int, default=100_000, help="at most; the seconds are the limit otherwise")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--architecture", default="compact")
    parser.add_argument("--weights", default="auto")
    options = parser.parse_args()
    on = machine()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            source = draw_demo(Path(scratch)) if name == "demo" else options.datasets / name
            folder = lay_out(Path(scratch) / f"job-{name}", source, options)
            began = time.monotonic()
            metrics = train(folder)
            wall = time.monotonic() - began
            measured = {"mAP_50": metrics["mAP_50"], "mAP_50_95": metrics["mAP"], "wall_s": wall}
            figures |= {f"{name}_{key}": value for key, value in measured.items()}
            figures |= {f"{name}_steps": metrics["steps"], f"{name}_images": count_lines(folder.manifest(TRAIN))}
            print(name, {key: round(value, 3) for key, value in measured.items()}, flush=True)
    report("fine_tuning", figures, on=on)


def draw_demo(scratch: Path) -> Path:
    """The demo's scenes, drawn as `make demo` draws them."""
    folder = scratch / "demo"
    scenes.write_dataset(folder, count=DEMO_SCENES, seed=7)
    names = [f"scene_{number:04d}.jpg" for number in range(1, DEMO_SCENES + 1)]
    split = {"train": names[:-DEMO_TEST], "test": names[-DEMO_TEST:]}
    (folder / "suggested_split.json").write_text(json.dumps(split))
    return folder


def lay_out(root: Path, source: Path, options: argparse.Namespace) -> JobFolder:
    """A job folder whose manifests list the images of a set. Raises FileNotFoundError when the set is missing."""
    coco = json.loads((source / "annotations.coco.json").read_text())
    split = json.loads((source / "suggested_split.json").read_text())
    folder = JobFolder(root)
    hyperparameters = {
        "label_attribute_name": ATTRIBUTE, "architecture": options.architecture, "weights": options.weights,
        "epochs": options.epochs, "max_seconds": options.seconds, "num_threads": options.threads,
        "image_size": options.image_size, "eval_every": 100_000,
    }  # fmt: skip
    folder.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}, VALIDATION: {}})
    chosen = np.random.default_rng(7).permutation(split["train"])[: options.images]
    for channel, names in ((TRAIN, chosen), (VALIDATION, split["test"])):
        lines = manifest_lines(coco, [str(name) for name in names], source / "images")
        folder.manifest(channel).write_text("".join(lines))
    return folder


def manifest_lines(coco: dict, names: list[str], images: Path) -> list[str]:
    """Augmented-manifest lines of the named images."""
    categories = sorted(coco["categories"], key=lambda category: category["id"])
    places = {category["id"]: place for place, category in enumerate(categories)}
    class_map = {str(place): category["name"] for place, category in enumerate(categories)}
    records = {record["file_name"]: record for record in coco["images"]}
    boxes: dict[int, list[dict]] = {}
    for annotation in coco["annotations"]:
        left, top, width, height = annotation["bbox"]
        body = {
            "class_id": places[annotation["category_id"]],
            "left": left,
            "top": top,
            "width": width,
            "height": height,
        }
        boxes.setdefault(annotation["image_id"], []).append(body)
    lines = []
    for name in names:
        record = records[name]
        size = [{"width": record["width"], "height": record["height"], "depth": 3}]
        label = {"image_size": size, "annotations": boxes.get(record["id"], [])}
        body = {"source-ref": str(images / name), ATTRIBUTE: label, f"{ATTRIBUTE}-metadata": {"class-map": class_map}}
        lines.append(json.dumps(body) + "\n")
    return lines


def train(folder: JobFolder) -> dict[str, float]:
    """Run the program; the model's own metrics. Raises RuntimeError with the program's reason when it fails."""
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    command = [sys.executable, "-m", "learning.vision.train", str(folder.root)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"training failed: {folder.read_failure() or done.stderr[-2000:]}")
    return ModelConfig.read(folder.model).metrics


def count_lines(path: Path) -> int:
    return sum(1 for _ in path.open())


if __name__ == "__main__":
    main()
