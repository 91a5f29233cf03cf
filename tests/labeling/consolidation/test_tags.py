"""Stories of several labels on one object."""

import random

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import tags
from labeling.consolidation.stopping import Stopping

LABELS = ("cat", "dog", "bird")


def said(**answers):
    return [WorkerAnswer(worker, frozenset(labels.split())) for worker, labels in answers.items()]


def test_each_label_is_judged_by_itself():
    result = tags.consolidate(said(ann="cat dog", bob="cat", cy="cat dog"), labels=LABELS)
    assert result.labels == ("cat", "dog")
    assert result.explanation["chances"]["cat"] > result.explanation["chances"]["dog"] > 0.5


def test_an_empty_answer_says_none_of_these():
    result = tags.consolidate(said(ann="cat", bob="", cy=""), labels=LABELS)
    assert result.labels == ()
    assert result.confidence > 0.5


def test_fitting_finds_who_tags_at_random():
    rng = random.Random(4)
    objects = []
    for _ in range(150):
        truth = {label for label in LABELS if rng.random() < 0.4}
        answers = [
            WorkerAnswer(w, frozenset(label for label in LABELS if (label in truth) != (rng.random() < 0.08)))
            for w in ("ann", "bob", "cy", "dee")
        ]
        answers.append(WorkerAnswer("spam", frozenset(label for label in LABELS if rng.random() < 0.5)))
        objects.append(ObjectAnswers(tuple(answers)))
    workers = tags.fit_workers(objects, labels=LABELS)
    assert workers.accuracy("ann") > 0.85
    assert workers.accuracy("spam") < 0.7


def crowd(seed=6, objects=200, answers=3, miss=0.15):
    """(answers, truth): honest workers who overlook labels more often than they invent them."""
    rng = random.Random(seed)
    made = []
    for _ in range(objects):
        truth = frozenset(label for label in LABELS if rng.random() < 0.5)
        names = rng.sample([f"w{i}" for i in range(12)], answers)
        said = [
            WorkerAnswer(
                w, frozenset(x for x in LABELS if (rng.random() > miss if x in truth else rng.random() < 0.04))
            )
            for w in names
        ]
        made.append((tuple(said), truth))
    return made


def right(found, data):
    return sum(set(labels) == truth for labels, (_, truth) in zip(found, data, strict=True)) / len(data)


def test_fitting_an_honest_crowd_is_about_as_good_as_counting_heads():
    """Learned from questions with at least one yes alone, two yes of three used to lose against one no."""
    data = crowd()
    workers = tags.fit_workers([ObjectAnswers(answers) for answers, _ in data], labels=LABELS)
    ours = [tags.consolidate(answers, labels=LABELS, workers=workers).labels for answers, _ in data]
    heads = [[x for x in LABELS if 2 * sum(x in a.value for a in answers) > len(answers)] for answers, _ in data]
    assert right(ours, data) >= right(heads, data) - 0.03


def test_stopping_saves_answers_at_equal_accuracy():
    data = crowd(answers=7, objects=150)
    workers = tags.fit_workers([ObjectAnswers(answers) for answers, _ in data], labels=LABELS)
    rule = Stopping(max_answers=7, min_answers=2, target_confidence=0.9)
    taken = []
    for answers, _ in data:
        count = 2
        while tags.should_ask_more(answers[:count], labels=LABELS, rule=rule, workers=workers).ask:
            count += 1
        taken.append(count)

    def reached(counts):
        said = (a[:n] for (a, _), n in zip(data, counts, strict=True))
        return right([tags.consolidate(a, labels=LABELS, workers=workers).labels for a in said], data)

    mean = sum(taken) / len(taken)
    assert mean < 5
    assert reached(taken) >= reached([int(mean) + 1] * len(data)) - 0.01
