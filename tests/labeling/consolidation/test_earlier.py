"""What was there before people answered, and what of it they left alone."""

from labeling.consolidation.earlier import SAME, left_alone, places


def near(one: float, others: list[float]) -> list[float]:
    """Numbers stand for things: 1 for the same, nothing in common from a distance of 10 on."""
    return [max(0.0, 1 - abs(one - other) / 10) for other in others]


def test_only_what_every_answer_has_as_it_was_shown_was_left_alone():
    shown = [1, 21]
    assert left_alone(shown, [[1, 21], [21, 1, 50]]) == [0, 1]
    assert left_alone(shown, [[1, 21], [1, 22]]) == [0]
    assert left_alone(shown, [[], [1, 21]]) == []
    assert left_alone(shown, []) == [], "nobody looked at them"


def test_the_order_of_answers_changes_nothing():
    answers = [[1, 21], [1], [30, 1]]
    assert left_alone([1, 21], answers) == left_alone([1, 21], answers[::-1]) == [0]


def test_each_has_the_place_of_the_thing_that_is_most_like_it():
    assert places([10.0, 50.0], [52.0, 11.0, 9.5], near) == [2, 0]
    assert places([10.0, 10.0], [10.0, 13.0], near) == [0, 1], "a place is taken once"
    assert places([10.0, 10.0], [10.0], near) == [0, None]
    assert places([11.0, 10.0], [10.0], near) == [None, 0], "what is the same comes first"


def test_what_is_too_far_was_made_of_something_else():
    assert places([10.0], [10 + 10 * (1 - SAME)], near) == [0]
    assert places([10.0], [10.1 + 10 * (1 - SAME)], near) == [None]
    assert places([10.0], [], near) == [None]


def test_a_thousand_things_that_nobody_changed_are_not_compared_with_each_other():
    compared = []
    things = [float(number) for number in range(1000)]
    assert places(things, things, lambda one, others: compared.append(one) or near(one, others)) == list(range(1000))
    assert compared == []
