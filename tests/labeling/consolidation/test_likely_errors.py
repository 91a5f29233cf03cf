"""What answers say of errors in a label, and what a model adds."""

import pytest

from labeling.consolidation import likely_errors
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.boxes import consolidator
from labeling.formats.shapes import Box

SIZE = (640, 480)
BEE, NEAR = Box("bee", 100, 80, 60, 40), Box("bee", 102, 81, 60, 40)


def of(*answers: tuple[Box, ...]) -> dict[str, float]:
    """What the answers of as many workers say."""
    given = [WorkerAnswer(f"w{number}", boxes) for number, boxes in enumerate(answers)]
    merged = consolidator.consolidate(given, labels=["bee", "wasp"], image_size=SIZE)
    return likely_errors.of_boxes(merged.explanation)


def test_workers_who_agree_leave_little_doubt():
    sure = of((BEE,), (NEAR,), (BEE,))
    assert set(sure) == {"overlooked", "badly_placed", "wrong_class", "not_there"} and max(sure.values()) < 0.1


def test_one_worker_alone_may_have_overlooked_something_and_is_compared_with_nobody():
    alone, three = of((BEE,)), of((BEE,), (NEAR,), (BEE,))
    assert alone["overlooked"] > 5 * three["overlooked"] > 0 and "badly_placed" not in alone
    assert of(())["overlooked"] > 0


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("wrong_class", ((BEE,), (NEAR,), (Box("wasp", 100, 80, 60, 40),))),
        ("overlooked", ((BEE, Box("bee", 400, 300, 50, 50)), (NEAR,), (BEE,))),
        ("badly_placed", ((BEE,), (Box("bee", 110, 90, 64, 44),), (Box("bee", 92, 72, 60, 48),))),
    ],
)
def test_each_kind_of_disagreement_raises_the_chance_of_its_error(kind, answers):
    assert of(*answers)[kind] > 2 * of((BEE,), (NEAR,), (BEE,))[kind] + 0.01


def test_a_confidence_is_all_that_other_types_have():
    assert likely_errors.of_confidence(0.9) == {"wrong": pytest.approx(0.1)} and likely_errors.of_confidence(None) == {}


def test_a_model_moves_the_odds_by_how_far_it_departs_from_the_usual():
    usual = {"overlooked": 0.1, "wrong_class": 0.1}
    same = likely_errors.combined({"overlooked": 0.2}, {"overlooked": 0.1, "wrong_class": 0.3}, usual)
    assert same == {"overlooked": pytest.approx(0.2), "wrong_class": 0.3}, "as usual changes nothing; alone it counts"
    more = likely_errors.combined({"overlooked": 0.2}, {"overlooked": 0.5}, usual)
    # 1:4 by the answers, 9 times the usual odds by the model.
    assert more["overlooked"] == pytest.approx(9 / 13)
    assert likely_errors.combined({"wrong": 0.3}, {}, {}) == {"wrong": 0.3}


def test_the_likeliest_error_is_said_in_words():
    said = likely_errors.in_words({"overlooked": 0.2, "wrong_class": 0.71})
    assert said == "A box may have the wrong class: the chance is 71 %."
    assert likely_errors.in_words({}) == "" and set(likely_errors.SENTENCES) == set(likely_errors.KINDS)
