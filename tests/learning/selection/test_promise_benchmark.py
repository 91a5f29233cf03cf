"""The benchmark of the promise compares its rules on the same images, and each with what it promises."""

import numpy as np

from benchmarks.auto_label_promise import RULES, Kept, measure
from tests.learning.selection.scenes import draw_many


def test_every_rule_is_measured_and_only_those_with_a_proof_are_kept():
    found, truths = draw_many(np.random.default_rng(0), 150, skill=3.0)
    figures = measure(Kept(found, truths, 2), draws=2, checked=90)
    for target, least in (("e5", 0.05), ("e10", 0.1)):
        assert all(0 <= figures[f"{rule}_coverage_{target}"] <= 1 for rule in RULES)
        assert figures[f"promise_kept_{target}"] == 1.0
        # A fifth of these labels is wrong: whoever labels most of them is over the target.
        assert figures[f"ground_truth_coverage_{target}"] > 0.8
        assert figures[f"ground_truth_error_{target}"] > least
        assert figures[f"ground_truth_kept_{target}"] == 0.0
        assert 0 < figures[f"hindsight_{target}"] < 1
