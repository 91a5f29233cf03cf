"""The suite that the simulation of every task type passes: its people err as they are said to, and can be learned."""

from dataclasses import replace

import numpy as np
import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.simulation.base import CAREFUL, CARELESS, PRESETS, SPAMMED
from labeling.task_types.base import AnswersToImage, TaskType

LABELS = ("bee", "wasp", "fly")
SIMULATED = [task_types.get(name) for name in task_types.names() if task_types.get(name).simulation]
# People who adjust are simulated as those who label from nothing.
OWN = [kind for kind in SIMULATED if not kind.adjusts]


@pytest.fixture(params=OWN, ids=[kind.name for kind in OWN])
def kind(request: pytest.FixtureRequest) -> TaskType:
    return request.param


def answered(kind: TaskType, rates, *, objects: int = 80, seats: int = 3, workers: int = 6, spammers: int = 0, seed=1):
    """(objects, their answers, which worker gave each) of one simulated crowd, of which the first ones spam."""
    rng = np.random.default_rng(seed)
    people = kind.simulation.workers(rates, rng, [number < spammers for number in range(workers)])
    made = kind.simulation.objects(rates, rng, objects, LABELS)
    who = np.array([rng.permutation(workers)[:seats] for _ in range(objects)])
    return made, kind.simulation.answers(rates, rng, people, made, who, LABELS), who


def share(kind: TaskType, made, answers) -> float:
    """The first figure of single answers taken as labels."""
    sums = kind.simulation.score([one.truth for one in made], [row[0] for row in answers]).sum(axis=0)
    return float(sums[0, 0] / sums[0, 1])


def test_every_type_that_people_can_be_paid_for_says_how_its_jobs_are_simulated():
    merging = [name for name in task_types.names() if task_types.get(name).merges]
    assert [kind.name for kind in SIMULATED] == merging
    assert all(type(kind.simulation) is type(kind.audited.simulation) for kind in SIMULATED if kind.adjusts)


def test_every_crowd_has_rates_that_can_be_described(kind):
    assert set(kind.simulation.presets) == set(PRESETS)
    for rates in kind.simulation.presets.values():
        said = kind.simulation.describe(rates)
        assert said[0].share and all(0 <= one.value <= (1 if one.share else np.inf) for one in said)
        assert kind.simulation.things(rates) >= 1


def test_answers_can_be_submitted_and_consolidated(kind):
    """What simulated people say is what the type reads from real ones."""
    made, answers, who = answered(kind, kind.simulation.presets[CAREFUL])
    assert len(answers) == len(made) and all(len(row) == 3 for row in answers)
    for one, row in zip(made, answers, strict=True):
        for answer in row:
            content = kind.write_answer(answer, size=one.size)
            assert kind.read_answer(content, labels=LABELS, size=one.size) == answer
    seen = [
        AnswersToImage(tuple(WorkerAnswer(f"w{w}", a) for w, a in zip(ws, row, strict=True)), one.size)
        for one, row, ws in zip(made, answers, who.tolist(), strict=True)
    ]
    assert len(kind.consolidate_many(seen, labels=LABELS, workers=kind.load_workers(None))) == len(made)


def test_the_truth_scores_one_and_no_label_scores_nothing(kind):
    made, _, _ = answered(kind, kind.simulation.presets[CAREFUL])
    truth = [one.truth for one in made]
    best = kind.simulation.score(truth, truth).sum(axis=0)
    assert best.shape == (len(kind.simulation.figures), 2)
    assert np.allclose(best[:, 0], best[:, 1])
    nothing = kind.simulation.score(truth, [None] * len(truth)).sum(axis=0)
    assert nothing[0, 0] == 0 and nothing[0, 1] > 0


def test_careful_people_are_right_more_often_than_careless_ones_and_spammers_least(kind):
    presets = kind.simulation.presets
    careful, careless = (share(kind, *answered(kind, presets[name])[:2]) for name in (CAREFUL, CARELESS))
    spam = share(kind, *answered(kind, presets[CAREFUL], spammers=6)[:2])
    assert careful > careless + 0.05 > spam


def test_the_same_seed_gives_the_same_answers(kind):
    rates = kind.simulation.presets[SPAMMED]
    assert answered(kind, rates)[:2] == answered(kind, rates)[:2]
    assert answered(kind, rates)[1] != answered(kind, rates, seed=2)[1]


def test_a_crowd_varies_around_its_rates_and_not_without_doubt(kind):
    rates = kind.simulation.presets[CARELESS]
    rng = np.random.default_rng(3)
    meant = kind.simulation.describe(rates)[0].value
    varied = [kind.simulation.describe(kind.simulation.vary(rates, rng))[0].value for _ in range(200)]
    assert abs(np.mean(varied) - meant) < 0.03 < np.std(varied) < 0.1
    certain = kind.simulation.vary(replace(rates, doubt=0.0), rng)
    assert kind.simulation.describe(certain)[0].value == pytest.approx(meant)


def test_what_consolidation_learned_of_a_crowd_can_be_simulated(kind):
    """Two crowds of known quality, learned from their answers alone, keep their order and are near what they were."""
    learned = {}
    for name in (CAREFUL, CARELESS):
        made, answers, who = answered(kind, kind.simulation.presets[name], objects=150, seats=4, seed=5)
        seen = [
            AnswersToImage(tuple(WorkerAnswer(f"w{w}", a) for w, a in zip(ws, row, strict=True)), one.size)
            for one, row, ws in zip(made, answers, who.tolist(), strict=True)
        ]
        rates = kind.simulation.learn([kind.fit_workers(seen, labels=LABELS)], LABELS)
        assert rates is not None and len(rates.known) == 6
        assert share(kind, *answered(kind, rates, seed=6)[:2]) == pytest.approx(share(kind, made, answers), abs=0.12)
        learned[name] = kind.simulation.describe(rates)[0].value
    assert learned[CAREFUL] > learned[CARELESS]


def test_nothing_is_learned_from_too_little(kind):
    assert kind.simulation.learn([], LABELS) is None
    assert kind.simulation.learn([kind.load_workers(None)], LABELS) is None
