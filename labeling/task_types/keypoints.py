"""Key points: people set points, each with a class that says what it is the place of, such as a part of a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.consolidation.shapes import keypoints
from labeling.formats import answers
from labeling.formats import shapes as formats
from labeling.formats.interchange import kinds
from labeling.formats.shapes import Drawing
from labeling.simulation import shapes as simulation
from labeling.task_types.base import Element, Size, Words
from labeling.task_types.drawn_shapes import DrawnShapes

Points = Drawing[formats.Keypoint]


class Keypoint(DrawnShapes[formats.Keypoint]):
    """Points by their names; the name is Ground Truth's of this kind of annotation."""

    name = "Keypoint"
    title = "Key points"
    element = Element("crowd-keypoint", "annotatedResult", "labels")
    words = Words(
        decide="Correct the points and press Submit. Your points become the label and count as gold: they also teach "
        "how good each worker is.",
        decided="Their points are the label.",
        saved="Your points for object {index} are the label now.",
        not_received="The points did not arrive. Set them again and save.",
        left_out="a point",
        labels_help="The names of the points, one a line. Their order is the class index.",
        skills="Recall: the share of the points that this worker sets. False positives: how many points per image are "
        "nowhere near what they are named after.",
    )
    member = attributed = "keypoints"
    one, many = "point", "points"
    exports = ("coco", "huggingface")
    imports = ("coco", "labelstudio", "cvat", "manifest")
    part = kinds.POINTS
    rules = keypoints.CONSOLIDATOR
    algorithm = keypoints.ALGORITHM
    simulation = simulation.keypoints(keypoints.CONSOLIDATOR.likeness)

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Points:
        """See answers.parse_keypoint_answer."""
        found = answers.parse_keypoint_answer(content, labels=labels, image_size=size, element_name=self.element.name)
        return Drawing(tuple(found), size)

    def write_answer(self, answer: Points, *, size: Size) -> dict[str, Any]:
        """The points in the order given."""
        return answers.keypoint_content(answer.shapes, image_size=size, element_name=self.element.name)
