"""From a channel's manifest to the images and boxes a detector learns from, or only the images it looks at.

It must not know pixels, torch or models: nothing is opened here but the manifest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labeling.formats.augmented_reading import label_state, read_boxes
from learning.class_manifests import read_lines
from learning.contract import BadInput
from learning.serving.items import Item, item_of, read_items

__all__ = ["Item", "Labels", "read_items", "read_labels", "resolve_class_map"]

MERGED = "manifests that number classes differently become one by importing them as a data set with labels"
"""What to do about manifests of several jobs, whose class ids are each job's own."""


@dataclass(frozen=True)
class Labels:
    """The labeled lines of a manifest, the class names it mentions, and how many lines carry no label."""

    items: list[Item]
    class_map: dict[int, str]
    unlabeled: int


def read_labels(manifest: Path, attribute: str) -> Labels:
    """The lines with boxes under `attribute` (an empty list of boxes is a label: nothing to see).

    Lines without it, or failed ones, are counted. Raises BadInput naming the line that is wrong, or when no line is
    labeled.
    """
    items: list[Item] = []
    class_map: dict[int, str] = {}
    by_name: dict[str, int] = {}
    unlabeled = 0
    keys: set[str] = set()
    for line in read_lines(manifest):
        if label_state(line.attributes, attribute) != "labeled":
            unlabeled += 1
            keys.update(line.attributes)
            continue
        where = f"{manifest.parent.name} channel, line {line.number}"
        try:
            label = read_boxes(line.attributes, attribute)
        except ValueError as error:
            raise BadInput(f"{where}: {error}") from error
        for class_id, name in label.class_map.items():
            if class_map.setdefault(class_id, name) != name:
                known = class_map[class_id]
                raise BadInput(f"{where}: class {class_id} is {name!r}, but {known!r} in an earlier line; {MERGED}")
            if (first := by_name.setdefault(name, class_id)) != class_id:
                raise BadInput(f"{where}: {name!r} is class {class_id}, but {first} in an earlier line; {MERGED}")
        annotations = line.attributes[attribute]["annotations"]
        corners = np.array([box.corners for box in label.boxes], np.float32).reshape(-1, 4)
        ids = tuple(int(float(annotation["class_id"])) for annotation in annotations)
        size = label.image_size and (label.image_size.width, label.image_size.height)
        items.append(item_of(line, manifest, corners, ids, size))
    if not items:
        seen = f"; keys found: {', '.join(sorted(keys)[:8])}" if keys else " (the manifest is empty)"
        raise BadInput(f"{manifest.parent.name} channel: no line has a label under {attribute!r}{seen}")
    return Labels(items, class_map, unlabeled)


def resolve_class_map(given: Mapping[str, str], num_classes: int, channels: Mapping[str, Labels]) -> dict[str, str]:
    """Class id (text) -> name in the order of the model's outputs.

    `given` (a hyperparameter) rules; else `num_classes` says the ids 0..n-1; else the ids that occur. Names come from
    the manifests' class maps, "class <id>" where there is none. Raises BadInput naming the line whose class is not
    among them, or when there is no class at all.
    """
    named: dict[int, str] = {}
    for labels in channels.values():
        named = labels.class_map | named
    if given:
        ids = {int(key): name for key, name in given.items()}
        if num_classes and num_classes != len(ids):
            raise BadInput(f"hyperparameter 'num_classes' is {num_classes}, but 'class_map' has {len(ids)}")
    else:
        used = {k for labels in channels.values() for item in labels.items for k in item.class_ids}
        wanted = set(range(num_classes)) if num_classes else used | named.keys()
        ids = {key: named.get(key, f"class {key}") for key in wanted}
    if not ids:
        raise BadInput("no line has a box: there is no class to learn (give 'class_map' to train on none)")
    for channel, labels in channels.items():
        for item in labels.items:
            unknown = next((key for key in item.class_ids if key not in ids), None)
            if unknown is not None:
                known = ", ".join(f"{key}: {ids[key]}" for key in sorted(ids)[:20])
                where = f"{channel} channel, line {item.number}"
                raise BadInput(f"{where}: class_id {unknown} is not one of the classes ({known})")
    return {str(key): ids[key] for key in sorted(ids)}
