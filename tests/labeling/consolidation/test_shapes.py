"""What becomes of several people's polygons, lines and points."""

import numpy as np
import pytest

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.shapes import inference, keypoints, polygons, polylines
from labeling.consolidation.shapes.answers import ImageShapes
from labeling.consolidation.stopping import Stopping
from labeling.formats.shapes import Keypoint, Polygon

LABELS = ("bee", "wasp")
SIZE = (640.0, 480.0)
"""800 pixels from corner to corner: points within 36 pixels are taken for one."""


def square(left: float, label: str = "bee", *, top: float = 100, side: float = 40) -> Polygon:
    right, bottom = left + side, top + side
    return Polygon(label, ((left, top), (right, top), (right, bottom), (left, bottom)))


def given(*shapes) -> list[WorkerAnswer]:
    """One tuple of shapes of each worker."""
    return [WorkerAnswer(name, one) for name, one in zip(("ann", "bob", "cy", "dee", "eve"), shapes, strict=False)]


def merged(module, *shapes):
    return module.consolidate(given(*shapes), labels=LABELS, image_size=SIZE)


def test_several_polygons_are_merged_into_their_mean():
    found = merged(polygons, (square(100),), (square(103),), (square(112),))
    (one,) = found.shapes
    left, right = (pick(x for x, _ in one.vertices) for pick in (min, max))
    assert 101.5 < left < 106 and 141.5 < right < 146 and len(one.vertices) <= 8
    members = found.explanation["clusters"][0]["members"]
    first, second, third = (member["likeness"] for member in members)
    assert second > first > third > 0.6
    agreed = sum(member["likeness"] for member in members)
    assert one.confidence == pytest.approx((agreed + 0.5) / 4, abs=1e-3)
    assert found.confidence == one.confidence


def test_a_polygon_is_kept_when_at_least_half_drew_it():
    here, there = square(100), square(400)
    found = merged(polygons, (here, there), (here,), (here, there), (here,))
    assert [shape.vertices for shape in found.shapes] == [here.vertices, there.vertices]
    assert [shape.confidence for shape in found.shapes] == [0.9, 0.5]
    found = merged(polygons, (here, there), (here,), (here,))
    assert [shape.vertices for shape in found.shapes] == [here.vertices] and found.clusters == (0,)
    dropped = found.explanation["clusters"][1]
    assert not dropped["kept"] and dropped["reason"] == "drawn by 1 of 3, fewer than half"
    assert dropped["not_drawn_by"] == ["bob", "cy"]


def test_two_polygons_of_one_worker_are_two_things():
    """Also where they overlap: the other workers' go to the one that they are most like."""
    found = merged(polygons, (square(100), square(120)), (square(101), square(121)), (square(99), square(119)))
    assert len(found.shapes) == 2
    assert [len(one["members"]) for one in found.explanation["clusters"]] == [3, 3]


def test_the_label_of_a_polygon_is_voted_on():
    found = merged(polygons, (square(100, "wasp"),), (square(101),), (square(102, "wasp"),))
    (one,) = found.shapes
    assert one.label == "wasp" and 100 <= min(x for x, _ in one.vertices) <= 102, "the mean of those who gave the label"
    assert [member["outvoted"] for member in found.explanation["clusters"][0]["members"]] == [False, True, False]


def test_nothing_here_is_an_answer():
    found = merged(polygons, (), (), (square(100),))
    assert found.shapes == () and found.confidence is None
    assert [worker["worker"] for worker in found.explanation["workers"]] == ["ann", "bob", "cy"]
    assert merged(polygons, (), ()).explanation["clusters"] == []


def test_points_are_merged_into_a_mean_in_which_far_ones_count_less():
    found = merged(keypoints, (Keypoint("bee", 100, 100),), (Keypoint("bee", 104, 120),), (Keypoint("bee", 101, 104),))
    (one,) = found.shapes
    assert one.label == "bee" and 100 < one.x < 102 and 104 <= one.y < 108, "between the median and the mean"
    off = np.hypot(np.array([100, 104, 101]) - one.x, np.array([100, 120, 104]) - one.y)
    assert one.confidence == pytest.approx(((1 - off / 48).sum() + 0.5) / 4, abs=1e-3)


def test_points_that_lie_far_apart_or_have_two_labels_are_not_one():
    near, far = Keypoint("bee", 100, 100), Keypoint("bee", 150, 100)
    found = merged(keypoints, (near,), (far,))
    assert [(point.x, point.confidence) for point in found.shapes] == [(100, 0.5), (150, 0.5)]
    found = merged(keypoints, (near,), (near,), (Keypoint("wasp", 100, 100),))
    assert [point.label for point in found.shapes] == ["bee"]
    assert [(one["label"], one["kept"]) for one in found.explanation["clusters"]] == [("bee", True), ("wasp", False)]


def test_two_points_of_one_label_find_their_partners():
    """Two eyes with one name, nearer to each other than points that are taken for one."""
    left, right = Keypoint("bee", 100, 100), Keypoint("bee", 120, 100)
    found = merged(keypoints, (left, right), (right, left), (Keypoint("bee", 103, 100), Keypoint("bee", 118, 101)))
    assert [(point.x, point.y) for point in found.shapes] == [(100, 100), (120, 100)]


def test_lines_that_run_beside_each_other_are_one_whichever_way_they_were_drawn():
    def line(y: float, *, back: bool = False) -> Polygon:
        points = ((50, y), (150, y + 10), (250, y))
        return Polygon("bee", points[::-1] if back else points, closed=False)

    found = merged(polylines, (line(100),), (line(104, back=True),), (line(109),), (line(300),))
    (one,) = found.shapes
    heights = sorted(y for x, y in one.vertices if x in (min(xs := [x for x, _ in one.vertices]), max(xs)))
    assert not one.closed and all(103 < y < 106 for y in heights) and len(one.vertices) == 3
    assert one.confidence == pytest.approx((3 - 9 / 48 + 0.5) / 5, abs=0.02)


def test_an_image_without_a_size_and_a_point_at_infinity_are_refused():
    with pytest.raises(ValueError, match="must be positive"):
        keypoints.consolidate([], labels=LABELS, image_size=(0, 480))
    with pytest.raises(ValueError, match="'ann': a coordinate is not finite"):
        merged(keypoints, (Keypoint("bee", float("inf"), 1),))


def test_a_crowd_that_draws_everything_everywhere_is_merged_without_end_of_pairs(monkeypatch):
    monkeypatch.setattr(inference, "MOST_PAIRS", 3)
    heap = tuple(square(100 + n) for n in range(5))
    found = merged(polygons, heap, heap)
    compared = [one for one in found.explanation["clusters"] if len(one["members"]) == 2]
    assert len(compared) == 3 and len(found.explanation["clusters"]) == 7


def test_workers_are_told_apart_with_and_without_golds():
    here, there = square(100), square(400, "wasp")
    false = square(250)
    image = ImageShapes(tuple(given((here, there), (here,), (here, there, false))), SIZE)
    known = ImageShapes(image.answers, SIZE, gold=(here, there))
    for objects in ([image] * 10, [known] * 10):
        models = polygons.fit_workers(objects, labels=LABELS)
        rows = {(row.worker, row.label): row for row in polygons.skill_rows(models)}
        ann, bob, cy = (rows[name, ""] for name in ("ann", "bob", "cy"))
        assert (ann.found, ann.chances, ann.false_positives) == (20, 20, 0)
        assert (bob.found, bob.chances, bob.false_positives) == (10, 20, 0)
        assert (cy.found, cy.chances, cy.false_positives) == (20, 20, 10)
        assert (rows["bob", "wasp"].found, rows["bob", "wasp"].chances) == (0, 10)
        assert rows["bob", "bee"].found == 10
        assert 0 < models.standard_error("ann") < models.standard_error("stranger")


def test_an_even_split_and_a_single_answer_teach_nothing():
    split = ImageShapes(tuple(given((square(100),), ())), SIZE)
    alone = ImageShapes(tuple(given((square(100),))), SIZE)
    models = polygons.fit_workers([split, alone], labels=LABELS)
    assert all((row.chances, row.false_positives) == (0, 0) for row in polygons.skill_rows(models))
    assert [row.answers for row in polygons.skill_rows(models)] == [2, 1]


def test_nobody_drew_anything_is_believed_the_more_people_say_so():
    rule = Stopping(max_answers=9, min_answers=2, target_confidence=0.9)
    losses = [
        polygons.should_ask_more(given(*[()] * number), labels=LABELS, image_size=SIZE, rule=rule).expected_loss
        for number in (1, 2, 4)
    ]
    assert losses == pytest.approx([1 / 4, 1 / 6, 1 / 10])


def test_what_is_known_of_workers_tells_whether_a_thing_is_there():
    """Ann, bob and cy overlook every other thing and invent none; dee draws something in vain on every image."""
    real, false = square(100), square(400)
    images = [
        ImageShapes(tuple(given(*[(real,) * ((n + seat) % 2) for seat in range(3)], (real, false))), SIZE, gold=(real,))
        for n in range(40)
    ]
    known = polygons.fit_workers(images, labels=LABELS)

    def kept(*shapes):
        return polygons.consolidate(given(*shapes), labels=LABELS, image_size=SIZE, workers=known)

    found = kept((square(200),), (), (), (square(201),))
    assert len(found.shapes) == 1 and merged(polygons, (square(200),), (), ()).shapes == ()
    assert 0 < found.confidence_low <= found.confidence <= found.confidence_high <= 1 and 0 < found.difficulty < 1
    dropped = kept((), (), (), (square(200),))
    assert dropped.shapes == () and "there with a chance of 0." in dropped.explanation["clusters"][0]["reason"]


def test_a_worker_who_always_points_too_far_right_is_moved_back():
    images = [
        ImageShapes(
            tuple(given((Keypoint("bee", x + 8, 50),), (Keypoint("bee", x, 50),))), SIZE, (Keypoint("bee", x, 50),)
        )
        for x in range(100, 400, 10)
    ]
    known = keypoints.fit_workers(images, labels=LABELS)
    found = keypoints.consolidate(
        given((Keypoint("bee", 208, 50),), (Keypoint("bee", 200, 50),)), labels=LABELS, image_size=SIZE, workers=known
    )
    assert found.shapes[0].x == pytest.approx(200, abs=1)


def test_a_mean_outline_keeps_few_points_and_the_place_of_the_truth():
    rng = np.random.default_rng(6)
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    true = np.stack([320 + 90 * np.cos(turn), 240 + 70 * np.sin(turn)], axis=1)
    drawn = [Polygon("bee", tuple(map(tuple, true + rng.normal(0, 4, true.shape)))) for _ in range(5)]
    (one,) = merged(polygons, *[(shape,) for shape in drawn]).shapes
    truth = Polygon("bee", tuple(map(tuple, true)))
    likeness = polygons.CONSOLIDATOR.likeness
    alone = [likeness.between(shape, truth, SIZE) for shape in drawn]
    assert likeness.between(one, truth, SIZE) > max(alone) and len(one.vertices) <= 20
