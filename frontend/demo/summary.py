"""What the main job achieved, measured against the truth. Reads everything from the public API."""

from collections import defaultdict
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from frontend.demo.api import Api
from frontend.demo.truth import TrueBox, Truth
from labeling.formats.geometry import from_ltwh, iou_matrix
from learning.selection.quality import Detections, outcomes, set_quality
from marketplace import money

MATCH_IOU = 0.5


def _corners(boxes: list[Any]) -> np.ndarray:
    rows = [
        (b.left, b.top, b.width, b.height) if isinstance(b, TrueBox) else (b["left"], b["top"], b["width"], b["height"])
        for b in boxes
    ]
    return from_ltwh(np.array(rows, dtype=float).reshape(-1, 4))


def match(found: list[dict[str, Any]], truth: list[TrueBox]) -> list[float]:
    """IoUs of a best one-to-one matching of boxes of the same class; only pairs that overlap at all."""
    overlaps: list[float] = []
    for label in {b.label for b in truth} | {b["label"] for b in found}:
        ours = [b for b in found if b["label"] == label]
        real = [b for b in truth if b.label == label]
        if ours and real:
            table = iou_matrix(_corners(ours), _corners(real))
            rows, columns = linear_sum_assignment(-table)
            overlaps += [float(v) for v in table[rows, columns] if v > 0]
    return overlaps


def quality(objects: list[dict[str, Any]], truth: Truth) -> dict[str, Any]:
    """Mean IoU of matched boxes (IoU >= 0.5), and F1, precision, recall at IoU 0.5, over these objects.

    `promised_iou` is what automated labeling promises a lower bound of: false positives and missed boxes count as 0,
    each class by itself, then the mean over the classes (learning/selection/quality.py).
    """
    matched = found = real = images = 0
    overlaps: list[float] = []
    pairs: list[tuple[Detections, Detections]] = []
    for row in objects:
        known = truth.at(row.get("source_name") or row["source_ref"] or "")
        if known is None or row["label"] is None:
            continue
        images += 1
        boxes = row["label"]["boxes"]
        good = [v for v in match(boxes, list(known.boxes)) if v >= MATCH_IOU]
        matched, found, real = matched + len(good), found + len(boxes), real + len(known.boxes)
        overlaps += good
        pairs.append((_detections(boxes, truth.labels), _detections(list(known.boxes), truth.labels)))
    precision = matched / found if found else 0.0
    recall = matched / real if real else 0.0
    return {
        "objects": images,
        "boxes": found,
        "true_boxes": real,
        "mean_iou": round(float(np.mean(overlaps)), 4) if overlaps else None,
        "promised_iou": _promised(pairs, len(truth.labels)),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1_50": round(2 * precision * recall / (precision + recall), 4) if matched else 0.0,
    }


def _detections(boxes: list[Any], labels: list[str]) -> Detections:
    kinds = [b.label if isinstance(b, TrueBox) else b["label"] for b in boxes]
    return Detections(_corners(boxes), np.array([labels.index(k) for k in kinds], dtype=np.int64), np.ones(len(boxes)))


def _promised(pairs: list[tuple[Detections, Detections]], classes: int) -> float | None:
    if not pairs:
        return None
    found = set_quality(outcomes([ours for ours, _ in pairs], [real for _, real in pairs], classes))
    return round(float(found), 4)


def collect(api: Api, job: dict[str, Any], truth: Truth | None, seconds: dict[str, float]) -> dict[str, Any]:
    """The summary of a finished job, as written to var/demo/summary.json."""
    objects = api.pages(f"/api/v1/labeling-jobs/{job['id']}/objects?page_size=200")
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in objects:
        by_source[row["source"] or row["state"]].append(row)
    counters = job["label_counters"]
    spent, all_human = money.parse(job["money"]["spent"]), money.parse(job["money"]["all_human"])
    summary: dict[str, Any] = {
        "job": job["name"],
        "status": job["status"],
        "failure_reason": job["failure_reason"],
        "objects": {
            "total": job["objects_total"],
            "human_labeled": counters["HumanLabeled"],
            "machine_labeled": counters["MachineLabeled"],
            "failed": counters["FailedNonRetryableError"],
            "unlabeled": counters["Unlabeled"],
        },
        "money": {
            "spent": job["money"]["spent"],
            "all_human": job["money"]["all_human"],
            "share_of_all_human": round(spent / all_human, 4) if all_human else None,
        },
        "seconds": seconds,
        "rounds": _rounds(api, job),
        "output_manifest": job["output_manifest_uri"],
    }
    if truth is not None:
        summary["quality"] = {
            "human": quality(by_source["human"], truth),
            "machine": quality(by_source["machine"], truth),
        }
    # Without automated labeling there is no model, and an installation without the learning app has no such list.
    every = api.pages("/api/v1/models") if job["automated_labeling"] else []
    models = [m for m in every if m["name"].startswith(job["name"])]
    summary["model"] = (
        {"name": models[0]["name"], "metrics": models[0]["metrics"], "artifact": models[0]["artifact_url"]}
        if models
        else None
    )
    return summary


def _rounds(api: Api, job: dict[str, Any]) -> list[dict[str, Any]]:
    if not job["automated_labeling"]:
        return []
    loop = api.get(f"/api/v1/labeling-jobs/{job['id']}/loop")
    return [
        {
            "number": r["number"],
            "status": r["status"],
            "threshold": r["threshold"],
            "figures": r["figures"],
        }
        for r in loop["rounds"]
    ]


def lines(summary: dict[str, Any]) -> list[str]:
    """The summary for people."""
    o, m = summary["objects"], summary["money"]
    text = [
        f"{summary['job']}: {summary['status']}",
        f"  objects   {o['human_labeled']} by people, {o['machine_labeled']} by the machine, {o['failed']} failed, "
        f"{o['unlabeled']} unlabeled, of {o['total']}",
        f"  money     ${m['spent']} spent; labeling all by people would be ${m['all_human']}",
    ]
    for who, q in summary.get("quality", {}).items():
        if q["objects"]:
            text.append(
                f"  {who:8}  mean IoU {q['mean_iou']} "
                f"({q['promised_iou']} with false positives and missed boxes as 0), "
                f"F1@0.5 {q['f1_50']} (precision {q['precision']}, recall {q['recall']}) on {q['objects']} images"
            )
    text.append("  seconds   " + ", ".join(f"{name} {value}" for name, value in summary["seconds"].items()))
    text.append(f"  manifest  {summary['output_manifest']}")
    if summary["model"]:
        text.append(f"  model     {summary['model']['name']}: {summary['model']['artifact']}")
    return text
