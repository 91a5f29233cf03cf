"""Stories of several labels on one object."""

import random

from labeling.consolidation import tags
from labeling.consolidation.tags import ObjectTags, Tags

LABELS = ("cat", "dog", "bird")


def said(**answers):
    return [Tags(worker, frozenset(labels.split())) for worker, labels in answers.items()]


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
            Tags(w, frozenset(label for label in LABELS if (label in truth) != (rng.random() < 0.08)))
            for w in ("ann", "bob", "cy", "dee")
        ]
        answers.append(Tags("spam", frozenset(label for label in LABELS if rng.random() < 0.5)))
        objects.append(ObjectTags(tuple(answers)))
    workers = tags.fit_workers(objects, labels=LABELS)
    assert workers.accuracy("ann") > 0.85
    assert workers.accuracy("spam") < 0.7
