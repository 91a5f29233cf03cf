"""The suite every consolidator passes, whatever it consolidates."""

import importlib
import json
import pkgutil
import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labeling.consolidation
from labeling.consolidation.stopping import Stopping
from tests.labeling.consolidation.families import FAMILIES, LABELS, answers_of, as_bytes


@lru_cache
def _known(family):
    """Models fitted once: fitting in every example would be all the time the test takes."""
    return family.fit([answers_of(family, [("ann", "bee"), ("bob", "flower"), ("cy", "bee")])] * 3)


family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)

spoken = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cy", "dee", "eve", "fay"]), st.sampled_from([*LABELS, "ghost"])),
    max_size=9,
)


def test_the_suite_covers_every_consolidator() -> None:
    """A consolidator is a module with a version of its results."""
    names = [m.name for m in pkgutil.walk_packages(labeling.consolidation.__path__, "labeling.consolidation.")]
    modules = [importlib.import_module(name) for name in names]
    assert {f.module for f in FAMILIES.values()} == {module for module in modules if hasattr(module, "ALGORITHM")}


@family
def test_no_answers_give_no_label(family) -> None:
    result = family.consolidate([])
    assert family.labels_of(result) == []
    assert result.algorithm == family.module.ALGORITHM
    json.dumps(result.explanation)


@family
def test_one_worker_is_believed_and_named(family) -> None:
    result = family.consolidate([family.answer("ann", "bee")])
    assert family.labels_of(result) == ["bee"]
    assert '"worker": "ann"' in json.dumps(result.explanation)


@family
def test_the_majority_wins_and_the_outvoted_is_named(family) -> None:
    result = family.consolidate(answers_of(family, [("ann", "bee"), ("bob", "bee"), ("cy", "flower")]))
    assert family.labels_of(result) == ["bee"]
    text = json.dumps(result.explanation)
    assert '"outvoted": true' in text
    assert text.count('"outvoted": false') == 2


@family
def test_a_tie_is_broken_the_same_way_in_any_order(family) -> None:
    answers = answers_of(family, [("ann", "bee"), ("bob", "flower")])
    assert as_bytes(family.consolidate(answers)) == as_bytes(family.consolidate(answers[::-1]))


@family
def test_all_disagreeing_still_gives_a_label_with_little_confidence(family) -> None:
    answers = answers_of(family, [("ann", "bee"), ("bob", "flower")])
    result = family.consolidate(answers)
    confidence = [b.confidence for b in result.boxes] if hasattr(result, "boxes") else [result.confidence]
    assert max(confidence, default=0) <= 0.55


@family
def test_a_label_the_job_does_not_have_is_never_the_result(family) -> None:
    result = family.consolidate(answers_of(family, [("ann", "ghost"), ("bob", "ghost"), ("cy", "ghost")]))
    assert family.labels_of(result) == (["ghost"] if family.own_words else [])
    mixed = family.consolidate(answers_of(family, [("ann", "ghost"), ("bob", "ghost"), ("cy", "bee")]))
    assert family.labels_of(mixed) == ["bee"]


@family
def test_labels_that_repeat_are_refused(family, monkeypatch) -> None:
    monkeypatch.setattr("tests.labeling.consolidation.families.LABELS", ("bee", "bee"))
    with pytest.raises(ValueError, match="labels repeat"):
        family.consolidate([family.answer("ann", "bee")])


@family
def test_of_a_worker_answering_twice_the_last_revision_counts(family) -> None:
    first, second = family.answer("ann", "bee", 1), family.answer("ann", "flower", 2)
    assert family.labels_of(family.consolidate([first, second])) == ["flower"]
    assert as_bytes(family.consolidate([second, first])) == as_bytes(family.consolidate([second]))


@family
@settings(deadline=None, max_examples=40)
@given(spoken=spoken, seed=st.integers(0, 1000))
def test_the_order_of_answers_changes_no_byte(family, spoken, seed) -> None:
    answers = answers_of(family, spoken)
    shuffled = random.Random(seed).sample(answers, len(answers))
    for models in (None, _known(family)):
        assert as_bytes(family.consolidate(answers, models)) == as_bytes(family.consolidate(shuffled, models))


@family
def test_a_model_survives_json_and_is_the_same_whatever_the_order_of_answers(family) -> None:
    objects = [answers_of(family, [("ann", "bee"), ("bob", "bee"), ("cy", "flower")])] * 5
    turned = [answers[::-1] for answers in objects]
    text = json.dumps(family.fit(objects).to_json())
    assert text == json.dumps(family.fit(turned).to_json())
    again = family.load(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert as_bytes(family.consolidate(objects[0], again)) == as_bytes(
        family.consolidate(objects[0], family.fit(objects))
    )


def interval_of(family, answers, models=None) -> tuple[float, float]:
    """The interval of the confidence, which lies in it."""
    result = family.consolidate(answers, models)
    sure = [one.confidence for one in getattr(result, "boxes", ())] or [getattr(result, "confidence", None)]
    low, high = result.explanation["confidence_low"], result.explanation["confidence_high"]
    assert 0 <= low <= sum(sure) / len(sure) <= high <= 1
    return low, high


@family
def test_a_confidence_has_an_interval_around_it(family) -> None:
    disputed = answers_of(family, [("ann", "bee"), ("bob", "bee"), ("cy", "flower"), ("dee", "bee")])
    for objects in (0, 3, 60):
        interval_of(family, disputed, family.fit([disputed] * objects))


@family
def test_the_interval_is_narrower_where_more_people_agree(family) -> None:
    names = ("ann", "bob", "cy", "dee", "eve", "fay", "gil", "hal")
    agreed = answers_of(family, [(name, "bee") for name in names])
    (two_low, two_high), (low, high) = interval_of(family, agreed[:2]), interval_of(family, agreed)
    assert high - low < two_high - two_low


@family
def test_models_of_another_version_are_refused(family) -> None:
    with pytest.raises(ValueError, match="version"):
        family.load({"version": 99})


@family
def test_fitting_refuses_an_iterator_that_could_be_read_once_only(family) -> None:
    with pytest.raises(ValueError, match="several times"):
        family.module.fit_workers(iter([]), labels=LABELS)


@family
def test_fitting_nothing_gives_a_usable_model(family) -> None:
    models = family.fit([])
    assert family.labels_of(family.consolidate([family.answer("ann", "bee")], models)) == ["bee"]


@family
def test_asking_starts_at_the_least_and_ends_at_the_most(family) -> None:
    rule = Stopping(max_answers=4, min_answers=2, target_confidence=0.9)
    one = answers_of(family, [("ann", "bee")])
    four = answers_of(family, [("ann", "bee"), ("bob", "flower"), ("cy", "bee"), ("dee", "flower")])
    assert family.ask(one, rule).ask
    assert not family.ask(four, rule).ask
    assert family.ask(four[:3], rule).expected_loss > 0


@family
def test_agreement_stops_sooner_than_dispute(family) -> None:
    rule = Stopping(max_answers=9, min_answers=2, target_confidence=0.9)
    agreed = answers_of(family, [(name, "bee") for name in ("ann", "bob", "cy", "dee")])
    disputed = answers_of(family, [("ann", "bee"), ("bob", "flower"), ("cy", "bee"), ("dee", "flower")])
    assert not family.ask(agreed, rule).ask
    decision = family.ask(disputed, rule)
    assert decision.ask
    assert decision.expected_loss > family.ask(agreed, rule).expected_loss
    json.dumps(decision.to_json())


@family
def test_without_a_target_redundancy_is_fixed(family) -> None:
    agreed = answers_of(family, [(name, "bee") for name in ("ann", "bob", "cy", "dee")])
    assert family.ask(agreed, Stopping(max_answers=5)).ask
    assert not family.ask(agreed, Stopping(max_answers=4)).ask


@family
def test_a_price_above_what_an_answer_saves_stops(family) -> None:
    disputed = answers_of(family, [("ann", "bee"), ("bob", "flower"), ("cy", "bee")])
    assert family.ask(disputed, Stopping(max_answers=9, price=0.0)).ask
    assert not family.ask(disputed, Stopping(max_answers=9, price=5.0)).ask
