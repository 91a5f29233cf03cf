"""Worker models as jobs have stored them: today's version, and version 1 with its other words for the same counts."""

import copy

import pytest

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.formats.shapes import Box, Span

LABELS = ("bee", "flower")
SIZE = (640.0, 480.0)

SKILL_1 = {
    "images": 9.0,
    "hits": 8.5,
    "chances": 10.25,
    "falses": 1.5,
    "false_chances": 4.0,
    "edges": 7.5,
    "edge_sum": [0.5, -1.0, 0.25, 2.0],
    "edge_square": [8.0, 9.0, 7.0, 10.0],
    "confusion": [["bee", "bee", 5.0], ["bee", "flower", 1.0]],
    "by_class": {"bee": [5.5, 6.0]},
}
BOXES_1 = {
    "version": 1,
    "population": {
        "hit": 0.81,
        "false": 0.07,
        "real": 0.75,
        "objects": 2.5,
        "accuracy": 0.92,
        "hard": 2.0,
        "pixel": [1.0, 1.1, 1.2, 1.3],
        "relative": [0.05, 0.06, 0.07, 0.08],
        "style": [[1.0, 0.0, 0.0]] * 4,
        "classes": {"bee": 12.0},
        "by_class": {"bee": [20.0, 24.0]},
        "shapes": {"bee": [12.0, 48.0, 45.0, 195.0, 182.0, 171.0]},
        "slips": [3.0, 9.0, 9.0, 29.0, 27.0, 29.0],
    },
    "calibration": {"weights": [0.1, 0.7], "threshold": 0.5},
    "workers": {"ann": SKILL_1},
}
SPANS_1 = {
    "version": 1,
    "population": {"hit": 0.81, "false": 0.07, "real": 0.75, "objects": 2.5, "hard": 1.0},
    "workers": {"ann": SKILL_1},
    "labels": {"version": 1, "crowd": [["bee", "bee", 9.0]], "prior": {"bee": 9.0}, "workers": {}},
    "exact": {"": [30.0, 40.0], "ann": [18.0, 20.0]},
}


def in_version_2(stored):
    """The same models in today's words."""
    now = copy.deepcopy(stored)
    now["version"] = 2
    for old, new in (("hit", "recall"), ("false", "false_positive_rate"), ("hard", "difficulty")):
        now["population"][new] = now["population"].pop(old)
    if "slips" in now["population"]:
        now["population"]["distractor_shape"] = now["population"].pop("slips")
    for old, new in (("hits", "found"), ("falses", "false_positives"), ("false_chances", "distractors")):
        now["workers"]["ann"][new] = now["workers"]["ann"].pop(old)
    return now


@pytest.mark.parametrize(("load", "stored"), [(WorkerModels.from_json, BOXES_1), (SpanWorkers.from_json, SPANS_1)])
def test_models_of_version_1_are_read_and_written_in_todays_words(load, stored):
    assert load(stored).to_json() == in_version_2(stored)
    assert load(in_version_2(stored)).to_json() == in_version_2(stored)


def test_models_of_version_1_know_the_same_of_a_worker():
    models = WorkerModels.from_json(BOXES_1)
    assert models.population.recall == 0.81
    assert models.population.false_positive_rate == 0.07
    assert models.population.difficulty == 2.0
    rates = models.rates(["ann", "new"], LABELS)
    assert rates.recall == pytest.approx([(8.5 + 8 * 0.81) / 18.25, 0.81])
    assert rates.false_positive_rate == pytest.approx([(1.5 + 25 * 0.07) / 29, 0.07])


def test_boxes_are_consolidated_alike_by_both_versions():
    drawn = [WorkerAnswer(name, (Box("bee", 100, 100, 50, 40),)) for name in ("ann", "bob")]
    answers = [*drawn, WorkerAnswer("cy", ())]
    found = [
        boxes.consolidate(answers, labels=LABELS, image_size=SIZE, workers=WorkerModels.from_json(stored))
        for stored in (BOXES_1, in_version_2(BOXES_1))
    ]
    assert found[0] == found[1]
    assert set(found[0].explanation["workers"][0]) == {"worker", "recall", "false_positive_rate", "spread"}


def test_spans_are_consolidated_alike_by_both_versions():
    answers = [WorkerAnswer(name, (Span("bee", 3, 9),)) for name in ("ann", "bob")] + [WorkerAnswer("cy", ())]
    found = [
        spans.consolidate(answers, labels=LABELS, workers=SpanWorkers.from_json(stored))
        for stored in (SPANS_1, in_version_2(SPANS_1))
    ]
    assert found[0] == found[1]
    assert set(found[0].explanation["workers"][0]) == {"worker", "recall", "false_positive_rate", "exact"}
