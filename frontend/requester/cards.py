"""A labeled picture as the portal shows it: every worker's boxes in its colour, the merged ones, the machine's."""

from collections.abc import Iterable
from typing import Any

from frontend.images import image_url
from labeling import queries
from labeling.models import DataObject

# Enough to tell a few workers apart where there is little room; the object's page shows whole names.
SHORT_NAME = 6


def worker_boxes(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The boxes of a crowd answer, whatever its element is called."""
    for element in content.values():
        if isinstance(element, dict) and "boundingBoxes" in element:
            return list(element["boundingBoxes"])
    return []


def layers(
    row: DataObject, answers: list[dict[str, Any]], name_length: int | None = None, *, everybody: bool = False
) -> list[dict[str, Any]]:
    """The layers of a picture: the newest label first, then each worker's boxes, names cut to `name_length`.

    Workers' layers start switched off beside a label, unless `everybody` is to be seen at once.
    """
    made: list[dict[str, Any]] = []
    if row.label is not None:
        machine = row.label.source == "machine"
        name = {"machine": "Machine", "adjudicated": "Yours", "human": "Merged"}[row.label.source]
        made.append(
            {"name": name, "kind": "machine" if machine else "merged", "boxes": row.label.value.get("boxes", [])}
        )
    for answer in answers:
        made.append(
            {
                "name": answer["worker"][:name_length],
                "kind": "worker",
                "color": answer["colour"],
                "boxes": worker_boxes(answer["content"]),
                **({"on": True} if everybody else {}),
            }
        )
    return made


def cards(rows: Iterable[DataObject], user_id: int, *, everybody: bool = False) -> list[dict[str, Any]]:
    """The gallery items of several objects; the answers of all of them are one query."""
    shown = list(rows)
    answers = queries.answers_of_many(shown)
    return [card(row, user_id, answers[row.pk], name_length=SHORT_NAME, everybody=everybody) for row in shown]


def card(
    row: DataObject,
    user_id: int,
    answers: list[dict[str, Any]],
    *,
    side: int = 720,
    name_length: int | None = None,
    everybody: bool = False,
) -> dict[str, Any]:
    """What the template of a gallery item needs."""
    return {
        "row": row,
        "label": row.label,
        "image_url": f"{image_url(row.pk, user_id)}?side={side}",
        "layers": {"layers": layers(row, answers, name_length, everybody=everybody)},
        "name": row.source_ref.rsplit("/", 1)[-1] or f"Object {row.index}",
    }
