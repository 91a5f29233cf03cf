"""The rules against spam and robots: what each looks at, from which threshold it speaks, and what follows by default.

Pure. A rule is one entry of RULES; adding one means writing a function and an entry. A rule looks at patterns over
several answers, never at one: a single quick or odd answer happens to everybody. None of them asks whether somebody
used a mouse: keys count as much as a pointer, so people who work by keyboard or with a script that turns keys into
clicks are not robots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma, log

import numpy as np

from labeling.conduct.observed import Conduct, SeenAnswer


class Action(StrEnum):
    """What follows from a finding, mildest first."""

    OFF = "Off"  # the rule is not asked
    NOTE = "Note"  # listed for the account and the operator; the worker is not told
    WARN = "Warn"  # the worker is told
    RETRAIN = "Retrain"  # no tasks of the job until the worker has read the instructions again
    PAUSE = "Pause"  # no tasks of the job for some minutes
    BLOCK = "Block"  # no tasks of the job any more
    BAN = "Ban"  # no work at all; only the operator can choose this


FAST_SHARE_OF_CROWD, FAST_SHARE_OF_EXPECTED, FAST_OF, FAST_AT_LEAST = 0.2, 0.1, 6, 5
DECLINES, DECLINES_OF = 14, 20
LOW_ACCURACY, LOW_PIECES = 0.5, 5
EMPTY_AT_LEAST, EMPTY_CHANCE = 6, 0.001
SAME_MARKS, SAME_OF, WHOLE_PICTURE = 3, 20, 0.9
NO_INPUT = 3
UNTRUSTED, UNTRUSTED_OF, UNTRUSTED_FOR_A_KEY = 3, 10, 3
UNIFORM_OF, UNIFORM_SPREAD = 15, 0.18
BALANCED_OF, BALANCED_CHANCE, BALANCED_OTHERS = 30, 0.001, 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: the reason in words for the worker, its numbers for whoever decides, the newest seat it is
    about."""

    reason: str
    numbers: dict[str, float]
    seat: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `states` says its thresholds in words; `robot`: it is about scripts, so two such rules together
    block."""

    key: str
    title: str
    states: str
    look: Callable[[Conduct, Sequence[SeenAnswer]], Found | None]
    action: Action
    minutes: int = 0
    robot: bool = False


def findings(conduct: Conduct, *, only: Sequence[str] | None = None) -> dict[str, Found]:
    """What the rules find, by key; `only` names the rules that are asked."""
    found = {}
    for rule in RULES.values():
        if only is not None and rule.key not in only:
            continue
        since = conduct.since.get(rule.key, 0)
        if (one := rule.look(conduct, [seen for seen in conduct.answers if seen.seat > since])) is not None:
            found[rule.key] = one
    return found


def decided(rule: Rule, action: Action, *, earlier: Sequence[str]) -> Action:
    """What follows when `action` is set for the rule and `earlier` are the keys of the rules that found something of
    the same worker in the same job: a rule that had to pause or retrain somebody twice blocks, and so do two about
    scripts."""
    if action not in (Action.WARN, Action.RETRAIN, Action.PAUSE):
        return action
    again = sum(key == rule.key for key in earlier) >= PATIENCE and action != Action.WARN
    scripts = rule.robot and any(key != rule.key and key in RULES and RULES[key].robot for key in earlier)
    return Action.BLOCK if again or scripts else action


PATIENCE = 1
"""How often a rule pauses or retrains before it blocks."""


# --- the rules ---------------------------------------------------------------------------------------------------


def too_fast(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Answers in less time than it takes to look."""
    # What a requester expects may be far off; what the others take is not.
    least = FAST_SHARE_OF_EXPECTED * conduct.expected_seconds
    if conduct.crowd_median is not None:
        least = max(least / 2, FAST_SHARE_OF_CROWD * conduct.crowd_median)
    newest = answers[-FAST_OF:]
    fast = [seen for seen in newest if seen.elapsed < least]
    if len(fast) < FAST_AT_LEAST:
        return None
    return Found(
        f"{len(fast)} of your last {len(newest)} answers took less than {least:.1f} seconds",
        {"fast": len(fast), "of": len(newest), "least_seconds": least},
        newest[-1].seat,
    )


def too_many_declines(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Picking tasks."""
    if conduct.seats < DECLINES_OF or conduct.declined < DECLINES or not answers:
        return None
    return Found(
        f"you declined {conduct.declined} of your last {conduct.seats} tasks",
        {"declined": conduct.declined, "of": conduct.seats},
        answers[-1].seat,
    )


def too_low(pieces: int, high: float) -> bool:
    """Whether so many pieces of evidence, and the upper end of the accuracy's interval, are those of low accuracy."""
    return pieces >= LOW_PIECES and high < LOW_ACCURACY


def low_accuracy(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Even at best, too often wrong."""
    if not too_low(conduct.accuracy_pieces, conduct.accuracy_high) or not answers:
        return None
    return Found(
        f"your answers agree too little with what these objects are: {conduct.accuracy_high:.0%} at the very best",
        {"accuracy_high": conduct.accuracy_high, "pieces": conduct.accuracy_pieces},
        answers[-1].seat,
    )


def never_a_mark(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Nothing drawn where others draw: the chance that these objects are all empty, by what others drew on them."""
    newest: list[SeenAnswer] = []
    for seen in reversed(answers):
        if seen.marks is None or seen.marks:
            break
        newest.append(seen)
    others = [number for seen in newest for _, number in seen.others]
    if len(newest) < EMPTY_AT_LEAST or not others:
        return None
    share = (sum(number == 0 for number in others) + 1) / (len(others) + 2)
    if share ** len(newest) >= EMPTY_CHANCE:
        return None
    return Found(
        f"your last {len(newest)} answers say that there is nothing, where others found something",
        {"empty": len(newest), "others_empty_share": share},
        newest[0].seat,
    )


def same_marks(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """The same boxes on different images, to the pixel. Boxes around nearly the whole image do not count."""
    newest = [seen for seen in answers[-SAME_OF:] if seen.marks and not _whole(seen)]
    counts = Counter(frozenset(seen.marks or ()) for seen in newest)
    most = max(counts.values(), default=0)
    if most < SAME_MARKS:
        return None
    return Found(
        f"{most} of your last answers are the same to the pixel, on different images", {"same": most}, newest[-1].seat
    )


def no_input(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Marks that appeared without a pointer or a key."""
    known = [seen for seen in answers if seen.activity is not None and seen.marks][-NO_INPUT:]
    if len(known) < NO_INPUT or any(seen.activity and (seen.activity.moves or seen.activity.keys) for seen in known):
        return None
    return Found(
        f"your last {len(known)} answers were drawn without pointer or keys", {"answers": len(known)}, known[-1].seat
    )


def untrusted_events(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Events that a script made, far beyond what keys that a person pressed can have caused."""
    known = [seen for seen in answers if seen.activity is not None][-UNTRUSTED_OF:]
    scripted = [seen for seen in known if seen.activity and _scripted(seen.activity.untrusted, seen.activity.trusted)]
    if len(scripted) < UNTRUSTED:
        return None
    return Found(
        f"{len(scripted)} of your last {len(known)} answers were entered by a script",
        {"scripted": len(scripted), "of": len(known)},
        scripted[-1].seat,
    )


def uniform_times(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Times as even as a timer's: people's times vary by half of their mean or more."""
    times = np.array([seen.elapsed for seen in answers[-UNIFORM_OF:]])
    if len(times) < UNIFORM_OF or times.mean() <= 0:
        return None
    spread = float(times.std(ddof=1) / times.mean())
    if spread >= UNIFORM_SPREAD:
        return None
    return Found(
        f"your last {len(times)} answers took the same time, to within {spread:.0%}",
        {"spread": spread, "answers": len(times), "mean_seconds": float(times.mean())},
        answers[-1].seat,
    )


def balanced_labels(conduct: Conduct, answers: Sequence[SeenAnswer]) -> Found | None:
    """Every class equally often, more evenly than chance allows, where the others' answers to the same tasks are
    not."""
    chosen = [seen for seen in answers if seen.marks is None and len(seen.classes) == 1 and seen.others]
    if len(chosen) < BALANCED_OF or len(conduct.labels) < 2:
        return None
    own = _evenness([seen.classes for seen in chosen], conduct.labels)
    others = _evenness([seen.others[0][0] for seen in chosen], conduct.labels)
    if own >= BALANCED_CHANCE or others < BALANCED_OTHERS:
        return None
    return Found(
        f"your last {len(chosen)} answers name every class equally often, which these objects do not",
        {"chance": own, "chance_of_others": others, "answers": len(chosen)},
        chosen[-1].seat,
    )


def _whole(seen: SeenAnswer) -> bool:
    area = seen.size[0] * seen.size[1]
    return all(width * height >= WHOLE_PICTURE * area for _, _, _, width, height in seen.marks or ())


def _scripted(untrusted: int, trusted: int) -> bool:
    # A script that turns a key into clicks makes a few untrusted events for each trusted one.
    return untrusted > UNTRUSTED_FOR_A_KEY * trusted


def _evenness(choices: Sequence[frozenset[str]], labels: Sequence[str]) -> float:
    """The chance that equally likely classes are as even as these: 1 unless every stretch of some length has each class
    equally often. Corrected for the number of lengths and places that are tried.
    """
    named, kinds = [next(iter(one)) for one in choices], len(labels)
    lengths = range(kinds, len(named) // 2 + 1, kinds)
    tried, least = sum(lengths), 1.0
    for length in lengths:
        one = exp(lgamma(length + 1) - kinds * lgamma(length // kinds + 1) - length * log(kinds))
        for start in range(length):
            stretches = [named[at : at + length] for at in range(start, len(named) - length + 1, length)]
            if all([*Counter(stretch).values()] == kinds * [length // kinds] for stretch in stretches):
                least = min(least, tried * one ** len(stretches))
    return least


RULES = {
    rule.key: rule
    for rule in (
        Rule(
            "too-fast",
            "Too fast",
            f"{FAST_AT_LEAST} of the last {FAST_OF} answers below {FAST_SHARE_OF_CROWD:.0%} of the others' median "
            f"seconds, or {FAST_SHARE_OF_EXPECTED:.0%} of the expected ones while few others have answered",
            too_fast,
            Action.PAUSE,
            10,
            robot=True,
        ),
        Rule(
            "declines",
            "Many tasks declined",
            f"{DECLINES} of the last {DECLINES_OF} tasks declined",
            too_many_declines,
            Action.WARN,
        ),
        Rule(
            "low-accuracy",
            "Low accuracy",
            f"the upper end of the accuracy's 90 % interval below {LOW_ACCURACY:.0%}, "
            f"once there are {LOW_PIECES} pieces of evidence",
            low_accuracy,
            Action.BLOCK,
        ),
        Rule(
            "never-a-mark",
            "Nothing drawn",
            f"the last {EMPTY_AT_LEAST} answers or more empty, with a chance below {EMPTY_CHANCE} by what others drew",
            never_a_mark,
            Action.BLOCK,
        ),
        Rule(
            "same-marks",
            "The same boxes",
            f"{SAME_MARKS} of the last {SAME_OF} answers the same to the pixel, boxes around {WHOLE_PICTURE:.0%} of "
            "the image left out",
            same_marks,
            Action.BLOCK,
            robot=True,
        ),
        Rule(
            "no-input",
            "Drawn without input",
            f"{NO_INPUT} answers in a row with marks and neither pointer movements nor keys",
            no_input,
            Action.BLOCK,
            robot=True,
        ),
        Rule(
            "untrusted-events",
            "Entered by a script",
            f"{UNTRUSTED} of the last {UNTRUSTED_OF} answers with more than {UNTRUSTED_FOR_A_KEY} events by scripts "
            "for each by the person",
            untrusted_events,
            Action.BLOCK,
            robot=True,
        ),
        Rule(
            "uniform-times",
            "Times too even",
            f"the last {UNIFORM_OF} answers' seconds spread by less than {UNIFORM_SPREAD:.0%} of their mean",
            uniform_times,
            Action.RETRAIN,
            robot=True,
        ),
        Rule(
            "balanced-labels",
            "Classes too balanced",
            f"{BALANCED_OF} answers or more of which every stretch has each class equally often, with a chance below "
            f"{BALANCED_CHANCE}, where the others' answers to the same tasks do not",
            balanced_labels,
            Action.RETRAIN,
            robot=True,
        ),
    )
}
"""Every rule by its key, in the order in which they are asked."""
