"""How long simulated jobs take: the number of people, their presence, and those who are missing at the end."""

import numpy as np
import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.forecast.crowds import People
from labeling.forecast.intervals import predicted_number, predicted_share
from labeling.forecast.learning import EarlierJob, WorkerTimes, learned
from labeling.forecast.timing import Demand, demands, timing
from labeling.simulation.votes import VoteSimulation
from labeling.task_types.base import AnswersToImage

DRAWS = 300
RNG = 7


def people(workers: int, *, seconds: float = 10.0, presence: float = 0.99) -> People:
    shape = (DRAWS, workers)
    return People(np.full(shape, seconds), np.full(shape, presence), np.zeros(shape, bool), 1.0)


def middle(crowd: People, objects: int, answers: float) -> tuple[float, float]:
    wanted = [Demand(objects, np.full(DRAWS, objects * answers))]
    duration, seconds = timing(crowd, wanted, np.random.default_rng(RNG))
    return float(np.median(duration)), float(np.median(seconds))


def test_people_who_never_leave_take_work_over_people():
    duration, seconds = middle(people(10), 1000, 5)
    assert 0.95 * 5000 < duration < 1.1 * 5000 and 9.5 < seconds < 10.5


def test_twice_the_people_take_half_as_long_and_half_the_presence_twice():
    alone, more, less = (middle(crowd, 4000, 2)[0] for crowd in (people(5), people(10), people(5, presence=0.5)))
    assert 1.8 < alone / more < 2.2 and 1.7 < less / alone < 2.3


def test_nobody_answers_an_object_twice_so_the_slowest_of_a_small_team_decides():
    crowd = people(3)
    crowd.seconds[:, 0] = 100.0
    assert middle(crowd, 100, 3)[0] > 9_000
    assert middle(crowd, 100, 2)[0] < 2_000


def test_objects_that_need_everybody_wait_for_everybody():
    """A tenth of the objects needs all five workers, one of whom is rarely there."""
    crowd = people(5)
    crowd.presence[:, 0] = 0.02
    counts = np.array([5.0] * 10 + [2.0] * 90)
    uneven, _ = timing(crowd, demands(counts, 100, np.full(DRAWS, counts.mean())), np.random.default_rng(RNG))
    even, _ = timing(crowd, demands(np.full(100, 2.0), 100, np.full(DRAWS, 2.3)), np.random.default_rng(RNG))
    assert np.median(uneven) > 3 * np.median(even)


def test_an_interval_is_of_the_real_number_of_objects_and_holds_nine_of_ten():
    """Jobs of 200 objects whose rate differs between jobs, forecast from 8 jobs of 50."""
    rng, inside = np.random.default_rng(RNG), []
    for _ in range(400):
        shares = rng.beta(45, 5, 9)
        seen = np.stack([rng.random((8, 50)) < shares[:8, None], np.ones((8, 50))], axis=2).astype(float)
        found = predicted_share(seen, 200, counted=True).interval()
        inside.append(found.low <= (rng.random(200) < shares[8]).mean() <= found.high)
    assert 0.86 <= np.mean(inside) <= 0.96


def test_figures_that_differ_by_nothing_have_an_interval_without_width_unless_things_are_counted():
    rows = np.ones((8, 50, 2))
    assert predicted_number(rows * [3.0, 1.0], 100, doubt=0.0).interval().high == pytest.approx(3.0)
    assert predicted_share(rows, 100, counted=False).interval().low == 1.0
    assert 0.9 < predicted_share(rows, 100, counted=True).interval().low < 1.0


def test_jobs_in_which_there_was_nothing_to_find_say_nothing_about_quality():
    rows = np.ones((8, 2, 2))
    rows[5:] = 0.0
    assert predicted_share(rows, 2, counted=False).interval().low == 1.0
    rows[1:] = 0.0
    unknown = predicted_share(rows, 2, counted=True).interval()
    assert unknown.low < 0.1 and unknown.high > 0.9


def earlier(answers: int = 300, *, objects: int = 100) -> EarlierJob:
    """Two workers with a known quality, at work half of the time."""
    simulation = VoteSimulation()
    rates, rng = simulation.presets["mixed"], np.random.default_rng(RNG)
    workers = simulation.workers(rates, rng, [False] * 3)
    made = simulation.objects(rates, rng, objects, ["a", "b"])
    seats = np.tile([0, 1, 2], (objects, 1))
    given = simulation.answers(rates, rng, workers, made, seats, ["a", "b"])
    images = [AnswersToImage(tuple(WorkerAnswer(f"w{n}", a) for n, a in enumerate(row)), (9, 9)) for row in given]
    models = task_types.get("ImageMultiClass").fit_workers(images, labels=["a", "b"])
    times = tuple(WorkerTimes(answers // 3, 6.0, answers * 4.0) for _ in range(3))
    return EarlierJob(models, times, objects, answers * 4.0)


def test_pace_and_presence_are_those_of_earlier_jobs():
    crowd = learned(VoteSimulation(), [earlier(), earlier()], ["a", "b"], workers=7)
    assert crowd is not None and crowd.workers == 7 and crowd.spammers == 0
    assert crowd.seconds == 6.0
    low, high = crowd.presence
    assert low < 0.5 < high
    assert 0 < crowd.seconds_doubt < 0.3


def test_a_job_with_one_answer_an_object_says_nothing_of_its_workers():
    assert learned(VoteSimulation(), [earlier(answers=100)], ["a", "b"], workers=7) is None
    assert learned(VoteSimulation(), [], ["a", "b"], workers=7) is None
