"""People who begin with a model's boxes: what their answers prove, and what is learned of the model and of them."""

from dataclasses import replace

import numpy as np
import pytest

from labeling.consolidation.answers import Proposal, WorkerAnswer
from labeling.consolidation.arrays import logistic
from labeling.consolidation.boxes import consolidator
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.models import Checks, WorkerModels
from labeling.formats.shapes import Box

SIZE = (400.0, 300.0)
TRUE = Box("bee", 100, 80, 60, 40)
FALSE = Box("bee", 250, 200, 50, 50)
OFF = Box("bee", 100, 80, 90, 60)


def image(*answers, proposed=(TRUE,), seen=True, key=""):
    """Each of the answers is of a worker of its own; they all began with what is proposed, or nobody did."""
    given = tuple(WorkerAnswer(f"w{place}", tuple(boxes)) for place, boxes in enumerate(answers))
    seen_by = frozenset(one.worker for one in given) if seen else frozenset()
    return ImageAnswers(given, SIZE, key=key, proposals=(Proposal("model:m", tuple(proposed), seen_by),))


def confidence(one, models=None):
    """Of the only candidate."""
    (found,) = consolidator.consolidate_many([one], labels=["bee"], workers=models)
    (cluster,) = found.explanation["clusters"]
    return cluster["confidence"]


def test_an_answer_without_a_change_adds_no_box_of_its_own():
    (found,) = consolidator.consolidate_many([image([TRUE], [TRUE])], labels=["bee"])
    (cluster,) = found.explanation["clusters"]
    assert [member["worker"] for member in cluster["members"]] == ["model:m"]
    assert cluster["left_as_proposed_by"] == ["w0", "w1"]
    assert cluster["not_drawn_by"] == []
    assert [one["worker"] for one in found.explanation["workers"]] == ["w0", "w1"]
    assert found.boxes[0].corners == TRUE.corners


def test_keeping_proves_less_than_drawing_and_deleting_is_a_strong_sign():
    drawn = replace(image([TRUE], [TRUE]), proposals=())
    third = replace(drawn, answers=(*drawn.answers, WorkerAnswer("w2", (TRUE,))))
    assert confidence(image([TRUE])) < confidence(image([TRUE], [TRUE])) < confidence(third)
    assert confidence(image([], [])) < 0.2


def test_what_is_proposed_says_nothing_where_nobody_saw_it():
    seen_by_nobody = image([TRUE], [TRUE], proposed=(FALSE,), seen=False)
    (found,) = consolidator.consolidate_many([seen_by_nobody], labels=["bee"])
    (alone,) = consolidator.consolidate_many([replace(seen_by_nobody, proposals=())], labels=["bee"])
    assert found == alone


def test_corrections_move_a_box_to_where_people_put_it():
    (found,) = consolidator.consolidate_many([image([TRUE], [TRUE], [TRUE], proposed=(OFF,))], labels=["bee"])
    (box,) = found.boxes
    assert [box.width, box.height] == pytest.approx([TRUE.width, TRUE.height], abs=5)


def test_the_number_of_people_asked_does_not_count_the_model():
    rule = Stopping(max_answers=5, min_answers=2, target_confidence=0.5)
    (one,) = consolidator.decide_many([image([TRUE])], labels=["bee"], rule=rule)
    assert one.ask
    (few,) = consolidator.decide_many(
        [image([TRUE], [TRUE])], labels=["bee"], rule=rule, workers=WorkerModels(checks=Checks(99, 100, 10, 100))
    )
    assert not few.ask


def seen_images(deletes, count=60):
    """Every image has a true proposed box, every third a false one that both workers leave unless they `deletes`."""
    made = []
    for place in range(count):
        proposed = (TRUE, FALSE) if place % 3 == 0 else (TRUE,)
        said = [TRUE] if deletes else list(proposed)
        made.append(image(said, said, proposed=proposed, key=str(place)))
    return made


def blind_images(count=40):
    """Two people draw the true box, the model has a false one in every third image beside it."""
    return [
        image([TRUE], [TRUE], proposed=(TRUE, FALSE) if place % 3 == 0 else (TRUE,), seen=False, key=f"b{place}")
        for place in range(count)
    ]


def test_the_model_is_learned_where_people_did_not_see_it():
    models = consolidator.fit_workers(blind_images(), labels=["bee"])
    skill = models.proposers["model:m"]
    # Beside what is taken for seen of every model: 40 objects found of 40, and 14 false boxes.
    assert (skill.found, skill.chances) == (pytest.approx(4 + 40), pytest.approx(8 + 40))
    assert skill.false_positives == pytest.approx(2 + 14, abs=0.5)
    # A box of the usual score is as often about an object as a box of the model is.
    assert logistic(models.precision("model:m").usual) == pytest.approx(44 / 60, abs=0.02)
    assert "model:m" not in models.skills
    before = consolidator.fit_workers([replace(one, proposals=()) for one in blind_images()], labels=["bee"])
    assert models.to_json()["workers"] == before.to_json()["workers"]


def test_keeping_is_worth_more_of_people_who_are_seen_to_delete():
    attentive = consolidator.fit_workers([*blind_images(), *seen_images(deletes=True)], labels=["bee"])
    careless = consolidator.fit_workers([*blind_images(), *seen_images(deletes=False)], labels=["bee"])
    assert attentive.checks.keeps_false < 0.4 < 0.6 < careless.checks.keeps_false
    one = image([TRUE], [TRUE])
    assert confidence(one, careless) < confidence(one, attentive)
    # Who checked teaches nothing of how people draw.
    assert attentive.to_json()["workers"] == careless.to_json()["workers"]


def test_what_was_learned_is_read_back_and_absent_where_nothing_was_proposed():
    models = consolidator.fit_workers([*blind_images(), *seen_images(deletes=True)], labels=["bee"])
    again = WorkerModels.from_json(models.to_json())
    assert again.to_json() == models.to_json()
    assert confidence(image([TRUE], [TRUE]), again) == confidence(image([TRUE], [TRUE]), models)
    assert not {"proposers", "checks"} & WorkerModels().to_json().keys()


def test_the_order_of_answers_changes_nothing():
    one = image([TRUE], [TRUE, FALSE], [OFF], proposed=(TRUE, FALSE))
    turned = replace(one, answers=one.answers[::-1])
    (found,), (other,) = (consolidator.consolidate_many([each], labels=["bee"]) for each in (one, turned))
    assert found == other


def test_sides_of_a_box_that_people_left_alone_are_surer():
    rule = Stopping(max_answers=5, min_answers=1, target_confidence=0.5)
    images = [image(*[[TRUE]] * people) for people in (1, 2, 3)]
    losses = [one.expected_loss for one in consolidator.decide_many(images, labels=["bee"], rule=rule)]
    assert np.all(np.diff(losses) < 0)


def scored(box, score):
    return replace(box, confidence=score)


def scored_images(count=60):
    """The model is sure of the true box, and gives a low score to a false one in every third image."""
    return [
        image(
            [TRUE],
            [TRUE],
            proposed=(scored(TRUE, 0.9), *([scored(FALSE, 0.3)] if place % 3 == 0 else [])),
            seen=False,
            key=f"s{place}",
        )
        for place in range(count)
    ]


def test_a_box_is_believed_by_the_score_that_the_model_gives_it():
    models = consolidator.fit_workers(scored_images(), labels=["bee"])
    sure, unsure = (confidence(image([TRUE], proposed=(scored(TRUE, score),)), models) for score in (0.9, 0.3))
    plain = confidence(image([TRUE]), models)
    assert unsure < plain < sure
    # What people leave is what they were shown, whatever its score was.
    (found,) = consolidator.consolidate_many([image([TRUE], proposed=(scored(TRUE, 0.9),))], labels=["bee"])
    assert found.explanation["clusters"][0]["left_as_proposed_by"] == ["w0"]


def test_scores_that_are_all_the_same_say_no_more_than_no_scores():
    same = [
        replace(
            one, proposals=tuple(replace(p, value=tuple(scored(box, 0.8) for box in p.value)) for p in one.proposals)
        )
        for one in blind_images()
    ]
    with_scores, without = (consolidator.fit_workers(some, labels=["bee"]) for some in (same, blind_images()))
    known = confidence(image([TRUE], proposed=(scored(TRUE, 0.8),)), with_scores)
    assert known == pytest.approx(confidence(image([TRUE]), without), abs=1e-3)


def placed_images(corrects, count=40):
    """In every second image the model's box lies badly, and people put it right or leave it."""
    made = []
    for place in range(count):
        proposed = OFF if place % 2 else TRUE
        said = [TRUE] if corrects else [proposed]
        made.append(image(said, said, proposed=(proposed,), key=str(place)))
    return made


def test_a_box_that_is_left_lies_well_where_people_are_seen_to_correct():
    rule = Stopping(max_answers=5, min_answers=1, target_confidence=0.5)
    unseen = [image([TRUE], [TRUE], proposed=(OFF if place % 2 else TRUE,), seen=False) for place in range(40)]
    attentive, careless = (
        consolidator.fit_workers([*unseen, *placed_images(corrects)], labels=["bee"]) for corrects in (True, False)
    )
    assert attentive.checks.leaves_badly < 0.3 < 0.6 < careless.checks.leaves_badly
    one = [image([TRUE], [TRUE])]
    losses = [
        consolidator.decide_many(one, labels=["bee"], rule=rule, workers=models)[0].expected_loss
        for models in (attentive, careless)
    ]
    assert losses[0] < losses[1]
