"""The form of a new tuning job, and the ranges in it. Bounds and rules are those of the services that check them."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from frontend.automation import EVERY_ARCHITECTURE
from labeling.models import Dataset
from labeling.services import scope
from learning import queries
from learning.models import HyperParameterTuningJob
from learning.services.tuning import config, creating, ranges
from marketplace import names
from marketplace.models import Account
from marketplace.ranges import Range

ROWS, SHOWN = 8, 4
"""Ranges that the form has room for, and shows at once; more are given over the API."""
MINUTE = 60
VALUES_LENGTH = Range(1, 2000)
FIXED_LENGTH = Range(1, 20_000)
FIRST = [
    {"name": "learning_rate", "type": ranges.CONTINUOUS, "low": 0.0001, "high": 0.1, "scaling": ranges.LOGARITHMIC},
    {"name": "weight_decay", "type": ranges.CONTINUOUS, "low": 0.00001, "high": 0.01, "scaling": ranges.LOGARITHMIC},
    {"name": "optimizer", "type": ranges.CATEGORICAL, "values": "sgd, adam, adamw"},
]
"""What the form proposes."""
STRATEGIES = {
    config.BAYESIAN: _("Bayesian: each training is chosen by what the earlier ones have shown"),
    config.RANDOM: _("Random: independent of each other"),
    config.GRID: _("Grid: every combination of values"),
    config.HYPERBAND: _("Hyperband: many short trainings, of which the best go on"),
}
WARM_STARTS = [
    ("", _("No")),
    (config.IDENTICAL, _("Yes, the same data and hyperparameters")),
    (config.TRANSFER, _("Yes, other data: try first what was best there")),
]


class TuningForm(forms.Form):
    """A new tuning job."""

    name = forms.RegexField(
        names.PATTERN,
        max_length=creating.NAME_LENGTH.longest,
        help_text=format_lazy(
            _("Letters, digits and inner hyphens, at most {longest}."), longest=creating.NAME_LENGTH.longest
        ),
        error_messages={"invalid": names.RULE},
        label=_("Name"),
    )
    dataset = forms.ModelChoiceField(Dataset.objects.none(), empty_label=None, label=_("Data set to train on"))
    validation = forms.ModelChoiceField(
        Dataset.objects.none(), required=False, empty_label=_("Set a part aside"), label=_("Data set to validate on")
    )
    architecture = forms.ChoiceField(
        choices=[("", _("As it is by default, or searched")), *((name, name) for name in EVERY_ARCHITECTURE)],
        required=False,
        label=_("Architecture"),
    )
    fixed = forms.CharField(
        max_length=FIXED_LENGTH.longest,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("Fixed hyperparameters"),
        help_text=_("One a line, such as: epochs = 20"),
    )
    strategy = forms.ChoiceField(choices=list(STRATEGIES.items()), label=_("Strategy"))
    metric = forms.CharField(
        max_length=config.METRIC_LENGTH.longest, initial="validation:mAP", label=_("Objective metric")
    )
    direction = forms.ChoiceField(choices=[(one, one) for one in config.DIRECTIONS], label=_("Aim"))
    max_jobs = forms.IntegerField(
        **config.JOBS.bounds,
        initial=config.DEFAULT_JOBS,
        required=False,
        label=_("Trainings at most"),
    )
    max_parallel_jobs = forms.IntegerField(
        **config.PARALLEL.bounds, initial=config.DEFAULT_PARALLEL, required=False, label=_("At the same time")
    )
    max_runtime_minutes = forms.IntegerField(
        **config.RUNTIME_SECONDS.in_units(MINUTE).bounds, required=False, label=_("Minutes at most")
    )
    early_stopping = forms.ChoiceField(
        choices=[
            (config.OFF, _("No")),
            (config.AUTO, _("Yes, a training that is worse than the median of the others after as many epochs")),
        ],
        required=False,
        label=_("Stop trainings early"),
    )
    target_objective_value = forms.FloatField(required=False, label=_("End when the objective reaches"))
    max_jobs_not_improving = forms.IntegerField(
        **config.NOT_IMPROVING.bounds, required=False, label=_("End after so many trainings without a better one")
    )
    complete_on_convergence = forms.BooleanField(required=False, label=_("End when nothing better is to be expected"))
    random_seed = forms.IntegerField(**config.SEED.bounds, required=False, label=_("Random seed"))
    min_resource = forms.IntegerField(**config.RESOURCE.bounds, required=False, label=_("Hyperband: epochs at least"))
    max_resource = forms.IntegerField(**config.RESOURCE.bounds, required=False, label=_("Hyperband: epochs at most"))
    warm_start = forms.ChoiceField(choices=WARM_STARTS, required=False, label=_("Learn from earlier tuning jobs"))
    parents = forms.ModelMultipleChoiceField(
        HyperParameterTuningJob.objects.none(),
        required=False,
        label=_("Earlier tuning jobs"),
        help_text=format_lazy(_("At most {longest}."), longest=config.PARENTS.longest),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        datasets = scope.datasets(account).filter(status="Completed").order_by("-id")
        earlier = queries.tunings(account).exclude(status__in=["InProgress", "Stopping"])
        for name, rows in (("dataset", datasets), ("validation", datasets), ("parents", earlier)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
            self.fields[name].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]

    def clean_fixed(self) -> dict[str, str]:
        """The lines as hyperparameters. Raises ValidationError naming a line that is none."""
        found: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["fixed"].splitlines(), start=1):
            name, equals, value = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not name or not equals or not value:
                raise forms.ValidationError(
                    gettext("Line {number}: {text!r} found, name = value expected.").format(
                        number=number, text=line.strip()[:60]
                    )
                )
            found[name] = value
        return found

    def options(self) -> dict[str, Any]:
        """The cleaned fields as tune_on_dataset takes them, without the ranges."""
        given = self.cleaned_data
        architecture = {"architecture": given["architecture"]} if given["architecture"] else {}
        minutes = given["max_runtime_minutes"]
        # What belongs to another strategy is not shown, and not read.
        hyperband = given["strategy"] == config.HYPERBAND
        resources = ("min_resource", "max_resource") if hyperband else ()
        options: dict[str, Any] = {
            "name": given["name"],
            "dataset": given["dataset"],
            "validation": given["validation"],
            "hyperparameters": {**architecture, **given["fixed"]},
            "strategy": given["strategy"],
            "objective": {"type": given["direction"], "metric_name": given["metric"]},
            "limits": {
                "max_jobs": None if given["strategy"] == config.GRID else given["max_jobs"],
                "max_parallel_jobs": given["max_parallel_jobs"],
                "max_runtime_seconds": minutes * MINUTE if minutes else None,
            },
            "early_stopping": config.OFF if hyperband else given["early_stopping"] or config.OFF,
            "completion": {
                name: given[name]
                for name in ("target_objective_value", "max_jobs_not_improving", "complete_on_convergence")
            },
            "hyperband": {name: given[name] for name in resources if given[name]},
            "random_seed": given["random_seed"],
        }
        if given["warm_start"]:
            options["warm_start"] = {"type": given["warm_start"], "parents": [one.name for one in given["parents"]]}
        return options


class RangeForm(forms.Form):
    """One searched hyperparameter; a row without a name is none."""

    name = forms.CharField(max_length=ranges.NAME_LENGTH.longest, required=False, label=_("Hyperparameter"))
    type = forms.ChoiceField(choices=[(one, one) for one in ranges.TYPES], required=False, label=_("Type"))
    low = forms.FloatField(required=False, label=pgettext_lazy("range", "From"))
    high = forms.FloatField(required=False, label=pgettext_lazy("range", "To"))
    scaling = forms.ChoiceField(choices=[(one, one) for one in ranges.SCALINGS], required=False, label=_("Scaling"))
    values = forms.CharField(
        max_length=VALUES_LENGTH.longest, required=False, help_text=_("With commas between them."), label=_("Values")
    )

    @property
    def when_numbers(self) -> str:
        """For which types both ends and the scaling are shown."""
        return f"{self.prefix}-type={ranges.CONTINUOUS} {ranges.INTEGER}"

    @property
    def when_values(self) -> str:
        """For which type the values are shown."""
        return f"{self.prefix}-type={ranges.CATEGORICAL}"

    def given(self) -> dict[str, Any]:
        """As ranges.read takes it."""
        found = self.cleaned_data
        row = {"name": found["name"], "type": found["type"]}
        if found["type"] == ranges.CATEGORICAL:
            return {**row, "values": [one.strip() for one in found["values"].split(",") if one.strip()]}
        return {
            **row,
            "min_value": found["low"],
            "max_value": found["high"],
            "scaling_type": found["scaling"] or ranges.AUTO,
        }


RangeRows = forms.formset_factory(RangeForm, extra=ROWS, max_num=ROWS, absolute_max=ROWS)
