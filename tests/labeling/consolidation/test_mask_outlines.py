"""The area that several outlines stand for: nearer to the truth than a vote by pixel, whatever a crowd does wrong."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mask_consensus import laid_out, objects_of, overlap
from benchmarks.mask_crowds import KINDS, pictures
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.masks import grids, semantic
from labeling.consolidation.workers.masks import MaskWorkers
from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

LABELS = ("area",)


def of_pixels(mask):
    return segments.from_pixels(mask.astype(np.uint8), {1: "area"})


def ends_of(mask):
    flat = np.pad(mask.ravel(order="F").astype(np.int8), 1)
    return np.flatnonzero(np.diff(flat))


@pytest.mark.parametrize(
    "kind, gain", [("jitter", 0.005), ("over_and_under", 0.02), ("spammers", 0.05), ("missed_parts", 0.05)]
)
def test_the_mean_outline_is_nearer_to_the_truth_than_a_vote_by_pixel(kind, gain):
    given = pictures(KINDS[kind], count=10, answers=5, size=(240, 180), seed=3)
    objects = objects_of(given)
    models = semantic.fit_workers(objects, labels=LABELS)
    ours, votes = [], []
    for one, answers in zip(given, objects, strict=True):
        found = semantic.consolidate(answers.answers, labels=LABELS, workers=models)
        ours.append(overlap(laid_out(found), one.truth))
        votes.append(overlap(2 * np.sum([mask for _, mask in one.answers], axis=0) > 5, one.truth))
        assert 0 <= found.confidence_low <= found.confidence <= found.confidence_high <= 1
        assert 0 <= found.difficulty <= 1
    assert np.mean(ours) > np.mean(votes) + gain


def disc(radius, size=(160, 120), hole=0):
    y, x = np.ogrid[: size[1], : size[0]]
    apart = np.hypot(x - 80, y - 60)
    return (apart <= radius) & (apart >= hole)


def test_who_always_draws_too_far_outside_is_moved_back_once_it_is_known():
    """By golds here; ann draws 5 pixels outside of every disc, and bob as many inside of it."""
    radii = range(20, 40, 2)
    golds = [
        ObjectAnswers(
            (WorkerAnswer("ann", of_pixels(disc(r + 5))), WorkerAnswer("bob", of_pixels(disc(r - 5)))),
            of_pixels(disc(r)),
        )
        for r in radii
    ]
    known = semantic.fit_workers(golds, labels=LABELS)
    ann, bob = known.traits(["ann", "bob"]).bias
    assert ann > 0.1 and bob < -0.1
    answers = [WorkerAnswer(name, of_pixels(disc(35))) for name in ("ann",)] + [
        WorkerAnswer("bob", of_pixels(disc(25)))
    ]
    area = segments.area(semantic.consolidate(answers, labels=LABELS, workers=known).mask.segments[0])
    assert area == pytest.approx(np.pi * 30**2, rel=0.05)


def test_a_hole_that_most_left_out_is_a_hole_with_their_mean_outline():
    answers = [WorkerAnswer(f"w{n}", of_pixels(disc(40, hole=hole))) for n, hole in enumerate((14, 15, 16, 0, 15))]
    found = laid_out(semantic.consolidate(answers, labels=LABELS))
    assert overlap(found, disc(40, hole=15)) > 0.98


def test_a_part_that_a_crowd_often_overlooks_is_kept_although_few_painted_it():
    """Each of ten workers leaves out one disc in three; that two of five painted it is then enough, since what is
    not there nobody paints twice."""
    rng = np.random.default_rng(2)
    objects = []
    for _ in range(40):
        there = [disc(18, (160, 120)), np.roll(disc(18, (160, 120)), 45, axis=1)]
        answers = []
        for worker in rng.permutation(10)[:5].tolist():
            seen = [one for one in there if rng.random() > 0.35]
            answers.append(WorkerAnswer(f"w{worker}", of_pixels(np.any([*seen, np.zeros((120, 160), bool)], axis=0))))
        objects.append(ObjectAnswers(tuple(answers)))
    two = [WorkerAnswer(f"w{n}", of_pixels(disc(18) & (n < 2))) for n in range(5)]
    assert semantic.consolidate(two, labels=LABELS).mask.segments == ()
    known = semantic.fit_workers(objects, labels=LABELS)
    assert overlap(laid_out(semantic.consolidate(two, labels=LABELS, workers=known)), disc(18)) > 0.95


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), workers=st.integers(2, 5))
def test_pixels_about_which_all_agree_are_as_they_say(seed, workers):
    rng = np.random.default_rng(seed)
    given = [np.kron(rng.random((6, 8)) < 0.5, np.ones((5, 5))) > 0 for _ in range(workers)]
    answers = [WorkerAnswer(f"w{n}", of_pixels(one)) for n, one in enumerate(given)]
    found = laid_out(semantic.consolidate(answers, labels=LABELS))
    assert found[np.all(given, axis=0)].all() and not found[~np.any(given, axis=0)].any()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), side=st.integers(1, 6), left=st.integers(0, 4), top=st.integers(0, 4))
def test_cells_are_covered_by_the_share_of_their_pixels_that_is_painted(seed, side, left, top):
    mask = np.random.default_rng(seed).random((23, 31)) < 0.5
    mask[:, 10:14] = True
    grid = grids.Grid((31, 23), left, top, -(-27 // side), -(-19 // side), side)
    ends = [ends_of(mask), ends_of(~mask)]
    cells, others = grids.covered(grid, np.concatenate(ends), np.array([len(one) for one in ends]))
    assert cells + others == pytest.approx(np.ones(cells.shape), abs=1e-5)
    part = mask[top : grid.bottom, left : grid.right]
    for column in range(grid.columns):
        for row in range(grid.rows):
            here = part[row * side : (row + 1) * side, column * side : (column + 1) * side]
            assert not here.size or cells[column, row] == pytest.approx(here.mean(), abs=1e-5)
    if side == 1:
        back = np.zeros(31 * 23 + 1, int)
        np.add.at(back, grids.ends_where_positive(grid, cells - 0.5), 1)
        again = (np.cumsum(back)[:-1] % 2).reshape(31, 23).T
        assert (again[top : grid.bottom, left : grid.right] == part).all()


def test_a_picture_of_a_hundred_megapixels_takes_little_memory():
    """Two who paint half of it, one a hundred pixels beside the other, a third who paints all: cells grow instead."""
    width, height = 10_000, 10_000
    rows = [np.ravel([(x * height + 200 + off, x * height + 9_000 + off) for x in range(5_000)]) for off in (0, 100)]
    whole = np.array([0, width * height])
    answers = [
        WorkerAnswer(f"w{n}", Segmentation((width, height), (Segment("area", segments.counts_of(ends, 10**8)),)))
        for n, ends in enumerate([*rows, whole])
    ]
    tracemalloc.start()
    found = semantic.consolidate(answers, labels=LABELS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert segments.area(found.mask.segments[0]) == pytest.approx(5_000 * 8_800, rel=0.03)
    assert peak < 400_000_000


def test_what_version_1_stored_of_workers_is_still_read():
    stored = {
        "version": 1,
        "workers": {
            "ann": {"images": 9.0, "classes": {"area": [9.0, 9.0, 9.0, 9.0]}},
            "cy": {"images": 9.0, "classes": {"area": [1.0, 9.0, 1.0, 9.0]}},
        },
    }
    known = MaskWorkers.from_json(stored)
    ann, stranger, cy = known.weights(["ann", "stranger", "cy"])
    assert ann > stranger > cy
