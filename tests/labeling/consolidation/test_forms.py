"""Fields of forms: which kind each is, and how numbers, rankings, choices and texts are merged."""

import numpy as np
import pytest

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.fields import consolidator as forms
from labeling.consolidation.fields import numbers, ranking
from labeling.consolidation.fields.leaves import leaves, name_of, written
from labeling.consolidation.fields.models import FormWorkers
from labeling.consolidation.stopping import Stopping

ANN = {
    "kind": {"label": "bee"},
    "count": {"value": 3},
    "legs": 6,
    "flies": {"on": True},
    "sure": {"yes": True, "no": False, "perhaps": False},
    "colours": {"labels": ["yellow", "black"]},
    "order": {"ordinalRankingDimensions": [{"name": "beauty", "allowTie": True, "responseRankings": [1, 3, 2]}]},
    "why": "It has stripes,\nand it buzzes.",
    "box": {"boundingBoxes": [{"left": 1}], "inputImageProperties": {"width": 9}},
    "note": None,
}


def said(*contents):
    return tuple(WorkerAnswer(name, content) for name, content in zip("abcdefg", contents, strict=False))


def test_every_field_has_a_kind_and_is_written_back_as_it_stood():
    found = {name_of(path): leaf.kind for path, leaf in leaves(ANN).items()}
    assert found == {
        "kind": "choice",
        "count.value": "number",
        "legs": "number",
        "flies.on": "flag",
        "sure": "choice",
        "colours": "labels",
        "order.beauty": "ranking",
        "why": "text",
        "box": "apart",
        "note": "apart",
    }
    again = written(leaves(ANN))
    assert again.pop("order") == {"ordinalRankingDimensions": [{"name": "beauty", "responseRankings": [1, 3, 2]}]}
    assert again.pop("colours") == {"labels": ["black", "yellow"]}
    assert again == {name: value for name, value in ANN.items() if name not in ("order", "colours")}


def test_the_merged_form_is_an_answer_of_the_same_form():
    bob = {
        **ANN,
        "kind": {"label": "wasp"},
        "count": {"value": 4},
        "sure": {"yes": True, "no": False, "perhaps": False},
    }
    cy = {**ANN, "count": {"value": 400}, "flies": {"on": False}, "why": "No idea at all, really,\nnone."}
    result = forms.consolidate(said(ANN, bob, cy), labels=[])
    expected = {name: value for name, value in written(leaves(ANN)).items() if name not in ("box", "note")}
    assert result.content == expected | {"count": {"value": 4}}
    fields = result.explanation["fields"]
    assert fields["box"]["left_out"] == "not merged"
    assert [one["worker"] for one in fields["kind"]["workers"] if one["outvoted"]] == ["b"]
    assert fields["count.value"]["low"] < 3.6 < fields["count.value"]["high"]
    assert 0 < result.confidence <= min(result.confidences[name] for name in ("kind", "flies.on", "colours"))


def test_a_field_that_few_gave_is_left_out_and_one_of_another_kind_does_not_count():
    result = forms.consolidate(said({"a": "x", "b": 1}, {"a": "x"}, {"a": 5}), labels=[])
    assert result.content == {"a": "x"}
    assert result.explanation["fields"]["b"]["left_out"] == "given by less than half of the workers"
    assert result.explanation["fields"]["a"]["given_by"] == 2


def test_values_among_the_jobs_labels_set_other_values_aside():
    answers = said({"kind": {"label": "ghost"}}, {"kind": {"label": "ghost"}}, {"kind": {"label": "bee"}})
    assert forms.consolidate(answers, labels=["bee", "wasp"]).content == {"kind": {"label": "bee"}}


def test_a_worker_who_is_mostly_wrong_loses_against_one_who_is_mostly_right():
    rows = []
    for number in range(40):
        right, wrong = ("bee", "wasp") if number % 2 else ("wasp", "bee")
        one, other = (wrong if (number + seat) % 5 < 2 else right for seat in (0, 2))
        rows.append(ObjectAnswers(said(*({"kind": word} for word in (right, right, one, other)))))
    models = forms.fit_workers(rows, labels=[])
    result = forms.consolidate(said({"kind": "bee"}, {}, {"kind": "wasp"}), labels=[], workers=models)
    assert result.content == {"kind": "bee"}
    skills = {row.worker: row.found / row.chances for row in forms.skill_rows(models, [])}
    assert skills["a"] > 0.8 > skills["d"]


def test_many_different_short_texts_are_free_text():
    rows = [ObjectAnswers(said({"name": f"thing {n}"}, {"name": f"thing {n}!"})) for n in range(60)]
    models = forms.fit_workers(rows, labels=[])
    result = forms.consolidate(
        said({"name": "a red car"}, {"name": "red car"}, {"name": "tree"}), labels=[], workers=models
    )
    assert result.explanation["fields"]["name"]["kind"] == "text"
    assert result.content["name"] in ("a red car", "red car") and result.confidence is None
    rule = Stopping(max_answers=5, target_confidence=0.9)
    assert forms.should_ask_more(
        said({"name": "a"}, {"name": "a"}, {"name": "a"}), labels=[], rule=rule, workers=models
    ).ask


def test_what_jobs_stored_before_forms_were_merged_is_nothing_known():
    assert FormWorkers.from_json({}).fields == {}


# --- numbers


def a_crowd(slips, seed=1, objects=200):
    random = np.random.default_rng(seed)
    truth, bias, spread = random.normal(50, 20, objects), random.normal(0, 4, 12), random.lognormal(0, 0.5, 12) * 3
    rows = []
    for true in truth:
        who = random.permutation(12)[:4]
        values = true + bias[who] + spread[who] * random.normal(size=4)
        values = np.where(random.random(4) < slips, random.uniform(0, 1000, 4), values)
        rows.append(ObjectAnswers(tuple(WorkerAnswer(f"w{w:02d}", float(x)) for w, x in zip(who, values, strict=True))))
    return rows, truth


@pytest.mark.parametrize("slips", [0.0, 0.05])
def test_numbers_know_bias_and_spread_and_are_not_moved_by_slips(slips):
    rows, truth = a_crowd(slips)
    models = numbers.fit_workers(rows)
    found = [numbers.consolidate(one.answers, workers=models) for one in rows]
    ours = np.sqrt(np.mean((np.array([one.value for one in found]) - truth) ** 2))
    mean, median = (
        np.sqrt(np.mean((np.array([how([a.value for a in one.answers]) for one in rows]) - truth) ** 2))
        for how in (np.mean, np.median)
    )
    assert ours < min(mean, median)
    inside = np.mean([one.low <= true <= one.high for one, true in zip(found, truth, strict=True)])
    assert 0.85 < inside <= 1
    again = numbers.NumberWorkers.from_json(models.to_json())
    assert numbers.consolidate(rows[0].answers, workers=again).value == pytest.approx(found[0].value, abs=1e-4)


def test_golds_show_a_bias_that_all_share():
    rows, truth = a_crowd(0.0)
    shifted = [
        ObjectAnswers(
            tuple(WorkerAnswer(a.worker, a.value + 30) for a in one.answers), gold=float(true) if n < 60 else None
        )
        for n, (one, true) in enumerate(zip(rows, truth, strict=True))
    ]
    models = numbers.fit_workers(shifted)
    off = [
        numbers.consolidate(one.answers, workers=models).value - true for one, true in zip(shifted, truth, strict=True)
    ]
    assert abs(np.mean(off[60:])) < 6


def test_numbers_at_their_limits():
    assert numbers.consolidate([]).value is None
    one = numbers.consolidate([WorkerAnswer("a", 7.0)])
    assert (one.value, one.low, one.high) == (7, 7, 7) and one.confidence == 0.5
    same = numbers.consolidate([WorkerAnswer(name, 7.0) for name in "abcd"])
    assert same.value == 7 and same.confidence == 0.8
    with pytest.raises(ValueError, match="not finite"):
        numbers.consolidate([WorkerAnswer("a", float("nan"))])
    with pytest.raises(ValueError, match="several times"):
        numbers.fit_workers(iter([]))


# --- rankings


def test_guessing_workers_count_less_in_a_ranking():
    random = np.random.default_rng(2)
    rows, truth = [], []
    for _ in range(80):
        true = random.normal(size=4)
        truth.append(tuple(int(n) for n in (-true).argsort().argsort() + 1))
        answers = []
        for who in random.permutation(10)[:5]:
            seen = (2.0 if who < 6 else 0.0) * true + random.normal(size=4)
            answers.append(WorkerAnswer(f"w{who}", tuple(int(n) for n in (-seen).argsort().argsort() + 1)))
        rows.append(ObjectAnswers(tuple(answers)))
    models = ranking.fit_workers(rows)
    assert min(models.accuracy(f"w{n}") for n in range(6)) > max(models.accuracy(f"w{n}") for n in range(6, 10))

    def share(workers):
        found = [ranking.consolidate(one.answers, workers=workers).ranks for one in rows]
        counts = [ranking.agreement_counts(mine, true) for mine, true in zip(found, truth, strict=True)]
        return sum(agreed for agreed, _ in counts) / sum(pairs for _, pairs in counts)

    assert share(models) > share(None) + 0.03


def test_rankings_with_ties_and_of_another_number_of_things():
    tied = ranking.consolidate([WorkerAnswer("a", (1, 1, 3)), WorkerAnswer("b", (1, 1, 3)), WorkerAnswer("c", (1, 2))])
    assert tied.ranks == (1, 1, 3) and tied.left_out == ("c",)
    assert ranking.consolidate([]).ranks is None
    sure = ranking.consolidate([WorkerAnswer(name, (2, 1, 3)) for name in "abcde"])
    split = ranking.consolidate([WorkerAnswer("a", (2, 1, 3)), WorkerAnswer("b", (3, 2, 1))])
    assert sure.ranks == (2, 1, 3) and sure.confidence > 0.95 > split.confidence
