"""Quality control on against off: honest, sloppy, spamming and scripted workers on the truth of `bccd`.

22 people do a job of three answers an image together: 12 honest, 4 sloppy, 4 who spam (random boxes, never a box, the
same boxes, one big box) and 2 scripts (an auto-submit script in the page with even times and events nobody caused, and
a program on the API that sends random boxes after half a second). Time runs event by event. With quality control on
the rules of labeling/conduct/rules.py are asked after each answer, with their default actions, and agreement with the
label enters each worker's posterior (marketplace/posterior.py) as it does in a job. Off: nobody is looked at. Consensus
weighs workers in both. What the services do around the rules is shown by tests/labeling/test_conduct.py.

`worst_answers_to_catch` is the most answers that any spammer or script of any seed gave until the job was closed to
them; `honest_banned` counts honest workers to whom it was closed; `f1_gain` is the F1 of the labels with quality
control less that without; `wasted_money_share` the share of the pay that went to spammers and scripts. Without a review
answers are paid when they are handed in and stay; `reviewed_...` are the figures where a review holds pay, so that
answers of those who are caught are withdrawn and asked again. With --golds, a share of the tasks has a known label.

    python -m benchmarks.crowd_quality [--seeds 20] [--images 200] [--golds 0.0] [--processes 1] [--show]
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.crowd_quality_job import Outcome, play
from benchmarks.report import machine, report

HONEST, SLOPPY, SPAM, SCRIPT = "honest", "sloppy", "spam", "script"


def one(seed: int, *, images: int, golds: float) -> dict[str, Outcome]:
    """The same crowd and images without quality control, with it, and with it where a review holds pay."""
    return {
        "off": play(seed, images=images, golds=0.0, control=False, review=False),
        "on": play(seed, images=images, golds=golds, control=True, review=False),
        "reviewed": play(seed, images=images, golds=golds, control=True, review=True),
    }


def figures_of(rows: list[dict[str, Outcome]]) -> dict[str, float]:
    """Over all seeds."""
    controlled = [row[how] for row in rows for how in ("on", "reviewed")]
    until = [one for outcome in controlled for one in outcome.until_caught]
    bad = [answers for kind, answers in until if kind in (SPAM, SCRIPT)]
    closed = [kind for kind, answers in until if answers is not None]
    off = float(np.mean([row["off"].f1 for row in rows]))
    return {
        "worst_answers_to_catch": max((answers or 10**6) for answers in bad),
        "mean_answers_to_catch": float(np.mean([answers or 10**6 for answers in bad])),
        "never_caught": sum(answers is None for answers in bad),
        "honest_banned": sum(kind == HONEST for kind in closed),
        "sloppy_closed": sum(kind == SLOPPY for kind in closed),
        "honest_warned": sum(outcome.honest_findings for outcome in controlled),
        "f1_off": off,
        "f1_on": float(np.mean([row["on"].f1 for row in rows])),
        "f1_gain": float(np.mean([row["on"].f1 for row in rows])) - off,
        "reviewed_f1_gain": float(np.mean([row["reviewed"].f1 for row in rows])) - off,
        "wasted_money_share": float(np.mean([row["on"].wasted for row in rows])),
        "wasted_money_share_off": float(np.mean([row["off"].wasted for row in rows])),
        "reviewed_wasted_money_share": float(np.mean([row["reviewed"].wasted for row in rows])),
        "seeds": len(rows),
    }


def main() -> None:
    """Play every seed and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--images", type=int, default=200)
    arguments.add_argument("--golds", type=float, default=0.0, help="share of the tasks whose label is known")
    arguments.add_argument("--processes", type=int, default=1)
    arguments.add_argument("--show", action="store_true", help="print a line for each seed")
    options = arguments.parse_args()
    before, rows = machine(), []
    with ProcessPoolExecutor(options.processes) as pool:
        for row in pool.map(partial(one, images=options.images, golds=options.golds), range(options.seeds)):
            rows.append(row)
            if options.show:
                show(row)
    report("crowd_quality", figures_of(rows), on=before)


def show(row: dict[str, Any]) -> None:
    """One line for each way of playing a seed."""
    for how, outcome in row.items():
        print(how, f"F1 {outcome.f1:.3f}, wasted {outcome.wasted:.3f}", *map(str, outcome.log), flush=True)


if __name__ == "__main__":
    main()
