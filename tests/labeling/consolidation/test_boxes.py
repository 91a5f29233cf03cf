"""Stories of boxes: who drew what, and what the consensus makes of it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.workers.models import WorkerModels
from labeling.formats.shapes import Box

SIZE = (1000.0, 800.0)
LABELS = ("bee", "flower")


def answer(worker, *rows, revision=0):
    """rows: (left, top, width, height) or (..., label)."""
    made = tuple(Box(row[4] if len(row) > 4 else "bee", *row[:4]) for row in rows)
    return WorkerAnswer(worker, made, revision)


def consensus(*answers, workers=None, **options):
    return boxes.consolidate(answers, labels=LABELS, image_size=SIZE, workers=workers, **options)


def crowd(seed=3, images=120, skills=None):
    """Images with three true boxes, workers drawn by `skills`: (recall, shift in pixels, jitter, false positives)."""
    rng = np.random.default_rng(seed)
    skills = skills or {"ann": (0.95, 0, 3, 0.05), "bob": (0.95, 0, 3, 0.05), "cy": (0.9, 0, 4, 0.1)}
    made = []
    for _ in range(images):
        truth = [(x, rng.uniform(50, 500), 80, 60) for x in (100, 400, 700)]
        answers = []
        for worker, (recall, shift, jitter, false_positive_rate) in skills.items():
            drawn = []
            for left, top, width, height in truth:
                if rng.random() < recall:
                    dl, dt, dr, db = rng.normal(0, jitter, 4) + np.array([-1, -1, 1, 1]) * shift
                    drawn.append((left + dl, top + dt, width + dr - dl, height + db - dt))
            if rng.random() < false_positive_rate:
                drawn.append((*rng.uniform(0, 700, 2), 50, 50))
            answers.append(answer(worker, *drawn))
        made.append((tuple(answers), tuple(Box("bee", *row) for row in truth)))
    return made


def test_three_boxes_of_one_object_become_one_near_their_middle():
    result = consensus(
        answer("ann", (100, 100, 50, 40)), answer("bob", (104, 98, 50, 40)), answer("cy", (98, 103, 50, 40))
    )
    (box,) = result.boxes
    assert abs(box.left - 100.5) < 2 and abs(box.top - 100) < 2
    assert box.confidence > 0.9
    assert result.explanation["clusters"][box.cluster]["not_drawn_by"] == []


def test_two_boxes_of_one_worker_never_become_one():
    result = consensus(answer("ann", (100, 100, 50, 40), (103, 101, 50, 40)), answer("bob", (101, 100, 50, 40)))
    assert [len(c["members"]) for c in result.explanation["clusters"]] in ([1, 2], [2, 1])


def test_boxes_that_overlap_by_little_more_than_a_third_are_one_object_still():
    """A hard gate at IoU 0.5 splits a third of true pairs."""
    result = consensus(
        answer("ann", (100, 100, 60, 60)), answer("bob", (124, 110, 60, 60)), answer("cy", (110, 104, 60, 60))
    )
    assert len(result.explanation["clusters"]) == 1


def test_two_classes_on_one_object_are_a_disagreement_not_two_objects():
    result = consensus(
        answer("ann", (100, 100, 50, 40, "bee")),
        answer("bob", (101, 99, 50, 40, "flower")),
        answer("cy", (99, 101, 50, 40, "bee")),
    )
    (box,) = result.boxes
    assert box.label == "bee"
    assert [m["outvoted"] for m in result.explanation["clusters"][0]["members"]] == [False, True, False]


def test_an_answer_without_boxes_is_evidence_of_absence():
    alone = consensus(answer("ann", (100, 100, 50, 40)))
    doubted = consensus(answer("ann", (100, 100, 50, 40)), answer("bob"), answer("cy"), answer("dee"))
    exists = [r.explanation["clusters"][0]["exists"] for r in (alone, doubted)]
    assert exists[1] < 0.5 < exists[0]
    assert doubted.boxes == ()
    cluster = doubted.explanation["clusters"][0]
    assert cluster["not_drawn_by"] == ["bob", "cy", "dee"]
    assert "below" in cluster["reason"]
    assert cluster["members"][0]["outvoted"]


def test_a_bad_corner_does_not_move_the_box():
    good = [(100, 100, 50, 40), (101, 100, 50, 40), (100, 101, 50, 40), (99, 100, 50, 40)]
    result = consensus(*(answer(f"w{i}", row) for i, row in enumerate(good)), answer("w9", (100, 100, 75, 40)))
    assert abs(result.boxes[0].width - 50) < 2.5


def test_one_box_round_two_animals_against_two_boxes_does_not_give_a_box_that_fits_nobody():
    left, right, both = (100, 100, 60, 60), (165, 100, 60, 60), (100, 100, 125, 60)
    result = consensus(
        answer("ann", left, right), answer("bob", left, right), answer("cy", left, right), answer("dee", both)
    )
    widths = sorted(round(box.width) for box in result.boxes)
    assert len(widths) == 2 and all(width < 72 for width in widths)


def test_the_better_worker_counts_for_more():
    skills = {"ann": (0.98, 0, 1, 0.02), "bob": (0.98, 0, 12, 0.02), "cy": (0.98, 0, 12, 0.02)}
    workers = boxes.fit_workers([ImageAnswers(a, SIZE) for a, _ in crowd(skills=skills)], labels=LABELS)
    rates = workers.rates(["ann", "bob"])
    assert rates.spread[0].mean() < 0.6 * rates.spread[1].mean()
    result = consensus(answer("ann", (100, 100, 80, 60)), answer("bob", (112, 100, 80, 60)), workers=workers)
    assert abs(result.boxes[0].left - 100) < abs(result.boxes[0].left - 112)


def test_fitting_tells_the_spammer_and_the_careless_from_the_good():
    skills = {
        "ann": (0.97, 0, 3, 0.03),
        "bob": (0.95, 0, 3, 0.03),
        "cy": (0.6, 0, 3, 0.03),
        "dee": (0.95, 0, 3, 0.03),
        "spam": (0.05, 0, 8, 0.95),
    }
    workers = boxes.fit_workers([ImageAnswers(a, SIZE) for a, _ in crowd(skills=skills)], labels=LABELS)
    rates = workers.rates(["ann", "cy", "spam"])
    assert rates.recall[0] > 0.9 and 0.5 < rates.recall[1] < 0.7 and rates.recall[2] < 0.2
    assert rates.false_positive_rate[2] > 3 * rates.false_positive_rate[0]
    lone = {
        who: consensus(answer(who, (100, 100, 80, 60)), answer("bob"), workers=workers).explanation["clusters"][0][
            "exists"
        ]
        for who in ("ann", "spam")
    }
    assert lone["spam"] < 0.1 < lone["ann"]


def classes_drawn(recalls, images=150, seed=5):
    """Images with two bees and two flowers; `recalls`: name -> (chance of drawing a bee, a flower)."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(images):
        places = (100, 300, 600, 800)
        rows = [(x, rng.uniform(50, 500), 80, 60, LABELS[n % 2]) for n, x in enumerate(places)]
        answers = []
        for worker, chances in recalls.items():
            drawn = [row for n, row in enumerate(rows) if rng.random() < chances[n % 2]]
            answers.append(answer(worker, *((r[0] + rng.normal(0, 3), r[1] + rng.normal(0, 3), *r[2:]) for r in drawn)))
        made.append(ImageAnswers(tuple(answers), SIZE))
    return made


def exists(workers, label, *who):
    """How sure it is that a box of `label` drawn by `who` of ann, bob, cy and dee is an object."""
    drawn = [
        answer(name, *([(100, 100, 80, 60, label)] if name in who else [])) for name in ("ann", "bob", "cy", "dee")
    ]
    return consensus(*drawn, workers=workers).explanation["clusters"][0]["exists"]


def test_a_class_that_all_overlook_is_believed_on_fewer_words():
    even = {name: (0.95, 0.95) for name in ("ann", "bob", "cy", "dee")}
    uneven = {name: (0.95, 0.6) for name in even}
    fitted = boxes.fit_workers(classes_drawn(uneven), labels=LABELS)
    recalls = fitted.rates(["ann"], LABELS).recall_by_class
    assert recalls.shape == (2, 3) and (recalls[:, 0] > recalls[:, 1] + 0.2).all()
    alike = boxes.fit_workers(classes_drawn(even), labels=LABELS)
    gaps = [exists(one, "flower", "ann", "bob") - exists(one, "bee", "ann", "bob") for one in (fitted, alike)]
    assert gaps[0] > gaps[1] + 0.2


def test_a_worker_who_never_draws_a_class_says_nothing_by_not_drawing_it():
    recalls = {"ann": (0.9, 0.9), "bob": (0.9, 0.9), "cy": (0.9, 0.9), "dee": (0.9, 0.02)}
    workers = boxes.fit_workers(classes_drawn(recalls), labels=LABELS)
    table = workers.rates(["cy", "dee"], LABELS).recall_by_class
    assert table[1, 1] < 0.2 < 0.7 < table[0, 1] and table[1, 0] > 0.7
    assert exists(workers, "flower", "ann", "bob") > exists(workers, "bee", "ann", "bob") + 0.1


def test_what_is_known_by_class_is_kept_and_taken_back():
    images = classes_drawn({"ann": (0.9, 0.9), "bob": (0.9, 0.5), "cy": (0.9, 0.9)}, images=30)
    workers = boxes.fit_workers(images, labels=LABELS)
    again = WorkerModels.from_json(json.loads(json.dumps(workers.to_json())))
    assert again.to_json() == workers.to_json()
    before = {label: counts.copy() for label, counts in again.skills["bob"].by_class.items()}
    seen = boxes.observe(images[0], labels=LABELS, workers=again)
    again.update(seen)
    assert any((again.skills["bob"].by_class[label] != before[label]).any() for label in before)
    again.update({}, replaced=seen)
    for label in before:
        assert again.skills["bob"].by_class[label] == pytest.approx(before[label])


def test_a_worker_with_three_answers_is_near_the_population():
    data = crowd(images=100)
    newcomer = [(a + (answer("new"),), t) for a, t in data[:1]] + data[1:]
    workers = boxes.fit_workers([ImageAnswers(a, SIZE) for a, _ in newcomer], labels=LABELS)
    recall = workers.rates(["new"]).recall[0]
    assert 0.55 < recall < workers.population.recall


def test_golds_teach_how_the_crowd_differs_from_the_experts():
    """Everybody draws 6 pixels too far out: only golds can tell."""
    skills = {name: (0.97, 6, 2, 0.03) for name in ("ann", "bob", "cy")}
    data = crowd(skills=skills, images=60)
    blind = boxes.fit_workers([ImageAnswers(a, SIZE) for a, _ in data], labels=LABELS)
    taught = boxes.fit_workers(
        [ImageAnswers(a, SIZE, t if i < 25 else None) for i, (a, t) in enumerate(data)], labels=LABELS
    )
    loose = [answer(name, (94, 94, 92, 72)) for name in skills]
    assert abs(consensus(*loose, workers=blind).boxes[0].left - 94) < 1
    assert abs(consensus(*loose, workers=taught).boxes[0].left - 100) < 1.5


def test_an_edge_on_the_border_of_the_image_stays_there():
    skills = {name: (0.97, 6, 2, 0.03) for name in ("ann", "bob", "cy")}
    taught = boxes.fit_workers([ImageAnswers(a, SIZE, t) for a, t in crowd(skills=skills, images=40)], labels=LABELS)
    result = consensus(*(answer(name, (0, 94, 92, 72)) for name in skills), workers=taught)
    assert result.boxes[0].left == 0.0


def test_what_one_image_taught_can_be_added_and_taken_back():
    data = [ImageAnswers(a, SIZE) for a, _ in crowd(images=30)]
    workers = boxes.fit_workers(data, labels=LABELS)
    before = workers.to_json()
    seen = boxes.observe(data[0], labels=LABELS, workers=workers)
    workers.update(seen)
    assert workers.skills["ann"].images == 31
    workers.update({}, replaced=seen)
    assert workers.to_json() == before


def test_an_image_alone_and_among_others_has_the_same_consensus():
    data = [ImageAnswers(a, SIZE) for a, _ in crowd(images=25)]
    workers = boxes.fit_workers(data, labels=LABELS)
    together = list(boxes.consolidate_many(data, labels=LABELS, workers=workers))
    for image, result in zip(data, together, strict=True):
        alone = consensus(*image.answers, workers=workers)
        assert alone == result
        assert json.dumps(alone.explanation) == json.dumps(result.explanation)


def test_chunks_change_nothing():
    data = [ImageAnswers(a, SIZE) for a, _ in crowd(images=25)]
    assert list(boxes.consolidate_many(data, labels=LABELS, chunk=4)) == list(
        boxes.consolidate_many(data, labels=LABELS)
    )


def test_the_hash_seed_of_the_process_changes_nothing():
    program = (
        "import json; from tests.labeling.consolidation.test_boxes import *;"
        "data = [ImageAnswers(a, SIZE) for a, _ in crowd(images=12)];"
        "w = boxes.fit_workers(data, labels=LABELS);"
        "models = w.to_json(); done = boxes.consolidate_many(data, labels=LABELS, workers=w);"
        "print(json.dumps([models, [c.explanation for c in done]]))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and len(said.pop()) > 1000


def test_a_lone_box_of_a_shape_no_object_has_is_believed_less():
    """All objects of the crowd are 80 x 60, all false positives 50 x 50."""
    skills = {"ann": (0.9, 0, 3, 0.4), "bob": (0.9, 0, 3, 0.4), "cy": (0.9, 0, 3, 0.4)}
    workers = boxes.fit_workers([ImageAnswers(a, SIZE) for a, _ in crowd(skills=skills)], labels=LABELS)

    def lone(*row):
        result = consensus(answer("ann", row), answer("bob"), workers=workers)
        return result.explanation["clusters"][0]["exists"]

    assert lone(300, 300, 80, 60) > lone(300, 300, 50, 50) + 0.1


def test_models_fitted_before_shapes_were_learned_are_read_and_used():
    images = [ImageAnswers(a, SIZE, t) for a, t in crowd(images=30)]
    stored = boxes.fit_workers(images, labels=LABELS).to_json()
    del stored["population"]["shapes"], stored["population"]["distractor_shape"]
    stored["calibration"]["weights"] = stored["calibration"]["weights"][:7]
    workers = WorkerModels.from_json(stored)
    rows = [answer(name, (100, 100, 80, 60)) for name in ("ann", "bob", "cy")]
    assert len(consensus(*rows, workers=workers).boxes) == 1


def test_boxes_outside_the_image_are_set_aside_and_named():
    result = consensus(answer("ann", (1200, 100, 50, 40), (980, 100, 60, 40)), answer("bob", (982, 100, 40, 40)))
    assert result.explanation["ignored"] == [
        {"worker": "ann", "box": [1200.0, 100.0, 50.0, 40.0], "reason": "outside the image"}
    ]
    (box,) = result.boxes
    assert box.left + box.width == 1000.0


@pytest.mark.parametrize("row", [(0, 0, 0, 5), (0, 0, 5, -1), (float("nan"), 0, 5, 5), (0, 0, float("inf"), 5)])
def test_boxes_without_a_finite_area_are_refused(row):
    with pytest.raises(ValueError, match="box"):
        consensus(answer("ann", (100, 100, 50, 40)), answer("bob", row))
    with pytest.raises(ValueError, match="box"):
        boxes.fit_workers([ImageAnswers((answer("ann"),), SIZE, gold=(Box("bee", *row),))], labels=LABELS)


def test_an_image_without_a_size_is_refused():
    with pytest.raises(ValueError, match="size"):
        boxes.consolidate([answer("ann", (1, 1, 5, 5))], labels=LABELS, image_size=(0, 100))


def test_a_flood_of_overlapping_boxes_comes_back():
    """A hostile or a very crowded image: 9 workers with 300 boxes each on one spot."""
    rng = np.random.default_rng(1)
    flood = [answer(f"w{i}", *((x, y, 300, 300) for x, y in rng.uniform(0, 300, (300, 2)))) for i in range(9)]
    result = consensus(*flood)
    assert all(len({m["worker"] for m in c["members"]}) == len(c["members"]) for c in result.explanation["clusters"])
    assert sum(len(c["members"]) for c in result.explanation["clusters"]) == 2700


def test_confidences_mean_what_they_say_on_images_without_golds():
    skills = {"ann": (0.9, 0, 8, 0.2), "bob": (0.8, 0, 10, 0.3), "cy": (0.7, 0, 12, 0.6)}
    data = crowd(skills=skills, images=240)
    images = [ImageAnswers(a, SIZE, t if i % 2 else None) for i, (a, t) in enumerate(data)]
    workers = boxes.fit_workers(images, labels=LABELS)
    said, right = [], []
    for (answers, truth), image in zip(data, images, strict=True):
        if image.gold is not None:
            continue
        for cluster in consensus(*answers, workers=workers).explanation["clusters"]:
            left, top, width, height = cluster["box"]
            said.append(cluster["confidence"])
            right.append(
                any(_overlap((left, top, width, height), (t.left, t.top, t.width, t.height)) >= 0.5 for t in truth)
            )
    said, right = np.array(said), np.array(right, float)
    sure, doubtful = said >= 0.8, said < 0.3
    assert sure.sum() > 50 and doubtful.sum() > 30
    assert abs(said[sure].mean() - right[sure].mean()) < 0.06
    assert abs(said[doubtful].mean() - right[doubtful].mean()) < 0.12


def _overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
