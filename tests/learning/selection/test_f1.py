"""F1 of detectors: matches, score cuts, and the figures at the cuts."""

import pytest

from learning.selection import f1
from learning.selection.quality import Detections

ONE, OTHER = (0, 0, 0, 10, 10), (0, 50, 50, 10, 10)


def found(*rows):
    return Detections.of([(*row[:5], row[5] if len(row) > 5 else 1.0) for row in rows])


def matched(predicted, truth, classes=2):
    return f1.matches([found(*rows) for rows in predicted], [found(*rows) for rows in truth], classes=classes)


def test_each_true_box_is_found_once_by_the_best_score():
    got = matched([[(*ONE, 0.6), (*ONE, 0.9), (1, 0, 0, 10, 10, 0.8)]], [[ONE]])
    assert sorted(zip(got.scores.tolist(), got.right.tolist(), strict=True)) == [
        (0.6, False),
        (0.8, False),
        (0.9, True),
    ]
    assert got.truth.tolist() == [1, 0]


def test_a_box_has_to_overlap_by_half():
    half, less = (0, 0, 0, 10, 20, 0.9), (0, 0, 0, 10, 21, 0.9)
    assert matched([[half], [less]], [[ONE], [ONE]]).right.tolist() == [True, False]


def test_the_cut_is_the_one_with_the_best_f1_and_leaves_equals_together():
    rows = [[(*ONE, 0.9), (*OTHER, 0.3)], [(*ONE, 0.5)], [(*ONE, 0.5), (*OTHER, 0.2)]]
    got = matched(rows, [[ONE], [ONE], [OTHER]])
    # At 0.5 two of three are right, at 0.9 one of one: F1 4/6 against 2/4; at 0.2 three of five, 6/8.
    cuts = f1.fit_cuts(got)
    assert cuts.tolist() == [0.2, f1.USUAL_CUT]
    assert f1.figures(got, cuts, ["a", "b"])["f1"] == pytest.approx(6 / 8)


def test_every_wrong_box_counts_also_of_a_class_that_is_not_there():
    got = matched([[(*ONE, 0.9), (1, 50, 50, 10, 10, 0.9)]], [[ONE]])
    figures = f1.figures(got, f1.fit_cuts(got), ["a", "b"])
    assert figures["f1"] == pytest.approx(2 / 3) and figures["precision"] == 0.5 and figures["recall"] == 1.0
    assert figures["by_class"] == {"a": 1.0, "b": 0.0} and figures["boxes"] == 1


def test_nothing_true_and_nothing_found_is_right():
    got = matched([[]], [[]])
    assert f1.figures(got, f1.fit_cuts(got), ["a", "b"])["f1"] == 1.0
    nothing = matched([[]], [[ONE]])
    assert f1.figures(nothing, f1.fit_cuts(nothing), ["a", "b"])["f1"] == 0.0
    with pytest.raises(ValueError):
        matched([[]], [])
