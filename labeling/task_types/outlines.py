"""Polygons and polylines: people draw an outline around each object of the job's classes, or a line along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.consolidation.shapes import polygons, polylines
from labeling.formats import answers
from labeling.formats import shapes as formats
from labeling.formats.interchange import kinds
from labeling.formats.shapes import Drawing
from labeling.simulation import shapes as simulation
from labeling.task_types.base import Element, Size, Words
from labeling.task_types.drawn_shapes import DrawnShapes

Outlines = Drawing[formats.Polygon]


class _Outlines(DrawnShapes[formats.Polygon]):
    """What both have in common: outlines through vertices."""

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Outlines:
        """See answers.parse_polygon_answer."""
        found = answers.parse_polygon_answer(
            content, labels=labels, image_size=size, element_name=self.element.name, member=self.member
        )
        return Drawing(tuple(found), size)

    def write_answer(self, answer: Outlines, *, size: Size) -> dict[str, Any]:
        """The outlines in the order given."""
        return answers.polygon_content(
            answer.shapes, image_size=size, element_name=self.element.name, member=self.member
        )


class Polygon(_Outlines):
    """Areas by their outlines; the name is Ground Truth's of this kind of annotation."""

    name = "Polygon"
    title = "Polygons"
    element = Element("crowd-polygon", "annotatedResult", "labels")
    words = Words(
        decide="Correct the polygons and press Submit. Your polygons become the label and count as gold: they also "
        "teach how good each worker is.",
        decided="Their polygons are the label.",
        saved="Your polygons for object {index} are the label now.",
        not_received="The polygons did not arrive. Draw them again and save.",
        left_out="a polygon",
        labels_help="One a line. Their order is the class index.",
        skills="Recall: the share of real objects that this worker draws. False positives: how many polygons per image "
        "are about no object.",
    )
    member = attributed = "polygons"
    one, many = "polygon", "polygons"
    exports = ("coco", "yolo", "huggingface")
    imports = ("coco", "yolo", "labelstudio", "cvat", "manifest")
    part = kinds.POLYGONS
    rules = polygons.CONSOLIDATOR
    algorithm = polygons.ALGORITHM
    simulation = simulation.polygons(polygons.CONSOLIDATOR.likeness)


class Polyline(_Outlines):
    """Lines of two points or more: lanes, wires, edges."""

    name = "Polyline"
    title = "Polylines"
    element = Element("crowd-polyline", "annotatedResult", "labels")
    words = Words(
        decide="Correct the lines and press Submit. Your lines become the label and count as gold: they also teach how "
        "good each worker is.",
        decided="Their lines are the label.",
        saved="Your lines for object {index} are the label now.",
        not_received="The lines did not arrive. Draw them again and save.",
        left_out="a line",
        labels_help="One a line. Their order is the class index.",
        skills="Recall: the share of real objects along which this worker draws a line. False positives: how many "
        "lines per image are about no object.",
    )
    member = attributed = "polylines"
    one, many = "line", "lines"
    exports = ("huggingface",)
    imports = ("cvat", "manifest")
    part = kinds.LINES
    rules = polylines.CONSOLIDATOR
    algorithm = polylines.ALGORITHM
    simulation = simulation.polylines(polylines.CONSOLIDATOR.likeness)
