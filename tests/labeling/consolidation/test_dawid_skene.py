"""Dawid & Skene on arrays, as the textbook has it and as AWS published it."""

import numpy as np
import pytest

from benchmarks.label_crowds import generated
from labeling.consolidation.classes.dawid_skene import dawid_skene, published


def slow_em(task, worker, given, classes, rounds):
    """The textbook's formulas, one vote at a time."""
    objects, workers = task.max() + 1, worker.max() + 1
    chances = np.zeros((objects, classes))
    for t, k in zip(task, given, strict=True):
        chances[t, k] += 1
    chances /= chances.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        prior = chances.mean(axis=0)
        confusion = np.full((workers, classes, classes), 1e-10)
        for t, w, k in zip(task, worker, given, strict=True):
            confusion[w, :, k] += chances[t]
        confusion /= confusion.sum(axis=2, keepdims=True)
        score = np.tile(np.log(prior), (objects, 1))
        for t, w, k in zip(task, worker, given, strict=True):
            score[t] += np.log(confusion[w, :, k])
        chances = np.exp(score - score.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
    return chances, confusion


def as_published(task, worker, given, classes, rounds=20):
    """The notebook's formulas, one vote at a time: start at .7; prior; votes; counts smoothed by n votes of the
    worker's own accuracy and n / 2 of the mean accuracy of all."""
    objects, workers = task.max() + 1, worker.max() + 1

    def of(accuracy):
        matrix = np.full((classes, classes), (1 - accuracy) / (classes - 1))
        np.fill_diagonal(matrix, accuracy)
        return matrix

    confusion = [of(0.7) for _ in range(workers)]
    chances = np.full((objects, classes), 1 / classes)
    before = None
    for _ in range(rounds):
        prior = chances.mean(axis=0)
        score = np.tile(prior, (objects, 1))
        for t, w, k in zip(task, worker, given, strict=True):
            score[t] *= confusion[w][:, k]
        likelihood = np.log(score.sum(axis=1)).sum()
        chances = score / score.sum(axis=1, keepdims=True)
        if before is not None and abs(likelihood - before) < 1e-8 * abs(before):
            break
        before = likelihood
        counts = np.zeros((workers, classes, classes))
        for t, w, k in zip(task, worker, given, strict=True):
            counts[w, :, k] += chances[t]
        labeled = np.bincount(worker, minlength=workers)
        accuracy = [np.trace(counts[w]) / labeled[w] for w in range(workers)]
        confusion = []
        for w in range(workers):
            rows = counts[w] + labeled[w] * of(accuracy[w]) + labeled[w] / 2 * of(np.mean(accuracy))
            confusion.append(rows / rows.sum(axis=1, keepdims=True))
    return chances.argmax(axis=1), np.round(chances.max(axis=1), 2)


@pytest.fixture(scope="module")
def world():
    return generated(3, objects=60, workers=8, votes=4, classes=3, accuracy=(0.5, 0.9))


def test_it_is_the_textbooks_em(world):
    votes = world.votes
    found = dawid_skene(votes.task, votes.worker, votes.given, classes=3, tolerance=0.0, most_rounds=7)
    chances, confusion = slow_em(votes.task, votes.worker, votes.given, 3, 7)
    assert np.allclose(found.chances, chances, atol=1e-8) and np.allclose(found.confusion, confusion, atol=1e-8)
    assert found.rounds == 7 and not found.converged


def test_it_runs_until_it_converges(world):
    votes = world.votes
    found = dawid_skene(votes.task, votes.worker, votes.given, classes=3)
    more = dawid_skene(votes.task, votes.worker, votes.given, classes=3, tolerance=1e-13)
    assert found.converged and more.rounds > found.rounds > 7
    assert np.allclose(found.chances.sum(axis=1), 1) and np.allclose(found.confusion.sum(axis=2), 1)


def test_the_published_one_is_the_notebooks_to_the_last_digit(world):
    votes = world.votes
    labels, confidence = published(votes.task, votes.worker, votes.given, classes=3)
    expected = as_published(votes.task, votes.worker, votes.given, 3)
    assert labels.tolist() == expected[0].tolist() and confidence.tolist() == expected[1].tolist()
    assert set(confidence.tolist()) <= {round(i / 100, 2) for i in range(101)}


def test_the_published_one_stops_after_twenty_rounds(world):
    votes = world.votes
    capped = as_published(votes.task, votes.worker, votes.given, 3, rounds=3)
    _, confidence = published(votes.task, votes.worker, votes.given, classes=3)
    assert confidence.tolist() != capped[1].tolist()


def test_workers_who_always_agree_are_certain():
    task, worker = np.repeat(np.arange(6), 3), np.tile(np.arange(3), 6)
    given = np.repeat([0, 1, 0, 1, 0, 1], 3)
    labels, confidence = published(task, worker, given, classes=2)
    assert labels.tolist() == [0, 1, 0, 1, 0, 1] and confidence.tolist() == [1.0] * 6


def test_votes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="2 tasks, 1 workers"):
        dawid_skene(np.zeros(2, int), np.zeros(1, int), np.zeros(2, int), classes=2)
    with pytest.raises(ValueError, match="found 0 to 5, expected 0 to 1"):
        published(np.zeros(2, int), np.zeros(2, int), np.array([0, 5]), classes=2)
