"""How well planted label errors are found, beside cleanlab's ObjectLab on the same predictions.

    make bench NAME=label_errors      or: python -m benchmarks.label_errors --sets raccoon bccd --seconds 300

In each set boxes are left out, moved and given another class. A detector is trained for a few minutes on the labels
with these errors, out of fold, and predicts the images it has not seen; both methods get its predictions. Precision at
k: of the k images (or boxes) that are called most likely wrong, k being how many are wrong, the share that are.
ObjectLab is run with its defaults, and once more with scores stretched to its thresholds; the better one counts.
Predictions are kept in `--folder`, so that the scores can be run again without a training.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import objectlab
from benchmarks.fine_tuning import DATASETS
from benchmarks.label_errors_data import OVERLOOKED, Planted, out_of_fold, plant
from benchmarks.report import machine, report
from learning.contract import Prediction
from learning.selection.label_errors import ImageErrors, LabeledImage, find
from learning.selection.quality import Detections

SETS = ("bccd", "cards", "raccoon")


def main() -> None:
    """Plant, train, predict, score, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--datasets", type=Path, default=DATASETS, help="the folder of the real sets")
    parser.add_argument("--folder", type=Path, default=Path("var/label-errors"), help="where predictions are kept")
    parser.add_argument("--rate", type=float, default=0.15, help="the share of the images with an error of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=300, help="of each training")
    parser.add_argument("--image-size", type=int, default=192)
    options = parser.parse_args()
    on, rank, figures = machine(), objectlab.load(), dict[str, float]()
    for name in options.sets:
        planted = plant(name, rate=options.rate, seed=options.seed, datasets=options.datasets)
        predictions = out_of_fold(
            planted,
            options.folder / f"seed{options.seed}",
            folds=options.folds,
            training={"max_seconds": options.seconds, "image_size": options.image_size},
            images=options.datasets / name / "images",
        )
        found = {f"{name}_{key}": value for key, value in measure(planted, predictions, rank).items()}
        print(name, {key: round(value, 3) for key, value in found.items()}, flush=True)
        figures |= found
    figures["precision_margin_to_objectlab"] = min(figures[f"{name}_margin"] for name in options.sets)
    report("label_errors", figures, on=on)


def measure(planted: Planted, predictions: dict[str, Prediction], rank: object) -> dict[str, float]:
    """The precisions of one set, by kind of error and altogether, of images and where there are boxes, of boxes."""
    records = sorted(planted.coco["images"], key=lambda one: one["file_name"])
    boxes: dict[int, list[dict]] = {one["id"]: [] for one in records}
    for one in planted.coco["annotations"]:
        boxes[one["image_id"]].append(one)
    places = {one: place for place, one in enumerate(sorted(one["id"] for one in planted.coco["categories"]))}
    images = [_image(one, boxes[one["id"]], predictions[one["file_name"]], places) for one in records]
    ours = find(images, len(places))
    rivals = {
        "objectlab": objectlab.ObjectLab(rank, images, len(places), stretched=False),
        "objectlab_stretched": objectlab.ObjectLab(rank, images, len(places), stretched=True),
    }
    figures: dict[str, float] = {"images": len(images)}
    wrong = np.zeros(len(images), dtype=bool)
    for kind in planted.kinds:
        bad = np.array([one["id"] in planted.erroneous(kind) for one in records])
        wrong |= bad
        figures[f"{kind}_errors"] = int(bad.sum())
        figures[f"{kind}_ours"] = precision_at_k([one.kinds[kind] for one in ours], bad)
        figures |= {f"{kind}_{name}": precision_at_k(rival.kinds[kind], bad) for name, rival in rivals.items()}
        if kind != OVERLOOKED:
            of_box = np.array(
                [planted.wrong.get(one["id"]) == kind for record in records for one in boxes[record["id"]]]
            )
            figures[f"{kind}_boxes_ours"] = precision_at_k(_of_boxes(ours, kind), of_box)
            figures |= {
                f"{kind}_boxes_{name}": precision_at_k(rival.boxes[kind], of_box) for name, rival in rivals.items()
            }
    figures["errors"] = int(wrong.sum())
    figures["ours"] = precision_at_k([one.wrong for one in ours], wrong)
    figures |= {name: precision_at_k(rival.wrong, wrong) for name, rival in rivals.items()}
    return figures | {"margin": figures["ours"] - max(figures[name] for name in rivals)}


def precision_at_k(scores: Sequence[float], bad: np.ndarray) -> float:
    """The share of what is bad among as many of the highest scores as there are bad ones; ties are split evenly."""
    found, k = np.asarray(scores, dtype=np.float64), int(bad.sum())
    cut = np.sort(found)[::-1][k - 1]
    above, tied = found > cut, found == cut
    return float((bad[above].sum() + (k - above.sum()) * bad[tied].mean()) / k)


def _of_boxes(errors: Sequence[ImageErrors], kind: str) -> np.ndarray:
    return np.concatenate([getattr(one, kind) for one in errors])


def _image(record: dict, boxes: list[dict], prediction: Prediction, places: dict[int, int]) -> LabeledImage:
    label = Detections.of([(places[one["category_id"]], *one["bbox"], 1.0) for one in boxes])
    rows = [(box.class_id, box.left, box.top, box.width, box.height, box.score) for box in prediction.boxes]
    return LabeledImage(label, Detections.of(rows), (record["width"], record["height"]))


if __name__ == "__main__":
    main()
