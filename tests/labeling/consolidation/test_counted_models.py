"""A model that counts as one more answer about classes: what it proves, how it is learned, and that it does no harm."""

from dataclasses import replace

import numpy as np
import pytest

from labeling.consolidation.answers import ObjectAnswers, Proposal, WorkerAnswer
from labeling.consolidation.classes import proposals, tags, votes
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats.shapes import Vote

LABELS = ("bee", "wasp", "fly", "moth")
MOST = 5
RULE = Stopping(max_answers=MOST, min_answers=1, target_confidence=0.95)


def said(label, score=None, *, counts=True, model="model:m"):
    return Proposal(model, Vote((label,), None if score is None else (score,)), counts=counts)


def crowd(model_right, *, objects, counts, seed=3, scored=False, people=0.85):
    """Objects with five votes of people, the truth of each, and what a model says that is right so often."""
    rng = np.random.default_rng(seed)

    def given(truth, right):
        return truth if right else LABELS[(LABELS.index(truth) + rng.integers(1, len(LABELS))) % len(LABELS)]

    made = []
    for place in range(objects):
        truth = LABELS[rng.integers(len(LABELS))]
        right = rng.random() < model_right
        score = float(np.clip(rng.normal(0.9 if right else 0.5, 0.1), 0.05, 0.99)) if scored else None
        answers = tuple(
            WorkerAnswer(f"w{who}", given(truth, rng.random() < people)) for who in rng.permutation(12)[:MOST]
        )
        one = ObjectAnswers(answers, key=str(place), proposals=(said(given(truth, right), score, counts=counts),))
        made.append((one, truth))
    return made


def learned(model_right, **how):
    return votes.fit_workers([one for one, _ in crowd(model_right, objects=150, counts=False, **how)], labels=LABELS)


def outcome(data, workers):
    """How many people are asked on average, and how many labels are right."""
    asked, right = 0, 0
    for one, truth in data:
        for number in range(1, MOST + 1):
            some = one.answers[:number]
            if not votes.should_ask_more(some, labels=LABELS, rule=RULE, workers=workers, proposed=one.proposals).ask:
                break
        asked += number
        right += votes.consolidate(some, labels=LABELS, workers=workers, proposed=one.proposals).label == truth
    return asked / len(data), right / len(data)


def without(data):
    return [(replace(one, proposals=()), truth) for one, truth in data]


def test_a_good_model_saves_answers_and_labels_are_no_worse():
    workers = learned(0.92)
    data = crowd(0.92, objects=200, counts=True, seed=4)
    (asked, right), (asked_alone, right_alone) = outcome(data, workers), outcome(without(data), workers)
    assert asked < 0.8 * asked_alone
    assert right >= right_alone - 0.01


@pytest.mark.parametrize("right", [0.25, 0.0])
def test_a_model_that_guesses_or_is_wrong_does_no_harm(right):
    workers = learned(right)
    data = crowd(right, objects=200, counts=True, seed=5)
    (asked, share), (asked_alone, alone) = outcome(data, workers), outcome(without(data), workers)
    assert asked <= asked_alone + 0.15
    assert share >= alone - 0.01


def test_a_model_that_always_names_the_commonest_class_proves_nothing():
    data = [
        ObjectAnswers(tuple(WorkerAnswer(f"w{w}", label) for w in range(3)), proposals=(said("bee", counts=False),))
        for label in ["bee"] * 90 + ["wasp"] * 10
    ]
    workers = votes.fit_workers(data, labels=("bee", "wasp"))
    (word,) = proposals.words([said("bee")], ("bee", "wasp"), counted=True)
    assert abs(proposals.evidence(word, ("bee", "wasp"), workers)) < 0.4


def test_a_model_of_which_nothing_is_known_is_worth_less_than_a_person():
    first, second = WorkerAnswer("w0", "bee"), WorkerAnswer("w1", "bee")
    one, by_model, by_two = (
        votes.consolidate(answers, labels=LABELS, proposed=given).confidence
        for answers, given in (([first], ()), ([first], [said("bee", 0.99)]), ([first, second], ()))
    )
    assert one < by_model < by_two


def test_a_class_is_believed_by_the_score_and_by_the_class_itself():
    workers = learned(0.8, scored=True)
    sure, unsure = (
        votes.consolidate([WorkerAnswer("w0", "bee")], labels=LABELS, workers=workers, proposed=[said("bee", score)])
        for score in (0.95, 0.45)
    )
    assert sure.confidence > unsure.confidence
    # The model is right about bees, and calls every other insect a fly.
    data = [
        (replace(one, proposals=(said("bee" if truth == "bee" else "fly", counts=False),)), truth)
        for one, truth in crowd(1.0, objects=150, counts=False)
    ]
    workers = votes.fit_workers([one for one, _ in data], labels=LABELS)
    (bee,), (fly,) = (proposals.words([said(label)], LABELS, counted=True) for label in ("bee", "fly"))
    assert proposals.evidence(bee, LABELS, workers) > proposals.evidence(fly, LABELS, workers) + 1


def test_nothing_changes_without_a_model_that_counts():
    data = [one for one, _ in crowd(0.9, objects=60, counts=False)]
    plain = [replace(one, proposals=()) for one in data]
    with_model, without_one = (votes.fit_workers(some, labels=LABELS) for some in (data, plain))
    stored = with_model.to_json()
    assert set(stored.pop("proposers")) == {"model:m"}
    # People's skill is what it was: the model has no part in it.
    assert stored == without_one.to_json() and "proposers" not in without_one.to_json()
    assert [row.worker for row in votes.skill_rows(with_model, [])] == sorted(with_model.workers)
    for one in data[:5]:
        unseen = votes.consolidate(one.answers, labels=LABELS, workers=with_model, proposed=one.proposals)
        alone = votes.consolidate(one.answers, labels=LABELS, workers=without_one)
        assert unseen == alone and "proposed_by" not in unseen.explanation


def test_what_was_learned_of_a_model_is_read_back():
    workers = learned(0.9, scored=True)
    again = VoteWorkers.from_json(workers.to_json())
    assert again == workers and again.to_json() == workers.to_json()


def test_the_order_of_answers_and_of_objects_changes_nothing():
    data = [one for one, _ in crowd(0.9, objects=60, counts=False, scored=True)]
    turned = [replace(one, answers=one.answers[::-1]) for one in data[::-1]]
    one, other = (votes.fit_workers(some, labels=LABELS).to_json()["proposers"] for some in (data, turned))
    for label, row in one["model:m"].items():
        assert row == pytest.approx(other["model:m"][label], abs=1e-3)
    given = [said("bee", 0.7), said("wasp", 0.6, model="model:n")]
    answers = [WorkerAnswer("w0", "bee"), WorkerAnswer("w1", "fly")]
    assert votes.consolidate(answers, labels=LABELS, proposed=given) == votes.consolidate(
        answers[::-1], labels=LABELS, proposed=given[::-1]
    )


def test_numbers_of_answers_are_those_of_people_and_nobody_is_left_out():
    workers, given = learned(0.97), [said("bee")]
    rule = Stopping(max_answers=2, min_answers=1, target_confidence=0.6)
    nobody = votes.should_ask_more([], labels=LABELS, rule=rule, workers=workers, proposed=given)
    assert (nobody.ask, nobody.answers) == (True, 0)
    assert votes.consolidate([], labels=LABELS, workers=workers, proposed=given).label is None
    agreed = votes.should_ask_more(
        [WorkerAnswer("w0", "bee")], labels=LABELS, rule=rule, workers=workers, proposed=given
    )
    assert (agreed.ask, agreed.answers) == (False, 1)


def test_a_class_that_no_person_has_chosen_is_not_sure_enough_however_sure_the_model_is():
    workers = learned(0.97)
    rule = Stopping(max_answers=3, min_answers=1, target_confidence=0.6)
    asked = votes.should_ask_more(
        [WorkerAnswer("w0", "wasp")], labels=LABELS, rule=rule, workers=workers, proposed=[said("bee")]
    )
    assert asked.ask and asked.expected_loss > 0.8


def test_the_explanation_names_the_model_apart_from_people():
    workers = learned(0.9)
    found = votes.consolidate(
        [WorkerAnswer("w0", "bee")], labels=LABELS, workers=workers, proposed=[said("bee", 0.8), said("hornet")]
    )
    assert [row["worker"] for row in found.explanation["votes"]] == ["w0"]
    (row,) = found.explanation["proposed_by"]
    assert (row["worker"], row["label"], row["score"], row["outvoted"]) == ("model:m", "bee", 0.8, False)
    assert 0.7 < row["weight"] < 1


# --- several classes --------------------------------------------------------------------------------------------------


def tagged(model_right, *, objects, counts, seed=6):
    """Three people who judge each label rightly nine times in ten, and a model that does so often."""
    rng = np.random.default_rng(seed)

    def judged(truth, right):
        return frozenset(label for label in LABELS if (label in truth) == (rng.random() < right))

    made = []
    for place in range(objects):
        truth = frozenset(label for label in LABELS if rng.random() < 0.3)
        answers = tuple(WorkerAnswer(f"w{who}", judged(truth, 0.9)) for who in rng.permutation(8)[:3])
        named = judged(truth, model_right)
        vote = Vote(LABELS, tuple(0.8 if label in named else 0.2 for label in LABELS))
        made.append(
            (ObjectAnswers(answers, key=str(place), proposals=(Proposal("model:m", vote, counts=counts),)), truth)
        )
    return made


def both(labels, *, scores=None, counts=True):
    return [Proposal("model:m", Vote(labels, scores), counts=counts)]


def test_of_several_classes_the_model_answers_each_question():
    workers = tags.fit_workers([one for one, _ in tagged(0.95, objects=120, counts=False)], labels=LABELS)
    assert set(workers.proposers["model:m"]) == {"", "yes", "no"}
    answers = [WorkerAnswer("w0", frozenset(["bee"]))]
    alone, agreed, denied = (
        tags.consolidate(answers, labels=LABELS, workers=workers, proposed=given)
        for given in ([], both(("bee",)), both(("wasp",)))
    )
    chance = [one.explanation["chances"]["bee"] for one in (denied, alone, agreed)]
    assert chance == sorted(chance) and chance[0] < chance[2]
    assert agreed.explanation["proposed_by"][0]["labels"] == ["bee"]
    assert [row["worker"] for row in agreed.explanation["answers"]] == ["w0"]
    losses = [
        tags.should_ask_more(answers, labels=LABELS, rule=RULE, workers=workers, proposed=given).expected_loss
        for given in (both(("bee",)), [], both(("wasp",)))
    ]
    assert losses[0] < losses[1] < losses[2]


def test_a_class_that_only_a_bad_model_names_asks_nobody_anything():
    workers = tags.fit_workers([one for one, _ in tagged(0.5, objects=120, counts=False)], labels=LABELS)
    answers = [WorkerAnswer("w0", frozenset(["bee"])), WorkerAnswer("w1", frozenset(["bee"]))]
    alone, named = (
        tags.should_ask_more(answers, labels=LABELS, rule=RULE, workers=workers, proposed=given)
        for given in ([], both(("bee", "wasp", "fly", "moth")))
    )
    assert named.expected_loss == pytest.approx(alone.expected_loss, abs=0.02)
    found = tags.consolidate(answers, labels=LABELS, workers=workers, proposed=both(("bee", "wasp")))
    assert found.labels == ("bee",) and found.explanation["chances"]["wasp"] == 0.0


def test_several_classes_are_the_same_without_a_model_that_counts():
    data = [one for one, _ in tagged(0.9, objects=60, counts=False)]
    plain = [replace(one, proposals=()) for one in data]
    with_model, without_one = (tags.fit_workers(some, labels=LABELS).to_json() for some in (data, plain))
    assert with_model.pop("proposers") and with_model == without_one
    assert tags.consolidate([], labels=LABELS, proposed=both(("bee",))).labels == ()
