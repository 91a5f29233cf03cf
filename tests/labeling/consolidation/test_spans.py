"""Stories of marked texts: who marked what, and what the consensus makes of it."""

import json
import random

import pytest

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.stopping import Stopping
from labeling.formats.shapes import Span

LABELS = ("person", "place", "date")
WORDS = 60


def answer(worker, *rows, revision=0):
    """rows: (start, end) or (start, end, label)."""
    made = tuple(Span(row[2] if len(row) > 2 else "person", row[0], row[1]) for row in rows)
    return WorkerAnswer(worker, made, revision)


def consensus(*answers, workers=None):
    return spans.consolidate(answers, labels=LABELS, workers=workers)


def found(result):
    return {(span.start, span.end, span.label) for span in result.spans}


def crowd(seed=1, texts=150, honest=6, spammers=0, miss=0.15, slip=0.15, answers=5):
    """(answers, truth) of texts read by a crowd; a spammer marks at random."""
    rng = random.Random(seed)
    names = [f"good{i}" for i in range(honest)] + [f"spam{i}" for i in range(spammers)]
    made = []
    for _ in range(texts):
        truth = _at_random(rng, 3)
        said = []
        for name in rng.sample(names, answers):
            if name.startswith("spam"):
                said.append(WorkerAnswer(name, tuple(_at_random(rng, 3))))
                continue
            marked = []
            for span in truth:
                if rng.random() < miss:
                    continue
                end = span.end + (rng.choice([-1, 1, 2]) if rng.random() < slip else 0)
                label = rng.choice(LABELS) if rng.random() < 0.05 else span.label
                marked.append(Span(label, span.start, max(end, span.start + 1)))
            said.append(WorkerAnswer(name, tuple(marked)))
        made.append((tuple(said), tuple(truth)))
    return made


def _at_random(rng, count):
    slots = rng.sample(range(WORDS // 6), count)
    made = [(6 * slot, 6 * slot + rng.randint(1, 4), rng.choice(LABELS)) for slot in sorted(slots)]
    return [Span(label, start, end) for start, end, label in made]


def fitted(data, golds=0):
    objects = [ObjectAnswers(answers, truth if i < golds else None) for i, (answers, truth) in enumerate(data)]
    return spans.fit_workers(objects, labels=LABELS)


def f1(sets, truth):
    wanted = [{(s.start, s.end, s.label) for s in true} for true in truth]
    right = sum(len(a & b) for a, b in zip(sets, wanted, strict=True))
    return 2 * right / (sum(map(len, sets)) + sum(map(len, wanted)))


def most_marked(answers):
    """Spans that more than half of the workers marked alike."""
    given = [(s.start, s.end, s.label) for one in answers for s in one.value]
    return {span for span in given if 2 * given.count(span) > len(answers)}


def test_each_boundary_goes_to_the_offset_most_have_chosen():
    result = consensus(answer("ann", (10, 18)), answer("bob", (10, 20)), answer("cy", (12, 18)))
    assert found(result) == {(10, 18, "person")}
    (cluster,) = result.explanation["clusters"]
    assert [m["outvoted"] for m in cluster["members"]] == [False, True, True]


def test_two_labels_on_the_same_words_are_a_disagreement_not_two_spans():
    result = consensus(answer("ann", (4, 8, "place")), answer("bob", (4, 8, "person")), answer("cy", (4, 8, "place")))
    assert found(result) == {(4, 8, "place")}
    assert len(result.explanation["clusters"]) == 1


def test_two_spans_of_one_worker_never_become_one():
    result = consensus(answer("ann", (0, 4), (5, 9)), answer("bob", (0, 4), (5, 9)), answer("cy", (0, 9)))
    assert found(result) == {(0, 4, "person"), (5, 9, "person")}
    for cluster in result.explanation["clusters"]:
        names = [member["worker"] for member in cluster["members"]]
        assert len(names) == len(set(names))


def test_an_answer_without_spans_is_evidence_of_absence():
    alone = consensus(answer("ann", (3, 7)))
    doubted = consensus(answer("ann", (3, 7)), answer("bob"), answer("cy"), answer("dee"))
    assert found(alone) == {(3, 7, "person")}
    assert found(doubted) == set()
    cluster = doubted.explanation["clusters"][0]
    assert cluster["not_marked_by"] == ["bob", "cy", "dee"]
    assert "below" in cluster["reason"]


def test_boundaries_of_spans_that_hardly_touch_still_make_a_span():
    result = consensus(answer("ann", (0, 10)), answer("bob", (6, 16)), answer("cy", (2, 14)))
    for span in result.spans:
        assert span.start < span.end


def test_the_order_of_answers_and_of_spans_changes_no_byte():
    data = crowd(texts=40, spammers=2)
    workers = fitted(data)
    for number, (answers, _) in enumerate(data):
        rng = random.Random(number)
        turned = [
            WorkerAnswer(one.worker, tuple(rng.sample(one.value, len(one.value))))
            for one in rng.sample(answers, len(answers))
        ]
        a, b = consensus(*answers, workers=workers), consensus(*turned, workers=workers)
        assert a == b
        assert json.dumps(a.explanation) == json.dumps(b.explanation)


def test_fitting_the_same_answers_again_gives_the_same_bytes():
    data = crowd(texts=40, spammers=2)
    turned = [(answers[::-1], truth) for answers, truth in data]
    assert json.dumps(fitted(data).to_json()) == json.dumps(fitted(turned).to_json())


def test_spammers_are_found_out_and_outvoted():
    data = crowd(honest=6, spammers=6, texts=200)
    workers = fitted(data)
    rates = workers.marking.rates(["good0", "spam0"])
    assert rates.recall[0] > rates.recall[1] + 0.4
    lone = {
        who: consensus(answer(who, (12, 15)), answer("good1"), workers=workers).explanation["clusters"][0]["exists"]
        for who in ("good0", "spam0")
    }
    assert lone["spam0"] < 0.2 < lone["good0"]
    truth = [true for _, true in data]
    ours = f1([found(consensus(*answers, workers=workers)) for answers, _ in data], truth)
    assert ours > f1([most_marked(answers) for answers, _ in data], truth) + 0.2


def test_the_truth_is_recovered_from_an_honest_crowd():
    data = crowd(texts=150)
    workers, truth = fitted(data), [true for _, true in data]
    ours = f1([found(consensus(*answers, workers=workers)) for answers, _ in data], truth)
    assert ours > 0.95
    assert ours > f1([most_marked(answers) for answers, _ in data], truth)


def test_who_is_exact_counts_for_more_at_the_boundaries():
    rng = random.Random(2)
    objects = []
    for _ in range(80):
        true = Span("person", 10, 16)
        sloppy = [WorkerAnswer(w, (Span("person", 10, 16 + rng.choice([-2, -1, 1, 2])),)) for w in ("bob", "cy")]
        objects.append(ObjectAnswers((WorkerAnswer("ann", (true,)), *sloppy), (true,)))
    workers = spans.fit_workers(objects, labels=LABELS)
    assert workers.exactness("ann") > 0.9 > 0.75 > workers.exactness("bob")
    result = consensus(answer("ann", (10, 16)), answer("bob", (10, 18)), answer("cy", (10, 18)), workers=workers)
    assert result.spans[0].start == 10
    weighed = result.explanation["clusters"][0]["end_chance"]
    assert weighed < consensus(*(answer(w, (10, 18)) for w in "xyz")).explanation["clusters"][0]["end_chance"]


def test_golds_teach_what_the_crowd_does_not_know():
    """Everybody takes the comma in; only golds can tell that it is no part of the name."""
    loose = [(tuple(answer(w, (10, 17)) for w in ("ann", "bob", "cy")), (Span("person", 10, 16),)) for _ in range(60)]
    assert fitted(loose).exactness() > 0.9
    assert fitted(loose, golds=60).exactness() < 0.7


def test_stopping_saves_answers_at_equal_accuracy():
    data = crowd(texts=150, honest=12, answers=7, miss=0.1, slip=0.1)
    truth = [true for _, true in data]
    workers = fitted(data)
    rule = Stopping(max_answers=7, min_answers=2, target_confidence=0.95)
    taken = []
    for answers, _ in data:
        count = 2
        while spans.should_ask_more(answers[:count], labels=LABELS, rule=rule, workers=workers).ask:
            count += 1
        taken.append(count)
    mean = sum(taken) / len(taken)

    def reached(counts):
        return f1([found(consensus(*a[:n], workers=workers)) for (a, _), n in zip(data, counts, strict=True)], truth)

    dearer = int(mean) + 1
    assert mean < 4
    assert reached(taken) > reached([dearer] * len(data))


def test_one_more_answer_is_forecast_to_help_where_answers_differ():
    rule = Stopping(max_answers=9, min_answers=2, price=0.0)
    agreed = [answer(w, (10, 18)) for w in ("ann", "bob", "cy", "dee")]
    differing = [answer("ann", (10, 18)), answer("bob", (10, 20)), answer("cy", (10, 18)), answer("dee", (10, 20))]
    gains = [spans.should_ask_more(one, labels=LABELS, rule=rule).expected_gain for one in (agreed, differing)]
    assert 0 <= gains[0] < gains[1]


@pytest.mark.parametrize("row", [(-1, 4), (4, 4), (7, 3)])
def test_spans_that_hold_nothing_are_refused(row):
    with pytest.raises(ValueError, match="expected 0 <= start < end"):
        consensus(answer("ann", (1, 5)), answer("bob", row))
    with pytest.raises(ValueError, match="expected 0 <= start < end"):
        spans.fit_workers([ObjectAnswers((answer("ann"),), gold=(Span("person", *row),))], labels=LABELS)
