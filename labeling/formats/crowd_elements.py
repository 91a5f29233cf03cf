"""The crowd elements that templates may use: which give an answer, and which attributes hold JSON.

The names are Ground Truth's and A2I's, those of their templates for video and 3D point clouds left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CrowdElement:
    """What a template may say about one element."""

    answers: bool = False
    """Whether its value is part of the answer, under its attribute `name`."""
    json: tuple[str, ...] = ()
    """Attributes that hold JSON."""
    shared_name: bool = False
    """Whether several of one name make one value together."""
    needs: tuple[str, ...] = ()
    """Attributes without which it shows nothing."""
    linked: bool = False
    """Whether it may stand outside its form and name it by crowd-form-element-id; it needs no name of its own then."""
    plain: tuple[str, ...] = ()
    """Those of `json` that may hold a label as it is."""


_PICTURE = CrowdElement(answers=True, json=("labels", "initial-value"), needs=("src", "labels"))
_CHOICE = CrowdElement(
    answers=True,
    json=("categories", "exclusion-category", "initial-value", "overlay"),
    needs=("categories",),
    plain=("exclusion-category", "initial-value"),
)
_IMAGE_CHOICE = replace(_CHOICE, needs=("src", "categories"))
_FIELD = CrowdElement(answers=True)
_BOX = CrowdElement(answers=True, shared_name=True)
_LAYOUT = CrowdElement()

BOUNDING_BOX, IMAGE_CLASSIFIER = "crowd-bounding-box", "crowd-image-classifier"

ELEMENTS: dict[str, CrowdElement] = {
    "crowd-form": _LAYOUT,
    BOUNDING_BOX: _PICTURE,
    "crowd-polygon": _PICTURE,
    "crowd-polyline": CrowdElement(True, ("labels", "label-colors", "initial-value"), needs=("src", "labels")),
    "crowd-line": CrowdElement(True, ("labels", "label-colors", "initial-value"), needs=("src", "labels")),
    "crowd-keypoint": _PICTURE,
    "crowd-instance-segmentation": _PICTURE,
    "crowd-semantic-segmentation": _PICTURE,
    IMAGE_CLASSIFIER: _IMAGE_CHOICE,
    "crowd-image-classifier-multi-select": _IMAGE_CHOICE,
    "crowd-classifier": _CHOICE,
    "crowd-classifier-multi-select": _CHOICE,
    "crowd-entity-annotation": CrowdElement(True, ("labels", "initial-value"), needs=("labels", "text")),
    # These two answer under a fixed key.
    "crowd-textract-analyze-document": CrowdElement(
        json=("initial-value", "block-types", "keys"), needs=("src", "initial-value")
    ),
    "crowd-rekognition-detect-moderation-labels": CrowdElement(
        json=("categories", "exclusion-category"), needs=("src", "categories")
    ),
    "crowd-text-ranking": CrowdElement(
        True,
        ("responses", "ordinal-ranking-dimensions"),
        needs=("responses", "ordinal-ranking-dimensions"),
        linked=True,
    ),
    "crowd-question-answer-generation": CrowdElement(True, ("question-tags",), needs=("text",), linked=True),
    "crowd-input": _FIELD,
    "crowd-text-area": _FIELD,
    "crowd-slider": _FIELD,
    "crowd-checkbox": _BOX,
    "crowd-radio-button": _BOX,
    "crowd-toggle-button": _BOX,
    **dict.fromkeys(
        (
            *("crowd-radio-group", "crowd-slider-label", "crowd-button", "crowd-icon-button", "crowd-fab"),
            *("crowd-badge", "crowd-alert", "crowd-toast", "crowd-card", "crowd-modal", "crowd-instructions"),
            *("crowd-tabs", "crowd-tab"),
        ),
        _LAYOUT,
    ),
}

STANDALONE = frozenset({"crowd-entity-annotation"})
"""Elements that submit by themselves, outside crowd-form."""

NOT_HERE = frozenset({"crowd-3d-point-cloud", "crowd-video-object-detection", "crowd-video-object-tracking"})
"""Ground Truth's own elements for video and 3D, which are not labeled here."""
