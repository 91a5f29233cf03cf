"""The forms and small pictures of pages about accuracy and conduct, shared by workers, accounts and operators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as word

from frontend import formats
from labeling.conduct.rules import RULES, Action
from labeling.models import ConductFinding
from labeling.services.conduct import acting, appeals, deciding, policies
from labeling.services.results.appeals import TEXT_LENGTH
from marketplace.models import Worker
from marketplace.services.reputation import Accuracy

TITLES = {key: rule.title for key, rule in RULES.items()} | {
    acting.BY_HAND: word("Closed by a person"),
    acting.COLLUSION: word("Two workers agree too much"),
}
"""The title of each kind of finding."""

DECISIONS = {
    deciding.STAND: word("Let it stand"),
    deciding.DISMISS: word("Take it back"),
    deciding.BAN: word("Ban the worker"),
}
WIDTH, HEIGHT, MARGIN = 640.0, 240.0, 36.0
"""Of the picture of accuracies, in its own units."""


class TextForm(forms.Form):
    """An appeal."""

    text = forms.CharField(max_length=TEXT_LENGTH.longest, widget=forms.Textarea(attrs={"rows": 3}))


class DecideForm(forms.Form):
    """What is decided about a finding, and the answer to its appeal where there is one."""

    decision = forms.ChoiceField(choices=list(DECISIONS.items()))
    text = forms.CharField(required=False, max_length=TEXT_LENGTH.longest)


class RuleForm(forms.Form):
    """What follows from a rule."""

    rule = forms.ChoiceField(choices=[(key, rule.title) for key, rule in RULES.items()])
    action = forms.ChoiceField(choices=[(one.value, one.value) for one in Action])
    minutes = forms.IntegerField(required=False, **policies.MINUTES.bounds)


class CloseForm(forms.Form):
    """The worker to whom a job is closed, and why."""

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    reason = forms.CharField(max_length=acting.REASON_LENGTH.longest)


def shown(rows: Iterable[ConductFinding]) -> list[dict[str, Any]]:
    """Findings as templates show them, with what may be done; needs the appeal loaded."""
    return [
        {
            "row": row,
            "title": gettext(TITLES.get(row.rule, row.rule)),
            "appeal": getattr(row, "appeal", None),
            "may_appeal": appeals.refusal(row) is None,
            "reads": row.action == Action.RETRAIN and row.state == "Active",
        }
        for row in rows
    ]


def rule_rows(chosen: Mapping[str, policies.Policy], *, operator: bool) -> list[dict[str, Any]]:
    """The rules with what follows from each and what may be chosen."""
    actions = list(Action) if operator else list(policies.OF_ACCOUNTS)
    return [{"policy": policy, "actions": actions} for policy in chosen.values()]


def picture(accuracies: Mapping[str, Accuracy], answers: Mapping[str, int]) -> dict[str, Any] | None:
    """Accuracy with its 90 % interval against answers, a point with an error bar for each worker: what the template of
    the picture draws. None where nothing is known of anybody."""
    known = {name: one for name, one in accuracies.items() if one.pieces}
    if not known:
        return None
    most = max(max(answers.get(name, 0) for name in known), 1)
    points = [
        {
            "name": name,
            "x": _across(answers.get(name, 0) / most),
            "y": _down(one.mean),
            "low": _down(one.low),
            "high": _down(one.high),
            "said": _point(name, one, answers.get(name, 0)),
        }
        for name, one in sorted(known.items())
    ]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "points": points,
        "lines": [
            {"y": _down(share), "said": formats.filled("{share:.0%}", share=share)}
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ],
        "ends": _ends(most),
        "left": MARGIN,
        "right": WIDTH - MARGIN,
        "bottom": HEIGHT - MARGIN,
    }


def _point(name: str, one: Accuracy, answers: int) -> str:
    text = ngettext(
        "{name}: {mean:.0%}, {low:.0%} to {high:.0%}, {answers} answer",
        "{name}: {mean:.0%}, {low:.0%} to {high:.0%}, {answers} answers",
        answers,
    )
    return formats.filled(text, name=name, mean=one.mean, low=one.low, high=one.high, answers=answers)


def _ends(most: int) -> Sequence[dict[str, Any]]:
    return [
        {"x": _across(0.0), "said": "0"},
        {"x": _across(1.0), "said": ngettext("{number} answer", "{number} answers", most).format(number=most)},
    ]


def _across(share: float) -> float:
    return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


def _down(share: float) -> float:
    return round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)
