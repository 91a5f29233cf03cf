"""What Python puts together for pages is in the reader's language, and nothing of it is left unmarked."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import translation

from frontend import automation, catalogs, formats
from labeling import task_types
from labeling.conduct.rules import RULES
from labeling.consolidation import likely_errors
from labeling.services.jobs import forecasting
from labeling.task_types import bounding_box, custom
from labeling.task_types.told import answered, counted, kept_of, together
from learning import loop_words
from learning.families import FAMILIES
from learning.models import LearningLoop, LoopAudit, Round
from marketplace.ranges import Range
from tests import builders
from tests.frontend.test_languages import GERMAN
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

ROOM = Path(catalogs.ROOT) / "frontend"
ROOMS = ("requester", "operator", "worker", "person", "vendor", "identity")
SHARED = ("*_pages.py", "*_forms.py", "automation.py", "layers.py", "formats.py")
MARKS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext", "pgettext_lazy", "_", "word"}
UNSEEN_CALLS = {"take", "warning", "info", "Invalid", "NotFound", "TooManyTries", "Refused", "record", "connect"}
"""Calls whose texts are keys, lines of the log or messages of errors."""

SEVERAL_WORDS = re.compile(r"[a-z]{2,}[,;:]? +[a-z]{2,}|[A-Za-z]{2,} +[A-Za-z']+ +[A-Za-z']{2,}")
UNSEEN = {
    "by hand",
    "disabled by its owner",
    "Least scores",
    "none was",
    "The parameters of a policy.",
    "sgd, adam, adamw",
    "authenticator app",
    "recovery codes",
    "second factor {}: {}",
    "answer of identity provider {}",
    "there is no verified answer",
    "the answer is to no request of this browser",
    "//*[local-name()='Assertion' or local-name()='EncryptedAssertion']",
    "text/csv; charset=utf-8",
    "private, no-store",
}
"""Texts of several words that no page shows, or that templates translate: reasons in logs, headers, names of fields."""


def modules() -> list[Path]:
    """The modules that make what pages say."""
    return [
        *(path for pattern in SHARED for path in sorted(ROOM.glob(pattern))),
        *(path for room in ROOMS for path in sorted((ROOM / room).rglob("*.py"))),
    ]


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def unmarked(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Texts of several words with their lines, without docstrings, errors and what is marked."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    if isinstance(node, ast.Call) and called(node) in MARKS | UNSEEN_CALLS:
        return
    text = text_of(node)
    if text is not None:
        if SEVERAL_WORDS.search(text) and not text.startswith("attachment; "):
            yield node.lineno, text
        return
    for child in ast.iter_child_nodes(node):
        yield from unmarked(child)


@cache
def known() -> catalogs.Catalog:
    return catalogs.marked()


def test_no_sentence_for_a_page_is_left_unmarked():
    found = [
        f"{path.relative_to(ROOM)}:{line}: {text!r}"
        for path in modules()
        for line, text in unmarked(ast.parse(path.read_text()))
        if text not in UNSEEN
    ]
    assert found == [], "mark them (docs/translating.md), or say in UNSEEN that no page shows them"


def test_every_marked_text_is_one_that_the_catalogs_find():
    """They do not look into f-strings."""
    hidden = [
        f"{path.relative_to(ROOM)}:{node.lineno}: {node.args[0].value!r}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and called(node) in {"gettext", "_", "word", "ngettext"} and node.args
        if isinstance(node.args[0], ast.Constant) and node.args[0].value not in known()
    ]
    assert hidden == []


def test_what_the_other_rooms_tell_is_known_to_the_catalogs():
    kinds = [task_types.get(name) for name in task_types.names()]
    shown = [
        *loop_words.ACTIVITIES.values(),
        *loop_words.NO_TRAINING,
        *loop_words.NO_AUDIT,
        *loop_words.SENTENCES,
        *(measure.name for family in FAMILIES for measure in (family.measure, family.several) if measure),
        *(said for kind in kinds for said in vars(kind.words).values()),
        *(column.title for kind in kinds for column in kind.skill_columns),
        *(figure.title for kind in kinds if kind.simulation for figure in kind.simulation.figures),
        *forecasting.CROWDS.values(),
        *(rule.states for rule in RULES.values()),
    ]
    assert [text for text in shown if text and text not in known()] == []


def told_texts() -> Iterator[str]:
    """The texts that task types tell, as they stand in their code; for counted ones that of one thing."""
    for path in sorted((Path(catalogs.ROOT) / "labeling" / "task_types").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in {"told", "counted"} and path.name != "base.py":
                first = node.args[0 if called(node) == "told" else 1]
                choices = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                yield from (one.value for one in choices if isinstance(one, ast.Constant))
            elif isinstance(node, ast.Call) and called(node) == "count" and isinstance(node.args[1], ast.Constant):
                yield f"{{number}} {node.args[1].value}"


def test_what_task_types_tell_of_a_label_is_known_to_the_catalogs():
    shown = [*told_texts(), *bounding_box.METHODS.values(), *custom.HOW.values(), *likely_errors.SENTENCES.values()]
    shown += [f"{{number}} {kind.one}" for kind in map(task_types.get, task_types.names()) if hasattr(kind, "one")]
    unseen = {"{iou:.2f}", "{label} ({start}–{end})"}
    assert len(shown) > 50 and [text for text in shown if text not in known() and text not in unseen] == []
    told = together(answered(2), kept_of(counted(1, "{number} box", "{number} boxes")), "As it is.")
    assert told == formats.told(told) == "2 people answered. 1 box kept. As it is."
    with translation.override("de"):
        assert formats.told(told) == "2 Personen haben geantwortet. 1 Rahmen behalten. As it is."
        assert formats.told("As it is.") == "As it is."


CURVE = [
    {"threshold": 0.9, "quality": 0.5, "coverage": 0.2},
    {"threshold": 0.1, "quality": 0.4, "coverage": 1.0},
]
PLAN = {
    "text": "It does not pay.",
    "sentences": [
        {"text": loop_words.TOO_POOR, "values": {"checked": 16, "measure": "mean IoU", "found": 0.25, "promised": 0.6}},
        {"text": loop_words.SAVES_MONEY, "values": {"saving": 7.2, "left": 48, "worth": 12.5}},
    ],
}
FIGURES = {
    "human_labels": 32, "human_boxes": 90, "mAP_50": 0.61, "mAP": 0.4, "counters": {"Unlabeled": 3}, "auto_labeled": 0,
    "validation_images": 30, "quality_all": 0.4, "plan": PLAN,
    "machine": {"quality": 0.7, "lower_bound": 0.63, "confidence": 0.9, "images": 30},
    "short_training": {"steps": 39, "least": 300, "longer_seconds": 270.0},
}  # fmt: skip
ENGLISH = (
    "Learning curve", "People label", "A model is trained", "Round 1", "Who labeled", "cut-off", "Cut-off", "promised",
    "No cut-off", "mean IoU", "validation split", "Training further", "This computer", "Least certain", "with people",
)  # fmt: skip


@pytest.mark.django_db
def test_the_pages_of_a_loop_tell_it_in_german():
    account = stories.an_account()
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    job = stories.a_job(account, team, automated_labeling={"enabled": True, "target_iou": 0.6})
    loop = LearningLoop.objects.create(job=job, settings={"target_iou": 0.6, "confidence": 0.9})
    figures = FIGURES | {"no_training": loop_words.ENOUGH_LABELS}
    Round.objects.create(loop=loop, number=1, status="Finished", curve=CURVE, figures=figures)
    asked = {"asked": 3, "labels": 40, "answered": None, "note": ""}
    LoopAudit.objects.create(loop=loop, number=1, status="Labeling", last_round=1, figures=asked)
    client = signed_in(account.members.get())
    pages = [
        client.get(reverse(f"requester:{route}", args=[job.pk]), **GERMAN).content.decode()
        for route in ("job-loop", "job")
    ]
    assert [(said, page.count(said)) for said in ENGLISH for page in pages if said in page] == []
    page, design = pages
    charts = [json.loads(text) for text in re.findall(r"<template>(.*?)</template>", page)]
    assert [chart["title"] for chart in charts] == [
        "Lernkurve", "Lernkurve nach gezeichneten Rahmen", "Wer was gelabelt hat", "Qualität der maschinellen Labels",
        "Grenzwert und Qualität, Runde 1",
    ]  # fmt: skip
    assert charts[3]["y"]["label"] == "mittlere IoU" and charts[3]["marks"][0]["label"] == "versprochen"
    for said in (
        "Menschen labeln 3 der Objekte des Modells noch einmal",
        "3 von 40 Labels",
        "Auf 30 Validierungsbildern erreichen alle Labels des Modells zusammen 0,40",
        "lassen selbst die sichersten nur 0,25 erwarten, versprochen ist 0,60",
        "etwa 7 von 48 Objekten, also 12,50\u00a0$",
        "selbst nach 270 Sekunden mehr als geplant nur 39 Schritte",
        "so viele Objekte sind gelabelt, wie der Auftrag haben darf",
        "mittlere IoU mindestens 0,6 mit 90\u00a0% Konfidenz",
    ):
        assert said in page, said
    assert "versprochen mittlere IoU 0,6" in design
    # Programs read the same loop in English.
    told = client.get(f"/api/v1/labeling-jobs/{job.pk}/loop", **GERMAN).json()
    assert told["activity"] == "people label 3 of the model's objects again, without seeing its labels"


def test_numbers_within_sentences_are_written_as_the_reader_writes_them():
    text, values = "{share:.1%} {risk:.2f} {many:,} {few:g} {name}", {"share": 0.125, "risk": 0.5, "many": 1234}
    assert formats.filled(text, **values, few=0.6, name="a.b") == "12.5% 0.50 1,234 0.6 a.b"
    with translation.override("de"):
        assert formats.filled(text, **values, few=0.6, name="a.b") == "12,5\u00a0% 0,50 1.234 0,6 a.b"
        assert (str(formats.between(Range(1, 9))), str(formats.between(Range(0.01)))) == ("1 bis 9", "mindestens 0,01")
        assert automation.promised("BoundingBox", {"target_error": 0.05}) == "höchstens 5\u00a0% falsche Labels"
    assert str(formats.between(Range(1, 9))) == str(Range(1, 9))
    assert automation.promised("BoundingBox", {"target_error": 0.025}) == "at most 2.5% wrong labels"
