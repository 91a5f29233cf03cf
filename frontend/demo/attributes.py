"""What the simulated crowd says of the attributes that a job's labels have: of classes mostly the first choice.

The truth that it knows has none, so that nothing is right or wrong about them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labeling.formats.label_attributes import KEY

USUAL = 0.8
"""How often the first choice of a class is said."""


def with_attributes(
    content: dict[str, Any], labels: Sequence[Mapping[str, Any]], seed: Sequence[int]
) -> dict[str, Any]:
    """The answer with a value for each declared attribute of its shapes that has none. `labels`: as a task has them."""
    declared = {one["label"]: one.get("categoryAttributes", []) for one in labels}
    if not any(declared.values()):
        return content
    rng = np.random.default_rng(list(seed))
    shapes = [
        shape
        for element in content.values()
        for found in (element.values() if isinstance(element, dict) else ())
        if isinstance(found, list)
        for shape in found
        if isinstance(shape, dict) and "label" in shape
    ]
    for shape in shapes:
        given = dict(shape.get(KEY, {}))
        for attribute in declared.get(shape["label"], []):
            given.setdefault(attribute["name"], _said(attribute, rng))
        if given:
            shape[KEY] = given
    return content


def _said(attribute: Mapping[str, Any], rng: np.random.Generator) -> str | float:
    number = attribute.get("type") == "number"
    if choices := attribute.get("enum"):
        choice = choices[0] if rng.random() < USUAL else choices[int(rng.integers(len(choices)))]
        return float(choice) if number else str(choice)
    if not number:
        return "simulated"
    low, high = attribute.get("minimum"), attribute.get("maximum")
    if low is None:
        return float(high) if high is not None else 0.0
    return float(rng.uniform(low, high if high is not None else low + 1))
