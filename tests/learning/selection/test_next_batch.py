"""The next batch: uncertain, rare and badly found classes first, images that differ, and no more boxes than allowed."""

import numpy as np
import pytest

from learning.selection.next_batch import (
    Pool,
    box_doubts,
    box_rates,
    candidates,
    choose,
    class_weights,
    score_sums,
    training_batch,
)
from learning.selection.quality import Detections

NOTHING, UNKNOWN = np.zeros(2), np.full(2, np.nan)


def a_pool(doubts, boxes=None, embeddings=None):
    table = np.array(doubts, dtype=float)
    return Pool(table, np.ones_like(table) if boxes is None else np.array(boxes, dtype=float), embeddings)


def boxes_of(*scores):
    return Detections.of([(kind, 0, 0, 9, 9, score) for kind, score in scores])


def test_a_box_counts_most_between_sure_and_hardly_there():
    sure, unsure, noise = (box_doubts(boxes_of((0, score)), 1)[0] for score in (0.99, 0.6, 0.05))
    assert unsure > 5 * sure > 0
    assert unsure > 5 * noise
    # A hundred boxes that are hardly there are no more than a few uncertain ones.
    assert box_doubts(boxes_of(*[(0, 0.02)] * 100), 1)[0] < box_doubts(boxes_of(*[(0, 0.6)] * 3), 1)[0]
    assert box_doubts(boxes_of((1, 0.5)), 3).tolist() == [0, 0.5, 0]
    assert box_doubts(boxes_of(), 2).tolist() == [0, 0]


def test_scores_are_turned_into_numbers_of_boxes_by_what_people_drew():
    sums = np.stack([score_sums(boxes_of((0, 0.5), (0, 0.5), (1, 0.2)), 2)] * 40)
    truths = np.tile([2.0, 1.0], (40, 1))
    rates = box_rates(sums, truths)
    assert (sums[0] * rates) == pytest.approx([2.0, 1.0], rel=0.25)
    assert box_rates(sums[:0], truths[:0]).tolist() == [1, 1]
    # A class that nobody has drawn yet is expected at the rate of the others, not never.
    assert box_rates(np.tile([1.0, 0.0], (10, 1)), np.tile([3.0, 0.0], (10, 1)))[1] == pytest.approx(3.0)


def test_rare_and_badly_found_classes_weigh_more():
    rare = class_weights(np.array([100.0, 4.0]), np.array([0.5, 0.5]))
    assert rare[1] > 3 * rare[0]
    poor = class_weights(np.array([50.0, 50.0]), np.array([0.9, 0.3]))
    assert poor[1] > 3 * poor[0] > 0
    assert class_weights(np.array([5.0, 5.0]), UNKNOWN).tolist() == [1, 1]
    assert class_weights(np.array([5.0, 5.0]), np.array([0.4, np.nan])).tolist() == [1, 1]


def test_of_equally_uncertain_images_the_rare_class_comes_first_but_not_alone():
    doubts = [[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 10
    boxes = [[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 10
    found = choose(a_pool(doubts, boxes), images=8, labeled=np.array([12.0, 8.0]), precision=np.array([0.5, 0.5]))
    kinds = [place // 10 for place in found.places.tolist()]
    assert kinds[:4] == [1, 1, 1, 1]
    assert sorted(kinds) == [0, 0, 1, 1, 1, 1, 1, 1]


def test_images_like_those_chosen_or_labeled_come_last():
    looks = np.repeat(np.eye(4), 5, axis=0)
    pool = a_pool(np.ones((20, 2)), embeddings=looks)
    found = choose(pool, images=3, labeled=NOTHING, precision=UNKNOWN, known=np.eye(4)[2:3])
    assert sorted(place // 5 for place in found.places.tolist()) == [0, 1, 3]
    far_and_sure = a_pool([[1.0, 0], [1.0, 0], [0.001, 0]], embeddings=np.array([[1.0, 0], [0.9, 0.436], [0, 1]]))
    assert choose(far_and_sure, images=2, labeled=NOTHING, precision=UNKNOWN).places.tolist() == [0, 1]


def test_crowded_images_have_to_be_worth_their_boxes():
    crowd, single = [3.0, 0.0], [1.0, 0.0]
    pool = a_pool([crowd, single], boxes=[[30, 0], [1, 0]])
    assert choose(pool, images=1, labeled=NOTHING, precision=UNKNOWN).places.tolist() == [0]
    assert choose(pool, images=1, labeled=NOTHING, precision=UNKNOWN, box_cost=0.5).places.tolist() == [1]
    assert candidates(pool, most=1, labeled=NOTHING, precision=UNKNOWN).tolist() == [0]
    assert candidates(pool, most=1, labeled=NOTHING, precision=UNKNOWN, box_cost=0.5).tolist() == [1]


def test_a_batch_ends_with_its_boxes():
    pool = a_pool(np.ones((10, 2)), boxes=np.full((10, 2), 2.0))
    found = choose(pool, images=10, labeled=NOTHING, precision=UNKNOWN, boxes=13)
    assert (len(found.places), found.boxes) == (3, 12.0)
    # What is small enough still fits after a large one; one image there always is.
    mixed = a_pool([[9.0, 0], [5.0, 0], [1.0, 0]], boxes=[[10, 0], [6, 0], [1, 0]])
    assert choose(mixed, images=3, labeled=NOTHING, precision=UNKNOWN, boxes=12).places.tolist() == [0, 2]
    assert choose(mixed, images=3, labeled=NOTHING, precision=UNKNOWN, boxes=1).places.tolist() == [0]
    assert choose(mixed, images=0, labeled=NOTHING, precision=UNKNOWN).places.tolist() == []


def test_the_result_is_distinct_and_repeatable():
    rng = np.random.default_rng(3)
    pool = Pool(rng.uniform(size=(60, 3)), rng.uniform(size=(60, 3)), rng.normal(size=(60, 5)))
    given = {"images": 25, "labeled": np.array([5.0, 1.0, 9.0]), "precision": np.array([0.2, np.nan, 0.9])}
    first = choose(pool, **given)
    assert len(set(first.places.tolist())) == 25
    assert (choose(pool, **given).places == first.places).all()
    assert sorted(choose(pool, **given | {"images": 99}).places.tolist()) == list(range(60))
    empty = Pool(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 5)))
    assert choose(empty, **given).places.tolist() == []


def test_a_tenth_of_the_training_images_is_random():
    doubts = np.zeros((200, 2))
    doubts[:60] = 1.0
    given = {"labeled": NOTHING, "precision": UNKNOWN}
    pool = Pool(doubts, np.ones((200, 2)))
    given |= {"looks": np.random.default_rng(0).normal(size=(200, 4)).__getitem__, "known": np.ones((1, 4))}
    found = [training_batch(pool, images=30, rng=np.random.default_rng(seed), **given) for seed in range(40)]
    assert {len(set(one.places.tolist())) for one in found} == {30}
    assert all((one.places[3:] < 60).all() for one in found)
    # Over many batches the random ones come from everywhere: 70 % of the images are not uncertain.
    share = np.mean([(one.places[:3] >= 60).mean() for one in found])
    assert 0.55 < share < 0.85
    assert all(one.boxes == 60 for one in found)
    few = training_batch(pool, images=30, boxes=20, rng=np.random.default_rng(1), **given)
    assert (len(few.places), few.boxes) == (10, 20)
    without = training_batch(pool, images=30, rng=np.random.default_rng(1), **given | {"looks": lambda places: None})
    assert len(without.places) == 30
    assert len(training_batch(pool, images=999, rng=np.random.default_rng(1), **given).places) == 200


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="do not agree"):
        choose(a_pool(np.ones((3, 2))), images=1, labeled=np.zeros(3), precision=np.zeros(3))
    with pytest.raises(ValueError, match="2 embeddings of 3 images"):
        choose(a_pool(np.ones((3, 2)), embeddings=np.ones((2, 4))), images=1, labeled=NOTHING, precision=UNKNOWN)
