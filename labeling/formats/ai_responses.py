"""Responses of the services that A2I knows as request sources: Rekognition's moderation labels, Textract's forms.

Reads them as facts for activation conditions, and picks the part that met these. Names of members are accepted as the
services write them and as A2I does, which begins them with a small letter. It must not know who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.formats.conditions import Facts, FormKey, chosen

MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"
FORMS = "AWS/Textract/AnalyzeDocument/Forms/V1"
_NESTING = 20


class ResponseError(ValueError):
    """What is wrong with a response and where, e.g. 'moderationLabels[1].confidence: ...'."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


def small(value: Any, depth: int = 0) -> Any:
    """The value with the name of every member beginning with a small letter, as A2I writes them.

    Raises ResponseError for what is nested more than 20 deep.
    """
    if depth > _NESTING:
        raise ResponseError("aiServiceResponse", f"nested more than {_NESTING} deep")
    if isinstance(value, Mapping):
        return {f"{name[:1].lower()}{name[1:]}": small(one, depth + 1) for name, one in value.items()}
    return [small(one, depth + 1) for one in value] if isinstance(value, list) else value


def facts(source: str, response: Mapping[str, Any], *, identity: str) -> Facts:
    """What the conditions of a request source are evaluated on; `response` as `small` gives it.

    Raises ResponseError naming what is missing or of another type.
    """
    if source == MODERATION:
        labels = tuple((row["name"], row["confidence"]) for row in _moderation_labels(response))
        return Facts(identity, labels=labels)
    return Facts(identity, form_keys=tuple(pair.key for pair in _pairs(response)))


def selected(source: str, response: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the response that met evaluated conditions, for `selectedAiServiceResponse`.

    All of it where none of those that hold names a label or a key: a sample, or a key that is missing.
    """
    met = chosen(results, facts(source, response, identity=""))
    if met is None:
        return dict(response)
    if source == MODERATION:
        kept = [row for place, row in enumerate(_moderation_labels(response)) if place in met]
        return {**response, "moderationLabels": kept}
    ids = {one for place, pair in enumerate(_pairs(response)) if place in met for one in pair.blocks}
    return {**response, "blocks": [block for block in response["blocks"] if block.get("id") in ids]}


def _moderation_labels(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = _rows(response, "moderationLabels")
    for place, row in enumerate(rows):
        _number(row, "confidence", f"moderationLabels[{place}]")
        if not isinstance(row.get("name"), str):
            raise ResponseError(f"moderationLabels[{place}].name", "a text expected")
    return rows


@dataclass(frozen=True)
class _Pair:
    """A key of a form with the ids of all its blocks: key, value, and their words."""

    key: FormKey
    blocks: frozenset[str]


def _pairs(response: Mapping[str, Any]) -> list[_Pair]:
    rows = _rows(response, "blocks")
    by_id = {row["id"]: (row, f"blocks[{place}]") for place, row in enumerate(rows) if isinstance(row.get("id"), str)}
    found = []
    for place, row in enumerate(rows):
        if row.get("blockType") != "KEY_VALUE_SET" or "KEY" not in (row.get("entityTypes") or ()):
            continue
        words = _related(row, "CHILD", by_id)
        values = _related(row, "VALUE", by_id)
        answers = [word for value, _ in values for word in _related(value, "CHILD", by_id)]
        scores = [_number(word, "confidence", where) for word, where in words + answers if word["blockType"] == "WORD"]
        text = " ".join(str(word.get("text", "")) for word, _ in words if word["blockType"] == "WORD")
        key = FormKey(text, _number(row, "confidence", f"blocks[{place}]"), tuple(scores))
        own = [row["id"]] if isinstance(row.get("id"), str) else []
        found.append(_Pair(key, frozenset([*own, *(one["id"] for one, _ in words + values + answers)])))
    return found


_Block = tuple[Mapping[str, Any], str]


def _related(block: Mapping[str, Any], kind: str, by_id: Mapping[str, _Block]) -> list[_Block]:
    """The blocks, with where they stand, to which a block has relationships of this kind."""
    found = []
    for relation in block.get("relationships") or ():
        if isinstance(relation, Mapping) and relation.get("type") == kind:
            ids: Sequence[Any] = relation.get("ids") or ()
            found += [by_id[one] for one in ids if isinstance(one, str) and one in by_id]
    return found


def _rows(response: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = response.get(name)
    if not isinstance(rows, list):
        raise ResponseError(name, "a list expected")
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ResponseError(f"{name}[{place}]", "an object expected")
        if name == "blocks" and not isinstance(row.get("blockType"), str):
            raise ResponseError(f"{name}[{place}].blockType", "a text expected")
        for member in ("relationships", "entityTypes"):
            if name == "blocks" and not isinstance(row.get(member) or [], list):
                raise ResponseError(f"{name}[{place}].{member}", "a list expected")
    return rows


def _number(row: Mapping[str, Any], name: str, where: str) -> float:
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 100:
        raise ResponseError(f"{where}.{name}", "a number from 0 to 100 expected")
    return float(found)
