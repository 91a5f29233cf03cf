"""A labeled picture as the portal shows it: every worker's answer in its colour, the merged label, the machine's.

How a label or an answer is drawn is the task type's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from frontend import masks
from frontend.images import image_url
from frontend.layers import Kind, earlier_layers, label_layer, seen
from labeling.consolidation.likely_errors import likeliest
from labeling.models import DataObject, Label
from labeling.queries import people
from labeling.services.intake import audited
from labeling.services.results import likely_errors
from labeling.services.results.mask_layers import MaskOf

SHORT_NAME = 6
"""How many characters of a worker's id galleries show; the object's page shows all."""


def layers(
    row: DataObject,
    kind: Kind,
    answers: list[dict[str, Any]],
    name_length: int | None = None,
    *,
    everybody: bool = False,
    before: Any = None,
    small_for: int | None = None,
) -> list[dict[str, Any]]:
    """The layers of a picture: the newest label first, then each worker's answer, names cut to `name_length`.

    Workers' layers start switched off beside a label, unless `everybody` is to be seen at once. `before`: the earlier
    label that they verified or adjusted, which comes last. `small_for`: the user who gets small copies of masks in
    place of all their pixels.
    """

    def shown(layer: dict[str, Any], whose: MaskOf, key: int = 0, revision: int = 0) -> dict[str, Any]:
        if small_for is None:
            return layer
        return masks.small(layer, whose, key, revision=revision, object_id=row.pk, user_id=small_for)

    made = [shown(label_layer(row.label, kind), MaskOf.LABEL, row.label.pk)] if row.label is not None else []
    for answer in answers:
        layer = {
            "name": answer["worker"][:name_length],
            "kind": "worker",
            "color": answer["colour"],
            **kind.answer_layer(answer["content"]),
            **({"on": True} if everybody else {}),
        }
        made.append(shown(layer, MaskOf.ANSWER, answer["assignment_id"], answer["revision"]))
    return made + [shown(layer, MaskOf.EARLIER) for layer in earlier_layers(before, kind)]


def cards(
    rows: Iterable[DataObject],
    kind: Kind,
    user_id: int,
    *,
    classes: Sequence[str],
    everybody: bool = False,
    models: Mapping[int, Label] | None = None,
) -> list[dict[str, Any]]:
    """The gallery items of several objects of one job; the answers of all of them are one query.

    Masks are small copies, fetched one by one as they come near the screen. `models`: labels of a model, by the key of
    their object, to be seen beside the newest label.
    """
    shown = list(rows)
    answers = people.answers_of_many(shown)
    before = audited.of_objects(kind, [row.pk for row in shown])
    options: dict[str, Any] = {"classes": classes, "name_length": SHORT_NAME, "everybody": everybody, "small": True}
    made = [card(row, kind, user_id, answers[row.pk], before=before.get(row.pk), **options) for row in shown]
    for one in made:
        label = (models or {}).get(one["row"].pk)
        if label is not None and label.pk != one["row"].label_id:
            layer = {**label_layer(label, kind), "on": True}
            one["layers"]["layers"].append(
                masks.small(layer, MaskOf.LABEL, label.pk, object_id=one["row"].pk, user_id=user_id)
            )
    return made


def card(
    row: DataObject,
    kind: Kind,
    user_id: int,
    answers: list[dict[str, Any]],
    *,
    classes: Sequence[str],
    side: int = 720,
    name_length: int | None = None,
    everybody: bool = False,
    before: Any = None,
    small: bool = False,
) -> dict[str, Any]:
    """What the template of a gallery item needs; `small`: with small copies of masks."""
    options: dict[str, Any] = {"everybody": everybody, "before": before, "small_for": user_id if small else None}
    return {
        "kind": kind,
        "row": row,
        "label": row.label,
        "likely_error": likely_error(row),
        "image_url": f"{image_url(row.pk, user_id)}?side={side}",
        "layers": seen(layers(row, kind, answers, name_length, **options), classes),
        "name": row.file_name or gettext("Object {index}").format(index=row.index),
    }


def likely_error(row: DataObject) -> dict[str, Any] | None:
    """As `likely_errors.document`, with the reason in the reader's language."""
    found = likely_errors.document(row)
    if found is None or not found["kinds"]:
        return found
    text, percent = likeliest(found["kinds"])
    return found | {"reason": gettext(text).format(percent=percent)}
