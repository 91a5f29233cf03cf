"""A stand-in for a detector: it knows the truth and spoils it, so that loops can be told quickly and without torch.

The environment says where the truth is (WAGGLE_TEST_ORACLE_TRUTH, COCO) and which share of the images it is good at
(WAGGLE_TEST_ORACLE_SKILL): there its boxes are a pixel off and sure, elsewhere they are wrong and unsure.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from learning.contract import MODEL, OBJECT_ID_KEY, PREDICT, JobFolder, MetricWriter, ModelConfig, Prediction
from learning.contract import PredictedBox as Box


def main(root: Path) -> int:
    folder = JobFolder(root)
    folder.start()
    channels = folder.read_channels()
    (predict if PREDICT in channels else train)(folder)
    return 0


def train(folder: JobFolder) -> None:
    given = folder.read_hyperparameters()
    lines = folder.manifest("train").read_text().splitlines()
    metrics = MetricWriter(folder, None)
    metrics.write("train:progress", 1.0, step=1, epoch=1)
    metrics.write("validation:mAP_50", 0.9, step=1, epoch=1)
    (folder.model / "model.onnx").write_bytes(b"onnx")
    (folder.model / "model.safetensors").write_bytes(b"weights")
    figures = {"mAP_50": 0.9, "images": len(lines), "warm": float(folder.channel(MODEL).exists())}
    class_map = json.loads(given["class_map"])
    ModelConfig(given["architecture"], class_map, 96, {}, {"nms": 0.45, "score": 0.02}, given, figures).write(
        folder.model
    )


def predict(folder: JobFolder) -> None:
    coco = json.loads(Path(os.environ["WAGGLE_TEST_ORACLE_TRUTH"]).read_text())
    skill = float(os.environ["WAGGLE_TEST_ORACLE_SKILL"])
    boxes: dict[int, list[dict]] = {}
    for one in coco["annotations"]:
        boxes.setdefault(one["image_id"], []).append(one)
    by_name = {image["file_name"]: image for image in coco["images"]}
    with folder.predictions.open("w") as out:
        for index, line in enumerate(folder.manifest(PREDICT).read_text().splitlines()):
            row = json.loads(line)
            name = Path(urlsplit(row["source-ref"]).path).name
            image = by_name[name]
            seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
            rng = np.random.default_rng(seed)
            good = rng.random() < skill
            found = [_seen(one, image, rng, good) for one in boxes.get(image["id"], [])]
            out.write(
                Prediction(
                    index=index,
                    object_id=row[OBJECT_ID_KEY],
                    source_ref=row["source-ref"],
                    image_size={"width": image["width"], "height": image["height"]},
                    boxes=found,
                    embedding=rng.normal(size=8).round(4).tolist(),
                ).to_line()
            )


def _seen(one: dict, image: dict, rng: np.random.Generator, good: bool) -> Box:
    left, top, width, height = one["bbox"]
    kind = one["category_id"] - 1
    if good:
        return Box(kind, left + 1, top, width, height, float(rng.uniform(0.85, 0.99)))
    return Box(kind, float(rng.uniform(0, image["width"] - 9)), 2.0, 8.0, 8.0, float(rng.uniform(0.1, 0.6)))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
