"""The search itself: Optuna's tables beside ours, trials that are asked for once and told of once."""

import random

import pytest
from django.db import connection

from learning.services.tuning import config, studies
from learning.services.tuning.studies import Earlier
from tests.learning.loop_stories import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
RATE = {"name": "learning_rate", "type": "Continuous", "min_value": "0.0001", "max_value": "0.1"}
BATCH = {"name": "batch_size", "type": "Integer", "min_value": 2, "max_value": 64}
MOMENTUM = {"name": "momentum", "type": "Continuous", "min_value": 0.0, "max_value": 0.999}
OPTIMIZER = {"name": "optimizer", "type": "Categorical", "values": ["sgd", "adam"]}
RANGES = [RATE, BATCH, MOMENTUM, OPTIMIZER]


def asked(strategy="Bayesian", searched=RANGES, **changes):
    objective = {"type": "Maximize", "metric_name": "validation:mAP"}
    return config.read(
        **{"strategy": strategy, "objective": objective, "searched": searched, "random_seed": 7} | changes
    )


def a_name():
    return f"study-{random.getrandbits(60)}"


def objective(values):
    return 1 - abs(float(values["learning_rate"]) - 0.01) - 0.1 * (values["optimizer"] == "sgd")


def test_its_tables_lie_in_a_schema_of_their_own_and_ours_are_untouched():
    def tables(schema):
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
            return {name for (name,) in cursor.fetchall()}

    before = tables("public")
    with studies.opened(name=a_name(), asked=asked()):
        pass
    assert {"studies", "trials", "trial_params", "alembic_version"} <= tables("optuna")
    assert tables("public") == before
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert "optuna" not in cursor.fetchone()[0]


def test_processes_that_come_first_together_make_the_tables_once():
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS optuna CASCADE")
    name = a_name()

    def first():
        studies._prepared.clear()
        with studies.opened(name=name, asked=asked()) as search:
            assert search.study.study_name == name

    in_threads(4, first)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM optuna.studies WHERE study_name = %s", [name])
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_values_lie_in_their_ranges_and_the_same_seed_gives_the_same_search(strategy):
    def searched():
        found = []
        with studies.opened(name=a_name(), asked=asked(strategy)) as search:
            for number in range(8):
                at, values = search.ask(known=set(range(number)))
                assert at == number
                search.tell(at, objective(values), whole=True)
                found.append(values)
        return found

    first = searched()
    assert searched() == first
    assert len({tuple(values.items()) for values in first}) == 8
    for values in first:
        assert 0.0001 <= float(values["learning_rate"]) <= 0.1
        assert 2 <= int(values["batch_size"]) <= 64
        assert values["optimizer"] in ("sgd", "adam")


def test_a_trial_that_was_asked_for_before_a_kill_is_given_again():
    with studies.opened(name=a_name(), asked=asked()) as search:
        first = search.ask(known=set())
        assert search.ask(known=set()) == first
        # One whose process was killed before it had all of its values gets the others now.
        half = search.study.ask()
        half.suggest_int("batch_size", 2, 64)
        number, values = search.ask(known={first[0]})
        assert number == half.number and values["batch_size"] == str(half.params["batch_size"])
        assert set(values) == {one["name"] for one in RANGES}
        assert search.ask(known={first[0], number})[0] not in (first[0], number)


def test_telling_twice_changes_nothing():
    with studies.opened(name=a_name(), asked=asked()) as search:
        number, _ = search.ask(known=set())
        search.tell(number, 0.5, whole=True)
        search.tell(number, None, whole=True)
        other, _ = search.ask(known={number})
        search.tell(other, None, whole=True)
        third, _ = search.ask(known={number, other})
        search.tell(third, 0.2, points=[(1.0, 0.1), (2.0, 0.2)], whole=False)
        trials = search.study.get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "PRUNED"]
    assert [trial.value for trial in trials] == [0.5, None, 0.2]


def test_a_grid_tries_every_combination_once():
    searched = [OPTIMIZER, {"name": "augmentation", "type": "Categorical", "values": ["none", "light", "strong"]}]
    given = asked("Grid", searched)
    assert given.max_jobs == 6
    found = []
    with studies.opened(name=a_name(), asked=given) as search:
        for number in range(6):
            at, values = search.ask(known=set(range(number)))
            # One that fails has been tried as well.
            search.tell(at, None if number == 2 else 0.5, whole=True)
            found.append(tuple(sorted(values.items())))
    assert len(set(found)) == 6


def test_a_reverse_logarithmic_range_looks_close_to_one():
    near = {**MOMENTUM, "max_value": "0.999", "scaling_type": "ReverseLogarithmic"}
    with studies.opened(name=a_name(), asked=asked("Random", [near])) as search:
        found = [float(search.ask(known=set(range(number)))[1]["momentum"]) for number in range(20)]
    assert all(0 <= value <= 0.999 for value in found)
    # Half of the logarithmic distance from 1 lies above 1 - sqrt(0.001).
    assert 5 <= sum(value > 1 - 0.001**0.5 for value in found) <= 15


def test_earlier_trainings_are_taken_over_once_where_they_fit():
    fitting = {"learning_rate": "0.01", "batch_size": "8", "momentum": "0.9", "optimizer": "adam"}
    earlier = [
        Earlier("a/1", fitting, 0.8),
        Earlier("a/2", fitting | {"learning_rate": "0.5"}, 0.9),
        Earlier("a/3", {"learning_rate": "0.01"}, 0.9),
        Earlier("a/4", fitting | {"optimizer": "sgd"}, None),
    ]
    with studies.opened(name=a_name(), asked=asked()) as search:
        for _ in range(2):
            search.learn(earlier)
        assert [(trial.state.name, trial.value) for trial in search.study.get_trials()] == [
            ("COMPLETE", 0.8),
            ("WAITING", None),
        ]
        # What is to be tried comes first.
        number, values = search.ask(known=set())
    assert (number, values) == (1, fitting | {"optimizer": "sgd"})


@pytest.mark.slow
def test_hyperband_gives_up_the_worse_ones_early():
    given = asked("Hyperband", hyperband={"min_resource": 1, "max_resource": 9})
    given_up = {}
    with studies.opened(name=a_name(), asked=given) as search:
        for number in range(12):
            at, _ = search.ask(known=set(range(number)))
            curve = [(float(epoch), number / 20 + 0.01 * epoch) for epoch in range(1, 10)]
            quality = -curve[0][1] if number % 2 else curve[0][1]
            points = []
            for epoch, _ in curve:
                points.append((epoch, quality))
                if search.is_hopeless(at, points):
                    given_up[number] = epoch
                    break
            search.tell(at, quality, points=points, whole=number not in given_up)
    assert given_up
    assert sum(number % 2 for number in given_up) > len(given_up) / 2


@pytest.mark.slow
def test_the_hyperparameter_that_matters_has_the_largest_share():
    with studies.opened(name=a_name(), asked=asked("Random", [RATE, BATCH])) as search:
        for number in range(12):
            assert search.importance() == {} or number >= 4
            at, values = search.ask(known=set(range(number)))
            search.tell(at, -abs(float(values["learning_rate"]) - 0.05), whole=True)
        shares = search.importance()
    assert shares["learning_rate"] > 0.6 and sum(shares.values()) == pytest.approx(1, abs=0.01)
