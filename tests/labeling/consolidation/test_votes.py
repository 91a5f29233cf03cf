"""Stories of one label on one object."""

import random

import pytest

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import votes
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.votes import VoteWorkers

LABELS = ("bee", "wasp", "fly")
SKILL = {"ann": 0.95, "bob": 0.9, "cy": 0.55, "dee": 0.4}


def crowd(tasks=200, seed=5):
    rng = random.Random(seed)
    made = []
    for _ in range(tasks):
        truth = rng.choice(LABELS)
        given = tuple(
            WorkerAnswer(worker, truth if rng.random() < skill else rng.choice([x for x in LABELS if x != truth]))
            for worker, skill in SKILL.items()
        )
        made.append((given, truth))
    return made


def test_the_good_worker_outvotes_two_bad_ones_once_they_are_known():
    workers = votes.fit_workers([ObjectAnswers(given) for given, _ in crowd()], labels=LABELS)
    assert workers.accuracy("ann") > workers.accuracy("cy") > workers.accuracy("dee")
    torn = [WorkerAnswer("ann", "bee"), WorkerAnswer("cy", "wasp"), WorkerAnswer("dee", "wasp")]
    assert votes.consolidate(torn, labels=LABELS).label == "wasp"
    assert votes.consolidate(torn, labels=LABELS, workers=workers).label == "bee"


def test_dawid_skene_beats_majority():
    data = crowd()
    workers = votes.fit_workers([ObjectAnswers(given) for given, _ in data], labels=LABELS)
    right = {True: 0, False: 0}
    for given, truth in data:
        for known in right:
            result = votes.consolidate(given, labels=LABELS, workers=workers if known else None)
            right[known] += result.label == truth
    assert right[True] > right[False] + 10


def test_golds_fix_what_agreement_alone_gets_wrong():
    """Three who always confuse bee with wasp outvote the one who does not, unless golds speak."""
    given = tuple(WorkerAnswer(w, "wasp") for w in ("x", "y", "z")) + (WorkerAnswer("ann", "bee"),)
    data = [ObjectAnswers(given, "bee") for _ in range(15)]
    taught = votes.fit_workers(data, labels=LABELS)
    assert votes.consolidate(given, labels=LABELS).label == "wasp"
    assert votes.consolidate(given, labels=LABELS, workers=taught).label == "bee"


def test_learning_from_one_more_object_moves_the_worker():
    workers = VoteWorkers()
    before = workers.accuracy("ann")
    workers.update([WorkerAnswer("ann", "wasp"), WorkerAnswer("bob", "bee")], {"bee": 1.0})
    assert workers.accuracy("ann") < before < workers.accuracy("bob")


def test_the_gain_of_one_more_vote_is_what_it_saves_on_average():
    rule = Stopping(max_answers=9, target_confidence=0.99)
    sure = votes.should_ask_more([WorkerAnswer(w, "bee") for w in "abcdef"], labels=LABELS, rule=rule)
    torn = votes.should_ask_more([WorkerAnswer("a", "bee"), WorkerAnswer("b", "wasp")], labels=LABELS, rule=rule)
    assert torn.expected_gain > 0.1 > sure.expected_gain


@pytest.mark.parametrize(
    "wrong", [{"max_answers": 1}, {"max_answers": 3, "target_confidence": 1.0}, {"max_answers": 3, "price": -1}]
)
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        Stopping(**wrong)
