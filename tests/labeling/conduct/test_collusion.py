"""Pairs that agree too much: found when they copy, and not when they are merely good."""

import numpy as np

from labeling.conduct.collusion import COMMON, FALSE_ALARM, colluding

CLASSES = 4


def same(one, other):
    return float(one == other)


def crowd(rng, *, workers=14, tasks=160, answers=4, copies=(), accuracy=(0.6, 0.95)):
    """Answers of independent workers to tasks of uneven difficulty; `copies` are pairs of which one copies the
    other."""
    skill = rng.uniform(*accuracy, workers)
    rows = []
    for _ in range(tasks):
        truth, hard = rng.integers(CLASSES), rng.uniform(0.6, 1.0)
        chosen = rng.permutation(workers)[:answers].tolist()
        for one, other in copies:
            if rng.random() < 0.3:
                chosen = list(dict.fromkeys([one, other, *chosen]))[:answers]
        row = {}
        for who in chosen:
            right = rng.random() < skill[who] * hard
            row[f"w{who:02d}"] = int(truth if right else rng.integers(CLASSES))
        for one, other in copies:
            if {f"w{one:02d}", f"w{other:02d}"} <= row.keys():
                row[f"w{other:02d}"] = row[f"w{one:02d}"]
        rows.append(row)
    return rows


def test_independent_workers_are_reported_no_more_often_than_stated():
    crowds = 150
    alarms = sum(bool(colluding(crowd(np.random.default_rng(seed)), same)) for seed in range(crowds))
    # Four standard deviations above the stated rate.
    assert alarms <= crowds * FALSE_ALARM + 4 * (crowds * FALSE_ALARM) ** 0.5


def test_a_pair_that_copies_is_found_and_nobody_else():
    for seed in range(10):
        pairs = colluding(crowd(np.random.default_rng(seed), copies=[(2, 9)]), same)
        assert [(pair.one, pair.other) for pair in pairs] == [("w02", "w09")]
        assert pairs[0].close == pairs[0].common >= COMMON
        assert pairs[0].chance < FALSE_ALARM < pairs[0].expected


def test_good_workers_who_agree_because_they_are_right_are_not_reported():
    rows = crowd(np.random.default_rng(5), accuracy=(0.97, 0.99), tasks=300)
    assert colluding(rows, same) == []


def test_few_common_tasks_prove_nothing():
    rows = [{"a": 1, "b": 1, "c": number % 4} for number in range(COMMON - 1)]
    assert colluding(rows, same) == []
    assert colluding([], same) == []
