"""Difficulty of objects and unclear instructions, from how alike answers are."""

import numpy as np
import pytest

from labeling.consolidation.difficulty import difficulties, guideline_gap


def a_crowd(objects=400, workers=20, answers=5, seed=7):
    """Answers of workers who differ by their own part and the object's: (objects, workers, agreement, truth)."""
    random = np.random.default_rng(seed)
    hard, careless = random.uniform(0, 0.6, objects), random.uniform(0, 0.3, workers)
    who = np.array([random.choice(workers, answers, replace=False) for _ in range(objects)])
    chance = np.clip(hard[:, None] + careless[who], 0, 1)
    right = random.random((objects, answers)) >= chance
    of = np.repeat(np.arange(objects), answers)
    return of, who.ravel(), right.ravel().astype(float), hard


def test_difficult_objects_come_out_difficult_whoever_answered_them():
    of, who, agreement, truth = a_crowd(answers=9)
    found = difficulties(of, who, agreement)
    assert np.corrcoef(found.difficulty, truth)[0, 1] > 0.6
    plain = 1 - np.bincount(of, agreement) / np.bincount(of)
    assert np.corrcoef(found.difficulty, truth)[0, 1] > np.corrcoef(plain, truth)[0, 1]


def test_a_careless_worker_does_not_make_an_object_difficult():
    of = np.repeat(np.arange(30), 2)
    who = np.tile([0, 1], 30)
    agreement = np.tile([1.0, 0.0], 30)
    agreement[1] = 1.0
    # The last object is answered by careful people only, who disagree with its label.
    of, who, agreement = np.append(of, [30, 30]), np.append(who, [0, 2]), np.append(agreement, [0.0, 0.0])
    found = difficulties(of, who, agreement).difficulty
    assert found[0] < found[1] < found[30]


def test_more_answers_leave_a_smaller_error():
    of, who, agreement, _ = a_crowd(answers=3)
    few = difficulties(of, who, agreement).standard_error.mean()
    of, who, agreement, _ = a_crowd(answers=9)
    assert difficulties(of, who, agreement).standard_error.mean() < few


def test_all_agreeing_is_no_difficulty_and_no_answers_are_none():
    found = difficulties(np.array([0, 0, 2]), np.array([0, 1, 0]), np.ones(3))
    assert found.difficulty.tolist() == [0, 0, 0] and found.standard_error.tolist() == [0, 0, 0]
    nothing = difficulties(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert len(nothing.difficulty) == 0


def alike(said):
    return lambda i, j: float(said[i] == said[j])


@pytest.mark.parametrize(
    ("skills", "said", "gap"),
    [
        ([0.9, 0.9, 0.6, 0.6], "abcc", 1.0),
        ([0.6, 0.9, 0.6, 0.9], "cacb", 1.0),
        ([0.9, 0.6, 0.9, 0.6], "acbc", 1.0),
        ([0.9, 0.9, 0.6, 0.6], "aabc", -1.0),
        ([0.9, 0.8, 0.6], "abb", 1.0),
        ([0.9, 0.9, 0.89, 0.89], "abcc", None),
        ([0.9, None, 0.6], "abb", None),
        ([0.9, 0.9], "ab", None),
        ([], "", None),
    ],
)
def test_the_better_half_is_compared_with_the_worse(skills, said, gap):
    assert guideline_gap(skills, alike(said)) == gap
