"""What files of labels can hold of an object, and which formats hold it. It must not know task types or files."""

from __future__ import annotations

BOXES, POLYGONS, LINES, POINTS = "boxes", "polygons", "lines", "points"
MASKS, OBJECTS = "masks", "objects"
"""Masks of classes, and masks of single objects."""

CLASSES, SPANS = "classes", "spans"

WORDS = {
    BOXES: ("box", "boxes"),
    POLYGONS: ("polygon", "polygons"),
    LINES: ("line", "lines"),
    POINTS: ("point", "points"),
    MASKS: ("mask", "masks"),
    OBJECTS: ("mask", "masks"),
    CLASSES: ("class", "classes"),
    SPANS: ("span", "spans"),
}
"""What one of them is called, and several."""

MANIFEST = "manifest"
FORMATS = ("coco", "voc", "yolo", "csv", "conll", "jsonl", "masks", "labelstudio", "cvat", MANIFEST)
"""Every format that labels are read from."""

TITLES = {
    "coco": "COCO",
    "voc": "VOC",
    "yolo": "YOLO",
    "csv": "CSV",
    "conll": "CoNLL",
    "jsonl": "JSON Lines",
    "masks": "mask PNG",
    "labelstudio": "Label Studio",
    "cvat": "CVAT",
    MANIFEST: "augmented manifest",
}
"""What people call them."""
