"""The next batch is spread over what the images look like, and weighted by uncertainty."""

import numpy as np
import pytest

from learning.selection.diversity import spread


def test_one_image_of_each_kind_comes_before_a_second_of_any():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.eye(4), 10, axis=0) + rng.normal(0, 0.01, (40, 4))
    chosen = spread(kinds, np.ones(40), 4)
    assert sorted(index // 10 for index in chosen) == [0, 1, 2, 3]


def test_kinds_that_are_labeled_already_come_last():
    kinds = np.repeat(np.eye(3), 2, axis=0)
    chosen = spread(kinds, np.ones(6), 2, labeled=np.eye(3)[:1])
    assert sorted(index // 2 for index in chosen) == [1, 2]


def test_between_equal_images_the_uncertain_one_wins():
    assert spread(np.ones((3, 2)), [0.1, 0.9, 0.5], 3).tolist()[0] == 1


def test_the_result_is_distinct_bounded_and_repeatable():
    rng = np.random.default_rng(1)
    points, weights = rng.normal(size=(50, 8)), rng.uniform(size=50)
    first = spread(points, weights, 20)
    assert len(set(first.tolist())) == 20
    assert (spread(points, weights, 20) == first).all()
    assert sorted(spread(points, weights, 99).tolist()) == list(range(50))
    assert len(spread(points[:0], weights[:0], 5)) == 0
    assert len(spread(points[:0], weights[:0], 5, labeled=points)) == 0


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="weights of shape"):
        spread(np.ones((3, 2)), np.ones(2), 1)
    with pytest.raises(ValueError, match="cannot be compared"):
        spread(np.ones((3, 2)), np.ones(3), 1, labeled=np.ones((1, 5)))
