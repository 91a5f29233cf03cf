"""A label's stored explanation in plain words for the object page. Knows its keys, not how they came about."""

from typing import Any

from labeling.models import Label, LabelSource

METHODS = {
    "mean": "the mean of the boxes, by weight",
    "medoid": "the box closest to all others",
    "single": "the one box there is",
}


def story(label: Label | None) -> dict[str, Any]:
    """`lead`: a sentence on the whole label; `boxes`: what became of each thing somebody drew; `workers`, `ignored`."""
    empty: dict[str, Any] = {"lead": "Nobody has labeled this object yet.", "boxes": [], "workers": [], "ignored": []}
    if label is None:
        return empty
    why = label.explanation
    if label.source == LabelSource.ADJUDICATED:
        return empty | {"lead": "A member of your account decided this object. Their boxes are the label."}
    if label.source == LabelSource.MACHINE:
        return empty | {"lead": _machine(label, why)}
    boxes = [_box(cluster) for cluster in why.get("clusters", [])]
    kept = sum(box["kept"] for box in boxes)
    asked = len(why.get("workers", []))
    lead = f"{asked} {'person' if asked == 1 else 'people'} answered. {_count(kept, 'box', 'boxes')} kept"
    if dropped := len(boxes) - kept:
        lead += f", {_count(dropped, 'box', 'boxes')} dropped"
    return {"lead": f"{lead}.", "boxes": boxes, "workers": why.get("workers", []), "ignored": why.get("ignored", [])}


def _machine(label: Label, why: dict[str, Any]) -> str:
    text = f"The model {label.model_name} labeled this object"
    if why.get("round") is not None:
        text += f" in round {why['round']}"
    if why.get("expected_quality") is not None:
        text += f": it expected a quality of {why['expected_quality']:.2f}"
        if why.get("threshold") is not None:
            text += f", and {why['threshold']:.2f} was enough"
    return f"{text}."


def _box(cluster: dict[str, Any]) -> dict[str, Any]:
    members, missed = cluster.get("members", []), cluster.get("not_drawn_by", [])
    drew = len({member["worker"] for member in members})
    said = f"Drawn by {drew} of {drew + len(missed)}."
    if cluster["kept"]:
        said += f" The box is {METHODS.get(cluster.get('method', ''), 'made from theirs')}."
    elif cluster.get("label") is None:
        said += " Dropped: nobody gave it a label of this job."
    else:
        said += f" Dropped: only {cluster['exists']:.0%} likely to be there."
    return {
        "kept": cluster["kept"],
        "label": cluster.get("label") or "no label",
        "confidence": cluster.get("confidence"),
        "said": said,
        "members": members,
        "missed": missed,
    }


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
