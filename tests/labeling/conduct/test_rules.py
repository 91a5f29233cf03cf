"""The rules, one by one: what each finds, and honest people it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from labeling.conduct.observed import Activity, Conduct, SeenAnswer, usual_seconds
from labeling.conduct.rules import RULES, Action, decided, findings

MOUSE = Activity(moves=300, trusted=340, untrusted=0, keys=2, focus_seconds=20, active_seconds=15)
KEYS_ONLY = Activity(moves=0, trusted=60, untrusted=0, keys=60, focus_seconds=20, active_seconds=15)
KEYS_TO_CLICKS = Activity(moves=0, trusted=20, untrusted=40, keys=20, focus_seconds=20, active_seconds=15)
SCRIPT = Activity(moves=0, trusted=0, untrusted=30, keys=0, focus_seconds=20, active_seconds=0)


def boxes_of(rng, number, activity=MOUSE, *, seconds=None):
    """An honest answer with a few boxes."""
    marks = tuple(("bee", *(int(one) for one in rng.integers(1, 300, 4))) for _ in range(rng.integers(1, 5)))
    spent = float(20 * np.exp(rng.normal(0, 0.4))) if seconds is None else seconds
    return SeenAnswer(number, spent, frozenset({"bee"}), marks, (640, 480), activity, ((frozenset({"bee"}), 3),) * 2)


def vote_of(rng, number, label, *, others):
    return SeenAnswer(
        number, float(3 * np.exp(rng.normal(0, 0.5))), frozenset({label}), None, (9, 9), KEYS_ONLY, others
    )


def conduct(answers, **changes):
    return replace(Conduct(list(answers), 20.0, ["bee", "wasp"], 20.0, seats=len(answers)), **changes)


def found(answers, **changes):
    return set(findings(conduct(answers, **changes)))


@pytest.mark.parametrize("activity", [MOUSE, KEYS_ONLY, KEYS_TO_CLICKS, None])
def test_honest_people_are_left_alone_however_they_work(activity):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        answers = [boxes_of(rng, number, activity) for number in range(60)]
        for seen in range(1, 61, 3):
            assert found(answers[:seen], accuracy_high=0.8, accuracy_pieces=seen) == set()


def test_each_spammer_is_found_by_the_rule_for_it():
    rng = np.random.default_rng(1)
    honest = [boxes_of(rng, number) for number in range(1, 17)]
    same = [replace(seen, marks=honest[0].marks) for seen in honest[:3]]
    empty = [replace(seen, marks=()) for seen in honest[:6]]
    assert found([replace(seen, elapsed=1.5) for seen in honest[:6]]) == {"too-fast"}
    assert found(same) == {"same-marks"}
    assert found(empty) == {"never-a-mark"}
    assert found([replace(seen, activity=replace(SCRIPT, untrusted=0)) for seen in honest[:3]]) == {"no-input"}
    assert found([replace(seen, activity=SCRIPT) for seen in honest[:3]]) == {"no-input", "untrusted-events"}
    assert found([replace(seen, elapsed=rng.uniform(7.4, 8.6)) for seen in honest]) == {"uniform-times"}
    assert found(honest, accuracy_high=0.3, accuracy_pieces=9) == {"low-accuracy"}
    assert found(honest[:2], declined=15, seats=20) == {"declines"}


def test_what_looks_alike_and_is_innocent():
    rng = np.random.default_rng(2)
    honest = [boxes_of(rng, number) for number in range(1, 17)]
    whole = [replace(seen, marks=(("bee", 0, 0, 640, 478),)) for seen in honest]
    # Objects around which everybody draws the whole picture, pictures on which nobody finds anything.
    assert found(whole) == set()
    nothing = [replace(seen, marks=(), others=((frozenset(), 0),) * 2) for seen in honest]
    assert found(nothing) == set()
    # A requester who expects far too much, while the others are as quick.
    assert found([replace(seen, elapsed=seen.elapsed / 8) for seen in honest], crowd_median=2.5) == set()
    assert found(honest[:4], accuracy_high=0.3, accuracy_pieces=2) == set()


def test_a_balanced_queue_of_labels_is_found_and_balanced_objects_are_not():
    rng = np.random.default_rng(3)
    classes = ["bee", "wasp", "fly"]
    truth = rng.choice(classes, 60, p=[0.6, 0.3, 0.1])
    shuffled = [label for _ in range(20) for label in rng.permutation(classes)]
    others = [((frozenset({label}), 0),) for label in truth]
    robot = [vote_of(rng, n, label, others=others[n]) for n, label in enumerate(shuffled)]
    honest = [vote_of(rng, n, label, others=others[n]) for n, label in enumerate(truth)]
    assert found(robot, labels=classes) == {"balanced-labels"}
    assert found(honest, labels=classes) == set()
    even = [vote_of(rng, n, label, others=((frozenset({label}), 0),)) for n, label in enumerate(shuffled)]
    assert found(even, labels=classes) == set()


def test_a_rule_looks_only_at_what_came_after_its_last_finding():
    rng = np.random.default_rng(4)
    fast = [boxes_of(rng, number, seconds=1.0 + number % 3) for number in range(6)]
    seat = findings(conduct(fast))["too-fast"].seat
    assert found(fast, since={"too-fast": seat}) == set()


def test_repeated_findings_and_two_about_scripts_block():
    fast, even, declines = RULES["too-fast"], RULES["uniform-times"], RULES["declines"]
    assert decided(fast, Action.PAUSE, earlier=[]) == Action.PAUSE
    assert decided(fast, Action.PAUSE, earlier=["too-fast"]) == Action.BLOCK
    assert decided(even, Action.RETRAIN, earlier=["too-fast"]) == Action.BLOCK
    assert decided(declines, Action.WARN, earlier=["declines"] * 5) == Action.WARN
    assert decided(fast, Action.NOTE, earlier=["uniform-times", "too-fast"]) == Action.NOTE


def test_the_usual_time_is_not_decided_by_one_quick_worker():
    times = {"quick": [0.5] * 40, "a": [20.0] * 4, "b": [24.0] * 4}
    assert usual_seconds(times) == 20.0
    assert usual_seconds({"a": [20.0] * 40}) is None
