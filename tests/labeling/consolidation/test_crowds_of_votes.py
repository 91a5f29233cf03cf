"""What is made of crowds: which model is chosen, how sure it is, and what it warns of."""

import json

import numpy as np
import pytest

from benchmarks.label_crowds import calibration_error, generated, right
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import choosing, crowd, votes
from labeling.consolidation.classes.table import UNKNOWN, VoteTable, table_of
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.votes import VoteWorkers


def stated(made):
    """The choice, the chances that it states and how right they are."""
    choice = choosing.choose(made.votes)
    chances = choosing.sharpened(choice.fit.chances, choice.temperature)
    return choice, chances, right(chances, made.truth)


def objects_of(made, gold=0):
    """The votes as a job has them; the first `gold` objects with their true labels."""
    table = made.votes
    given = [[] for _ in made.truth]
    for task, worker, label in zip(table.task, table.worker, table.given, strict=True):
        given[task].append(WorkerAnswer(table.workers[worker], table.labels[label]))
    return [
        ObjectAnswers(tuple(rows), table.labels[made.truth[i]] if i < gold else None) for i, rows in enumerate(given)
    ]


CROWDS = {
    "few objects": {"objects": 30, "workers": 6, "votes": 3},
    "three classes": {"objects": 60, "workers": 10, "votes": 3, "classes": 3},
    "one vote each": {"objects": 100, "workers": 5, "votes": 1},
    "weak workers": {"accuracy": (0.5, 0.75)},
    "difficult objects": {"objects": 150, "difficulty": 1.5},
}


@pytest.mark.parametrize("made", CROWDS.values(), ids=CROWDS)
def test_where_workers_cannot_be_told_apart_nothing_is_lost_against_majority(made):
    gains = []
    for seed in range(3):
        world = generated(seed, **made)
        _, _, correct = stated(world)
        gains.append(correct.sum() - right(world.votes.shares(), world.truth).sum())
    assert sum(gains) >= -2


def test_where_nothing_tells_workers_apart_majority_is_chosen():
    assert choosing.choose(generated(0, accuracy=(0.5, 0.75)).votes).method == choosing.MAJORITY


@pytest.mark.parametrize("kind", [{"spammers": 0.3, "classes": 3}, {"spammers": 0.3}, {"adversaries": 0.2}])
def test_spammers_and_adversaries_are_outvoted(kind):
    gains = []
    for seed in range(3):
        world = generated(seed, objects=200, **kind)
        choice, _, correct = stated(world)
        gains.append(correct.mean() - right(world.votes.shares(), world.truth).mean())
        assert choice.method != choosing.MAJORITY
    assert np.mean(gains) > 0.02 and min(gains) > -0.005


def test_a_rare_class_is_not_seen_everywhere():
    world = generated(0, objects=300, workers=15, votes=3, shares=(0.95, 0.05))
    choice, _, correct = stated(world)
    assert choice.method == choosing.FREE_COIN
    assert correct.mean() > right(world.votes.shares(), world.truth).mean() + 0.02


def test_confidences_of_an_independent_crowd_are_right():
    errors = []
    for seed in range(3):
        _, chances, correct = stated(generated(seed, objects=300, workers=15, votes=3, classes=4))
        errors.append(calibration_error(chances.max(axis=1), correct))
    assert np.mean(errors) < 0.07


def own_lines(seed=3, objects=100, workers=20):
    """Workers who each draw the line between two classes elsewhere, on objects that lie along one scale."""
    rng = np.random.default_rng(seed)
    at = rng.normal(0, 1.2, objects)
    line = rng.normal(0.5, 0.9, workers)
    said = (at[:, None] + rng.normal(0, 0.5, (objects, workers)) > line).astype(int)
    return [
        ObjectAnswers(tuple(WorkerAnswer(f"w{w:02d}", ("no", "yes")[said[t, w]]) for w in range(workers)))
        for t in range(objects)
    ], (at > 0).astype(int)


def test_a_crowd_that_shares_its_mistakes_is_believed_less_and_warned_of():
    objects, truth = own_lines()
    models = votes.fit_workers(objects, labels=("no", "yes"))
    assert models.model.temperature < 0.5
    assert "same mistakes" in models.model.warning and "Golds" in models.model.warning
    found = [votes.consolidate(one.answers, labels=("no", "yes"), workers=models) for one in objects]
    correct = np.array([one.label == ("no", "yes")[t] for one, t in zip(found, truth, strict=True)])
    assert np.mean([one.confidence for one in found]) < correct.mean() + 0.25


def test_golds_teach_how_sure_to_be():
    """Two fifths of one class look like the other to everybody, which votes alone cannot tell."""
    errors = {0: [], 50: []}
    for seed in range(3):
        world = generated(seed, objects=160, votes=7, misleading=0.4)
        labels, plain = world.votes.labels, objects_of(world)
        for golds, found in errors.items():
            models = votes.fit_workers(objects_of(world, golds), labels=labels)
            results = [votes.consolidate(one.answers, labels=labels, workers=models) for one in plain[50:]]
            sure = np.array([one.confidence for one in results])
            correct = np.array([one.label for one in results]) == np.array(labels)[world.truth[50:]]
            found.append(calibration_error(sure, correct))
    assert np.mean(errors[50]) < np.mean(errors[0]) / 2


def test_enough_golds_end_the_warning():
    objects, truth = own_lines()
    taught = [
        ObjectAnswers(one.answers, ("no", "yes")[truth[i]] if i % 4 == 0 else None) for i, one in enumerate(objects)
    ]
    assert not votes.fit_workers(taught, labels=("no", "yes")).model.warning


def test_every_label_has_an_interval_and_a_difficulty():
    world = generated(1, objects=150, workers=12, votes=5)
    objects = objects_of(world)
    for models in (None, votes.fit_workers(objects, labels=world.votes.labels)):
        easy = votes.consolidate([WorkerAnswer(f"w{i:03d}", "a") for i in range(6)], labels="ab", workers=models)
        torn = votes.consolidate(
            [WorkerAnswer(f"w{i:03d}", "ab"[i % 2]) for i in range(6)], labels="ab", workers=models
        )
        for one in (easy, torn):
            assert 0 <= one.confidence_low <= one.confidence <= one.confidence_high <= 1
            assert 0 < one.difficulty < 1
            assert one.explanation["confidence_low"] == one.confidence_low
        assert easy.difficulty < torn.difficulty


def test_the_intervals_narrow_with_golds():
    world = generated(2, objects=150, workers=12, votes=5, spammers=0.2)
    widths = []
    for golds in (0, 100):
        objects = objects_of(world, golds)
        models = votes.fit_workers(objects, labels=world.votes.labels)
        found = [votes.consolidate(one.answers, labels=world.votes.labels, workers=models) for one in objects[100:]]
        widths.append(np.mean([one.confidence_high - one.confidence_low for one in found]))
    assert widths[1] < widths[0]


def test_a_worker_seen_more_often_is_known_better():
    workers = VoteWorkers()
    for _ in range(30):
        workers.update([WorkerAnswer("ann", "bee")], {"bee": 1.0})
    workers.update([WorkerAnswer("bob", "bee")], {"bee": 1.0})
    assert workers.standard_error("ann") < workers.standard_error("bob") < workers.standard_error("nobody") < 0.5


def test_em_runs_until_it_converges():
    world = generated(4, objects=300, spammers=0.2)
    fine = crowd.fit(world.votes, choosing.WITH_DIFFICULTY)
    finer = crowd.fit(world.votes, choosing.WITH_DIFFICULTY, tolerance=1e-7)
    assert fine.rounds < crowd.MOST_ROUNDS and finer.rounds < crowd.MOST_ROUNDS
    assert np.abs(fine.chances - finer.chances).max() < 0.01


def test_a_fitted_model_gives_the_same_labels_after_json_and_in_any_order_of_objects_answers():
    world = generated(5, objects=80, classes=3, spammers=0.2)
    objects = objects_of(world)
    labels = world.votes.labels
    models = votes.fit_workers(objects, labels=labels)
    turned = votes.fit_workers([ObjectAnswers(one.answers[::-1]) for one in objects], labels=labels)
    text = json.dumps(models.to_json())
    assert text == json.dumps(turned.to_json())
    assert models.to_json()["version"] == 2
    again = VoteWorkers.from_json(json.loads(text))
    for one in objects[:20]:
        assert votes.consolidate(one.answers, labels=labels, workers=again) == votes.consolidate(
            one.answers, labels=labels, workers=models
        )


def test_the_stored_model_says_what_the_fit_found():
    """Weighing votes one object at a time gives the chances of the EM that the model comes from."""
    world = generated(6, objects=150, classes=3, spammers=0.3)
    choice, chances, _ = stated(world)
    assert choice.method.workers
    models = votes.fit_workers(objects_of(world), labels=world.votes.labels)
    found = [list(votes.posterior(one.answers, world.votes.labels, models).values()) for one in objects_of(world)]
    assert np.abs(np.array(found) - chances).max() < 0.01


def test_an_unknown_worker_counts_less_than_a_known_good_one():
    world = generated(7, objects=200, spammers=0.3)
    models = votes.fit_workers(objects_of(world), labels=world.votes.labels)
    best = max(world.votes.workers, key=models.accuracy)
    torn = [WorkerAnswer(best, "a"), WorkerAnswer("stranger", "b")]
    assert votes.consolidate(torn, labels=world.votes.labels, workers=models).label == "a"


def test_votes_before_and_after_a_fit_can_be_for_labels_that_nobody_gave():
    objects = [ObjectAnswers((WorkerAnswer("ann", "bee"), WorkerAnswer("bob", "bee")))] * 30
    labels = ("bee", "wasp", "fly")
    models = votes.fit_workers(objects, labels=labels)
    assert (
        votes.consolidate([WorkerAnswer("cy", "fly")], labels=labels, workers=models).explanation["chances"]["fly"] > 0
    )
    assert votes.consolidate([WorkerAnswer("cy", "ant")], labels=labels, workers=models).label is None


def test_a_class_added_after_the_fit_is_judged_by_the_counts():
    objects = [ObjectAnswers((WorkerAnswer("ann", "bee"), WorkerAnswer("bob", "bee")))] * 30
    models = votes.fit_workers(objects, labels=("bee", "wasp"))
    assert votes.consolidate([WorkerAnswer("ann", "fly")], labels=("bee", "wasp", "fly"), workers=models).label == "fly"


def test_stopping_keeps_its_promise_on_an_independent_crowd():
    world = generated(8, objects=300, workers=15, votes=9)
    objects, labels = objects_of(world), world.votes.labels
    models = votes.fit_workers(objects, labels=labels)
    rule = Stopping(max_answers=9, min_answers=2, target_confidence=0.9)
    taken, correct = [], []
    for one, truth in zip(objects, world.truth, strict=True):
        count = 2
        while votes.should_ask_more(one.answers[:count], labels=labels, rule=rule, workers=models).ask:
            count += 1
        taken.append(count)
        if count < 9:
            found = votes.consolidate(one.answers[:count], labels=labels, workers=models)
            correct.append(found.label == labels[truth])
    assert np.mean(taken) < 8 and len(correct) > 100
    assert np.mean(correct) >= 0.9 - np.sqrt(0.09 / len(correct))


def test_a_table_keeps_the_newest_vote_of_a_worker_and_leaves_other_labels_out():
    one = ObjectAnswers(
        (WorkerAnswer("ann", "bee", 1), WorkerAnswer("ann", "wasp", 2), WorkerAnswer("bob", "ghost")), gold="ghost"
    )
    table = table_of([one, ObjectAnswers((), gold="bee")], ("bee", "wasp"))
    assert (table.workers, table.given.tolist(), table.gold.tolist()) == (("ann",), [1], [UNKNOWN, 0])
    assert table.shares().tolist() == [[0, 1], [0.5, 0.5]]
    assert np.isnan(table.agreement())


def test_agreement_counts_pairs():
    zeros = np.zeros(3, np.int64)
    table = VoteTable(zeros, np.arange(3), np.array([0, 0, 1]), np.array([UNKNOWN]), ("a", "b", "c"), ("x", "y"))
    assert table.agreement() == pytest.approx(1 / 3)
