"""The other ways to merge boxes, each as a function from images to scored boxes; the score is the share of votes.

Datumaro's IntersectMerge is what CVAT's consensus runs; weighted boxes fusion is ensemble-boxes'. Both are imported
only when asked for: they are no dependency of the product.
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.consensus_scores import Labeled, labeled
from labeling.consolidation.arrays import iou, overlapping_pairs
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.clustering import link
from labeling.formats.shapes import Box


def single_worker(images: Sequence[ImageAnswers], labels: Sequence[str]) -> list[Labeled]:
    """The first answer."""
    return [labeled(image.answers[0].value) for image in images]


def greedy_median(images: Sequence[ImageAnswers], labels: Sequence[str]) -> list[Labeled]:
    """Each box joins the first group it overlaps by 0.4 with the group's median box; median edges, most votes."""
    return [_greedy(image) for image in images]


def _greedy(image: ImageAnswers) -> Labeled:
    groups: list[list[tuple[int, Box]]] = []
    middles: list[np.ndarray] = []
    for worker, answer in enumerate(image.answers):
        for box in answer.value:
            edges = np.array([box.left, box.top, box.left + box.width, box.top + box.height])
            overlap = iou(np.array(middles), edges) if middles else np.zeros(0)
            for g in np.argsort(-overlap, kind="stable"):
                if overlap[g] >= 0.4 and all(w != worker for w, _ in groups[g]):
                    groups[g].append((worker, box))
                    middles[g] = _median([b for _, b in groups[g]])
                    break
            else:
                groups.append([(worker, box)])
                middles.append(edges)
    return _merged([[b for _, b in group] for group in groups], middles, len(image.answers))


def majority(images: Sequence[ImageAnswers], labels: Sequence[str]) -> list[Labeled]:
    """Average-link clusters with a gate of IoU 0.3, median edges, most votes."""
    return [_average_link(image) for image in images]


def _average_link(image: ImageAnswers) -> Labeled:
    boxes = [(worker, box) for worker, answer in enumerate(image.answers) for box in answer.value]
    if not boxes:
        return labeled([])
    ltrb = labeled([box for _, box in boxes]).ltrb
    worker = np.array([w for w, _ in boxes])
    a, b = overlapping_pairs(ltrb, np.zeros(len(ltrb), np.int64))
    group = link(worker, a, b, iou(ltrb[a], ltrb[b]), 0.3)
    members = [[boxes[i][1] for i in np.flatnonzero(group == g)] for g in range(group.max() + 1)]
    return _merged(members, [_median(m) for m in members], len(image.answers))


def _median(boxes: list[Box]) -> np.ndarray:
    return np.median(labeled(boxes).ltrb, axis=0)


def _merged(groups: list[list[Box]], middles: list[np.ndarray], answers: int) -> Labeled:
    names = []
    for group in groups:
        given = sorted(box.label for box in group)
        names.append(max(given, key=given.count))
    score = np.array([len(group) / answers for group in groups])
    return Labeled(np.array(middles, float).reshape(-1, 4), np.array(names, dtype=str), score)


def weighted_boxes_fusion(images: Sequence[ImageAnswers], labels: Sequence[str]) -> list[Labeled]:
    """ensemble-boxes' WBF at its default IoU 0.55, every box with score 1: its score is then the share of votes."""
    from ensemble_boxes import weighted_boxes_fusion as fuse

    number = {label: i for i, label in enumerate(labels)}
    out = []
    for image in images:
        scale = np.array([*image.image_size, *image.image_size])
        answers = [labeled(answer.value) for answer in image.answers]
        boxes, scores, classes = fuse(
            [np.clip(a.ltrb / scale, 0, 1).tolist() for a in answers],
            [a.score.tolist() for a in answers],
            [[number[label] for label in a.label] for a in answers],
            iou_thr=0.55,
            conf_type="avg",
        )
        names = np.array([labels[int(c)] for c in classes], dtype=str)
        out.append(Labeled(np.asarray(boxes, float).reshape(-1, 4) * scale, names, np.asarray(scores, float)))
    return out


def intersect_merge(images: Sequence[ImageAnswers], labels: Sequence[str], quorum: int) -> list[Labeled]:
    """Datumaro's IntersectMerge with CVAT's settings (IoU 0.5, close distance off) and this quorum; a shape without a
    label has missed the quorum and is dropped, as CVAT does."""
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.merge import IntersectMerge

    number = {label: i for i, label in enumerate(labels)}
    sources = []
    for seat in range(max(len(image.answers) for image in images)):
        items = []
        for key, image in enumerate(images):
            drawn = image.answers[seat].value if seat < len(image.answers) else ()
            shapes = [Bbox(b.left, b.top, b.width, b.height, label=number[b.label], id=i) for i, b in enumerate(drawn)]
            items.append(DatasetItem(id=str(key), subset="all", annotations=shapes))
        sources.append(Dataset.from_iterable(items, categories=list(labels)))
    settings = IntersectMerge.Conf(pairwise_dist=0.5, quorum=quorum, output_conf_thresh=0, close_distance=0)
    found: list[Labeled] = [labeled([])] * len(images)
    for item in IntersectMerge(conf=settings).merge(sources):
        kept = [shape for shape in item.annotations if shape.label is not None]
        rows = np.array([shape.points for shape in kept], float).reshape(-1, 4)
        names = np.array([labels[shape.label] for shape in kept], dtype=str)
        found[int(item.id)] = Labeled(rows, names, np.ones(len(rows)))
    return found
