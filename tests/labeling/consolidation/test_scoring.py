"""Scores of answers against a known truth."""

from pytest import approx

from labeling import task_types
from labeling.consolidation.scoring import class_f1, f1, span_f1
from labeling.formats.shapes import Box, Span


def test_f1_counts_what_is_missing_and_what_is_too_much():
    assert f1(1, 2, 1) == f1(1, 1, 2) == approx(2 / 3)
    assert f1(0, 0, 0) == 1 and f1(0, 3, 0) == 0


def test_sets_of_classes():
    assert class_f1(["bee"], ["bee"]) == 1 and class_f1(["bee"], ["wasp"]) == 0
    assert class_f1(["bee", "wasp"], ["wasp"]) == approx(2 / 3)
    assert class_f1([], []) == 1


def test_a_span_needs_the_very_offsets_and_the_label():
    true = [Span("name", 0, 4), Span("place", 10, 14)]
    assert span_f1([true[1], true[0], true[0]], true) == 1
    assert span_f1([Span("name", 0, 4, confidence=0.3), Span("name", 10, 14)], true) == 0.5
    assert span_f1([Span("name", 0, 5)], true) == 0


def test_a_box_needs_half_of_the_union_and_the_class_and_is_paired_once():
    score, true = task_types.get("BoundingBox").score_against_truth, [Box("bee", 0, 0, 100, 100)]
    assert score([Box("bee", 0, 0, 100, 60)], true) == 1
    assert score([Box("bee", 0, 0, 100, 40)], true) == 0
    assert score([Box("wasp", 0, 0, 100, 100)], true) == 0
    assert score([Box("bee", 0, 0, 100, 100), Box("bee", 0, 0, 100, 90)], true) == approx(2 / 3)
    assert score([], []) == 1 and score(true, []) == score([], true) == 0
