"""Masks of several workers: areas of classes, objects by overlap, confidences, and what is learned of workers."""

import numpy as np
from pytest import approx, mark, raises

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.masks import instances, semantic
from labeling.consolidation.workers.masks import MaskWorkers, Painted
from labeling.formats import segments
from labeling.formats.shapes import Segmentation

LABELS = ("bee", "flower")
SIZE = (40, 20)
NAMES = ("ann", "bob", "cy", "dee", "eve")


def painted(*drawn, each=False):
    """Rectangles (label, left, top, width, height), later ones over earlier ones; one mask a label, or one `each`."""
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for number, (label, left, top, width, height) in enumerate(drawn, start=1):
        pixels[top : top + height, left : left + width] = number if each else LABELS.index(label) + 1
    names = [label for label, *_ in drawn] if each else LABELS
    found = segments.from_pixels(pixels, {n: str(n) for n in range(1, len(names) + 1)})
    named = tuple(type(one)(names[int(one.label) - 1], one.counts) for one in found.segments)
    return Segmentation(found.size, named)


def by_workers(*answers):
    return [WorkerAnswer(worker, answer) for worker, answer in zip(NAMES, answers, strict=False)]


def pixels_of(mask, label):
    return int(np.sum([segments.area(one) for one in mask.segments if one.label == label]))


def test_a_class_has_the_area_that_most_painted():
    found = semantic.consolidate(
        by_workers(
            painted(("bee", 0, 0, 10, 10)),
            painted(("bee", 0, 0, 10, 12)),
            painted(("bee", 2, 0, 10, 10), ("flower", 30, 0, 5, 5)),
        ),
        labels=LABELS,
    )
    assert found.mask.segments[0].counts == painted(("bee", 0, 0, 10, 10)).segments[0].counts
    assert [one.label for one in found.mask.segments] == ["bee"]
    # of 100 + 20 + 20 + 25 pixels that anybody painted, 80 by all three and all others as two of them have it
    assert found.difficulty == approx(1 - (80 + 85 * 2 / 3) / 165, abs=1e-4)
    assert 0 < found.confidence_low < found.confidence < found.confidence_high <= 1
    bee, flower = found.explanation["classes"]
    assert bee["kept"] and bee["pixels"] == 100 and found.mask.segments[0].confidence == found.confidence > 0
    assert 0 < bee["confidence"] <= 1
    assert not flower["kept"] and [one["worker"] for one in flower["members"] if one["outvoted"]] == ["cy"]


@mark.parametrize("second, agreed", [(("flower", 0, 0, 10, 10), 0.0), (("bee", 20, 0, 10, 10), 0.5)])
def test_a_tie_is_nobodys(second, agreed):
    """Whether between two classes, of which nobody said that nothing is there, or between a class and nothing."""
    answers = by_workers(painted(("bee", 0, 0, 10, 10)), painted(second))
    found = semantic.consolidate(answers, labels=LABELS)
    assert found.mask.segments == () and found.confidence == agreed


def test_all_who_find_nothing_agree_and_one_alone_agrees_with_nobody():
    nothing = painted()
    for module in (semantic, instances):
        found = module.consolidate(by_workers(nothing, nothing, nothing), labels=LABELS)
        assert found.mask == Segmentation(SIZE, (), 1.0) and found.confidence == 1
        alone = module.consolidate(by_workers(painted(("bee", 0, 0, 3, 3))), labels=LABELS)
        assert alone.confidence is None and alone.mask.segments[0].confidence is None


def test_a_worker_who_is_known_to_be_right_outweighs_two_who_are_not():
    known = MaskWorkers()
    for name, share in (("ann", 1.0), ("bob", 0.0), ("cy", 0.0)):
        for _ in range(100):
            known.add(name, {"bee": Painted(share, 1.0, share, 1.0)})
    answers = by_workers(painted(("bee", 0, 0, 10, 10)), painted(), painted())
    for module in (semantic, instances):
        assert module.consolidate(answers, labels=LABELS).mask.segments == ()
        found = module.consolidate(answers, labels=LABELS, workers=known).mask
        assert pixels_of(found, "bee") == 100


def test_masks_of_different_sizes_are_not_merged():
    answers = [WorkerAnswer("ann", Segmentation((2, 2))), WorkerAnswer("bob", Segmentation((3, 2)))]
    for module in (semantic, instances):
        with raises(ValueError, match="different sizes: 2 x 2, 3 x 2"):
            module.consolidate(answers, labels=LABELS)


def test_an_object_is_kept_where_half_of_the_answers_have_it_and_gets_most_of_their_pixels():
    first, second = ("bee", 0, 0, 10, 10), ("bee", 20, 0, 10, 10)
    found = instances.consolidate(
        by_workers(
            painted(first, second, each=True),
            painted(("bee", 20, 1, 10, 10), ("bee", 1, 0, 10, 10), each=True),
            painted(("bee", 0, 0, 10, 9), ("flower", 34, 10, 5, 5), each=True),
            painted(each=True),
        ),
        labels=LABELS,
    )
    assert [one.label for one in found.mask.segments] == ["bee", "bee"]
    one, other = found.mask.segments
    assert segments.box(one, SIZE[1]) == (0, 0, 10, 10) and 90 <= segments.area(one) <= 100
    assert segments.box(other, SIZE[1])[0] == 20 and 90 <= segments.area(other) <= 100, "between the two who painted it"
    kept, also, dropped = found.explanation["clusters"]
    assert [m["worker"] for m in kept["members"]] == ["ann", "bob", "cy"] and kept["not_drawn_by"] == ["dee"]
    assert one.confidence > other.confidence > 0.4, "three of four are surer than two"
    assert also["kept"] and not dropped["kept"] and dropped["label"] == "flower"
    assert found.confidence == approx((one.confidence + other.confidence) / 2, abs=1e-4)


def test_two_objects_side_by_side_stay_two_and_one_worker_has_one_of_each():
    near = [("bee", 0, 0, 8, 8), ("bee", 8, 0, 8, 8)]
    found = instances.consolidate(
        by_workers(
            painted(*near, each=True), painted(*near[::-1], each=True), painted(("bee", 0, 0, 16, 8), each=True)
        ),
        labels=LABELS,
    )
    assert len(found.mask.segments) == 2
    assert [segments.area(one) for one in found.mask.segments] == [64, 64]


def test_an_object_of_another_class_at_the_same_place_is_another():
    place = (5, 5, 10, 10)
    found = instances.consolidate(
        by_workers(*(painted((label, *place), each=True) for label in ("bee", "bee", "flower"))), labels=LABELS
    )
    assert [one.label for one in found.mask.segments] == ["bee"]
    assert 0.5 < found.mask.segments[0].confidence < 1


@mark.parametrize("module, each", [(semantic, False), (instances, True)])
def test_workers_are_told_apart_by_their_answers_alone(module, each):
    rng = np.random.default_rng(4)
    objects = []
    for number in range(30):
        left = int(rng.integers(0, 25))
        true, wrong = painted(("bee", left, 3, 10, 10), each=each), painted(("flower", 38, 15, 2, 5), each=each)
        objects.append(ObjectAnswers(tuple(by_workers(true, true, wrong)), key=str(number)))
    models = module.fit_workers(objects, labels=LABELS)
    good, fair, bad = models.weights(["ann", "stranger", "cy"])
    assert good > fair > bad and bad < 0.1
    rates = models.traits(["ann", "cy"], "bee")
    assert rates.recall[0] > 0.9 > 0.2 > rates.recall[1]
    assert models.standard_error("ann") < models.standard_error("stranger")
    assert models.recall("ann", "bee") > 0.9 and models.precision("cy") < 0.1
    rows = {(row.worker, row.label): row for row in module.skill_rows(models, LABELS)}
    assert (rows["ann", ""].found, rows["ann", ""].chances, rows["ann", ""].answers) == (30, 30, 30)
    assert (rows["cy", "flower"].false_positives, rows["cy", "flower"].false_positive_chances) == (30, 30)


def test_a_single_answer_without_gold_teaches_nothing():
    alone = ObjectAnswers(tuple(by_workers(painted(("bee", 0, 0, 5, 5)))))
    assert semantic.fit_workers([alone], labels=LABELS).workers == {}
    golden = ObjectAnswers(alone.answers, gold=painted(("bee", 0, 0, 5, 10)))
    learned = semantic.fit_workers([golden], labels=LABELS).workers["ann"]["bee"]
    assert (learned.found, learned.chances, learned.right, learned.drawn) == (0.5, 1, 1, 1)
