"""The nms kernel that stands in for torchvision's native library, and the import it makes possible."""

import subprocess
import sys

import pytest
import torch

from learning.vision import native_ops


def reference(boxes, scores, threshold):
    """The definition, as plainly as possible: keep a box unless a better kept box overlaps it too much."""
    kept = []
    for index in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        x1, y1, x2, y2 = boxes[index]
        overlaps = []
        for k in kept:
            a1, b1, a2, b2 = boxes[k]
            inter = max(0.0, min(x2, a2) - max(x1, a1)) * max(0.0, min(y2, b2) - max(y1, b1))
            overlaps.append(inter / ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - inter))
        if all(value <= threshold for value in overlaps):
            kept.append(index)
    return kept


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_kernel_agrees_with_the_definition(threshold):
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand(200, 2, generator=generator) * 50
    boxes = torch.cat([corner, corner + 1 + torch.rand(200, 2, generator=generator) * 30], 1)
    scores = torch.rand(200, generator=generator)
    kept = native_ops.nms(boxes, scores, threshold)
    assert kept.dtype == torch.int64
    assert kept.tolist() == reference(boxes.double().tolist(), scores.tolist(), threshold)


def test_no_boxes_and_empty_boxes():
    assert native_ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []
    assert native_ops.nms(torch.zeros(2, 4), torch.tensor([0.1, 0.2]), 0.5).tolist() == [1, 0]


@pytest.mark.parametrize(
    "boxes, scores, message",
    [(torch.zeros(3, 5), torch.zeros(3), r"\[3, 5\]"), (torch.zeros(3, 4), torch.zeros(2), "3 boxes")],
)
def test_wrong_shapes_are_named(boxes, scores, message):
    with pytest.raises(ValueError, match=message):
        native_ops.nms(boxes, scores, 0.5)


def test_a_fresh_process_can_import_and_run_a_torchvision_detector():
    program = """
import torch
from learning.vision import native_ops
native_ops.install(); native_ops.install()
import torchvision
from torchvision.ops import batched_nms, nms
boxes = torch.tensor([[0., 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]])
scores = torch.tensor([.9, .8, .7])
print(nms(boxes, scores, .5).tolist(), batched_nms(boxes, scores, torch.tensor([0, 1, 0]), .5).tolist())
model = torchvision.models.detection.ssdlite320_mobilenet_v3_large(
    weights=None, weights_backbone=None, num_classes=3).eval()
with torch.no_grad():
    print(sorted(model([torch.rand(3, 64, 80)])[0]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[0, 2] [0, 1, 2]", "['boxes', 'labels', 'scores']"]
