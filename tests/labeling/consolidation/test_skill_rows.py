"""What a job tells of its workers, as counts that can be added to those of other jobs."""

import pytest

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.classes import tags, votes
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats.shapes import Box, Span

LABELS = ("bee", "flower")
SIZE = (640.0, 480.0)


def by_label(rows, worker):
    return {row.label: row for row in rows if row.worker == worker}


def test_boxes_count_what_golds_know_of_a_worker():
    bee, flower, nothing = Box("bee", 100, 100, 50, 40), Box("flower", 300, 200, 60, 60), Box("bee", 500, 20, 30, 30)
    image = ImageAnswers(
        (WorkerAnswer("ann", (bee, flower)), WorkerAnswer("bob", (bee, nothing))), SIZE, gold=(bee, flower)
    )
    rows = boxes.skill_rows(boxes.fit_workers([image] * 12, labels=LABELS), LABELS)
    ann, bob = by_label(rows, "ann"), by_label(rows, "bob")
    assert (ann[""].answers, ann[""].found, ann[""].chances, ann[""].false_positives) == (12, 24, 24, 0)
    assert (bob[""].answers, bob[""].found, bob[""].chances, bob[""].false_positives) == (12, 12, 24, 12)
    assert ann[""].false_positive_chances >= bob[""].false_positives
    assert (ann["flower"].found, bob["flower"].found, bob["flower"].chances) == (12, 0, 12)
    assert (bob["bee"].found, bob["bee"].chances) == (12, 12)


def test_spans_count_what_golds_know_of_a_worker():
    true, nothing = Span("bee", 3, 9), Span("bee", 20, 24)
    text = ObjectAnswers((WorkerAnswer("ann", (true,)), WorkerAnswer("bob", (nothing,))), gold=(true,))
    rows = spans.skill_rows(spans.fit_workers([text] * 5, labels=LABELS), LABELS)
    ann, bob = by_label(rows, "ann")[""], by_label(rows, "bob")[""]
    assert (ann.answers, ann.found, ann.chances, ann.false_positives) == (5, 5, 5, 0)
    assert (bob.answers, bob.found, bob.chances, bob.false_positives) == (5, 0, 5, 5)


def test_votes_count_right_and_wrong_choices_by_label():
    objects = [
        ObjectAnswers((WorkerAnswer("ann", "bee"), WorkerAnswer("bob", "flower")), gold="bee"),
        ObjectAnswers((WorkerAnswer("ann", "flower"), WorkerAnswer("bob", "flower")), gold="flower"),
    ]
    rows = votes.skill_rows(votes.fit_workers(objects, labels=LABELS), LABELS)
    assert by_label(rows, "ann")[""] == SkillRow("ann", "", 2, 2, 2, 0, 2)
    bob = by_label(rows, "bob")
    assert bob[""] == SkillRow("bob", "", 2, 1, 2, 1, 2)
    assert bob["bee"] == SkillRow("bob", "bee", 2, 0, 1, 0, 1)
    assert bob["flower"] == SkillRow("bob", "flower", 2, 1, 1, 1, 1)


def test_tags_count_labels_given_rightly_and_wrongly():
    one = ObjectAnswers(
        (WorkerAnswer("ann", frozenset({"bee"})), WorkerAnswer("bob", frozenset({"flower"}))), gold=frozenset({"bee"})
    )
    rows = tags.skill_rows(tags.fit_workers([one, one], labels=LABELS), LABELS)
    assert by_label(rows, "ann") == {"": SkillRow("ann", "", 2, 2, 2, 0, 2)}
    assert by_label(rows, "bob") == {"": SkillRow("bob", "", 2, 0, 2, 2, 2)}


@pytest.mark.parametrize("consolidator", [boxes, spans, votes, tags])
def test_models_that_have_seen_nobody_give_no_rows(consolidator):
    assert consolidator.skill_rows(consolidator.fit_workers([], labels=LABELS), LABELS) == []
