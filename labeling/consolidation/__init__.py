"""The one registry of consensus algorithms: task type -> consolidator. Pure; knows no job, no database, no web.

A consolidator is a module with `ALGORITHM` (its pinned version), `consolidate(answers, labels=..., workers=...)`,
`fit_workers(objects, labels=...)` and `should_ask_more(answers, labels=..., rule=..., workers=...)`.
"""

from types import ModuleType

from labeling.consolidation import boxes, spans, tags, votes

CONSOLIDATORS: dict[str, ModuleType] = {
    "BoundingBox": boxes,
    "ImageMultiClass": votes,
    "ImageMultiClassMultiLabel": tags,
    "TextMultiClass": votes,
    "TextMultiClassMultiLabel": tags,
    "NamedEntityRecognition": spans,
}
