"""How well predicted chances of classes agree with labels: the figures of a classifier. Knows no models."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CUT_OFF = 0.5
"""A class of several is predicted from this chance on."""


def targets(classes: Sequence[Sequence[str]], names: Sequence[str]) -> Bools:
    """(n, c): which of the classes `names` each of n objects has."""
    place = {name: number for number, name in enumerate(names)}
    found = np.zeros((len(classes), len(names)), dtype=bool)
    for row, mine in enumerate(classes):
        found[row, [place[name] for name in mine]] = True
    return found


def scores(chances: Floats, truth: Bools, names: Sequence[str], *, several: bool) -> dict[str, float]:
    """Figures in 0..1 of (n, c) chances against (n, c) labels; classes that neither side has are left out.

    With one class: `accuracy`. With several: `accuracy` (every class right) and `jaccard` (over the classes, the
    objects that have it by both over those that have it by either). In both cases `F1` (mean over the classes) and
    `F1:<class>`. Empty for no object.
    """
    if not len(truth):
        return {}
    if several:
        said = chances >= CUT_OFF
    else:
        said = np.zeros_like(truth)
        said[np.arange(len(truth)), chances.argmax(axis=1)] = True
    both, either = (said & truth).sum(axis=0), (said | truth).sum(axis=0)
    there = either > 0
    f1 = np.divide(2 * both, both + either, out=np.zeros(len(both)), where=there)
    found = {"accuracy": float((said == truth).all(axis=1).mean())}
    if several:
        found["jaccard"] = float((both[there] / either[there]).mean()) if there.any() else 1.0
    found["F1"] = float(f1[there].mean()) if there.any() else 1.0
    return found | {f"F1:{name}": float(f1[k]) for k, name in enumerate(names) if there[k]}


def mask_scores(
    found: Sequence[NDArray[np.int64]], truths: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> dict[str, float]:
    """Figures in 0..1 of predicted pixels (h, w) against labels of the same size, class k being k + 1, 0 background.

    `IoU:<class>` is the mean over the images in which either side has the class, `mIoU` the mean over the classes,
    `pixel_accuracy` the share of right pixels, the background's too. Empty for no image.
    """
    if not len(truths):
        return {}
    by_class: dict[str, list[float]] = {}
    for mine, true in zip(found, truths, strict=True):
        for place, name in enumerate(names, start=1):
            either = np.count_nonzero((mine == place) | (true == place))
            if either:
                by_class.setdefault(name, []).append(np.count_nonzero((mine == place) & (true == place)) / either)
    means = {name: float(np.mean(values)) for name, values in by_class.items()}
    right = float(np.mean([np.mean(mine == true) for mine, true in zip(found, truths, strict=True)]))
    overall = float(np.mean(list(means.values()))) if means else 1.0
    return {"mIoU": overall, "pixel_accuracy": right} | {f"IoU:{name}": value for name, value in means.items()}
