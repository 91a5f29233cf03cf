"""The forms of endpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import RefusableForm
from learning import queries
from learning.services.hosting import asking, hosting, invoke, strategies
from marketplace import names, strict
from marketplace.errors import DomainError
from marketplace.models import Account

BYTES = invoke.MAX_BODY_BYTES
MOST: Any = {"max_num": hosting.VARIANTS.longest, "absolute_max": hosting.VARIANTS.longest}
SHOWN = 2
"""Rows for variants that are not folded away, if no more are filled in."""


class EndpointForm(RefusableForm):
    """A new endpoint; what it serves are the rows beside it."""

    name = forms.RegexField(names.PATTERN, max_length=names.LENGTH.longest, label=_("Name"), help_text=names.RULE)
    capture_percent = forms.IntegerField(
        label=_("Requests to keep, in percent"),
        initial=0,
        help_text=_("A sample of pictures and answers, kept in the account's store as JSON Lines."),
        **hosting.CAPTURE_PERCENT.bounds,
    )


class VariantForm(RefusableForm):
    """One model that is served, and its part of the requests; a row without a model is none."""

    model = forms.ChoiceField(label=_("Model"), required=False)
    name = forms.RegexField(
        names.PATTERN,
        max_length=names.LENGTH.longest,
        required=False,
        label=_("Variant"),
        help_text=_("Left empty: the model's name."),
    )
    weight = forms.FloatField(label=_("Weight"), initial=1, **hosting.WEIGHT.bounds)
    instance_count = forms.IntegerField(label=_("Instances"), initial=1, **hosting.INSTANCES.bounds)


class _VariantRows(forms.BaseFormSet):  # type: ignore[type-arg]
    def __init__(self, data: Any, *, account: Account, filled: Sequence[Mapping[str, Any]]):
        """`filled`: the rows that are proposed; one without a model gets the newest one."""
        found = list(queries.models(account).values_list("name", flat=True))
        self._choices = [("", gettext("None")), *((name, name) for name in found)]
        newest = found[0] if found else ""
        weights = ({"weight": f"{row['weight']:g}"} if "weight" in row else {} for row in filled)
        initial = [
            {**row, "model": row["model"] or newest, **weight} for row, weight in zip(filled, weights, strict=True)
        ]
        # A row that was sent as it was proposed is meant too, so a form that was sent knows no proposals.
        super().__init__(data, prefix="variant", initial=None if data else initial)

    def add_fields(self, form: VariantForm, index: int | None) -> None:
        """With the models that there are, which are looked up once for all rows."""
        super().add_fields(form, index)
        form.fields["model"].choices = self._choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Refuses rows of which none has a model."""
        if not any(form.cleaned_data.get("model") for form in self.forms if form.is_valid()):
            raise forms.ValidationError(gettext("Choose at least one model."))

    def parts(self) -> dict[str, list[forms.Form]]:
        """The rows for a page: `shown` the filled ones and one more, `folded` the others."""
        rows = list(self)
        filled = max((place for place, row in enumerate(rows, start=2) if row["model"].value()), default=0)
        return {"shown": rows[: max(SHOWN, filled)], "folded": rows[max(SHOWN, filled) :]}

    def given(self) -> list[dict[str, Any]]:
        """The rows with a model, as hosting.named takes them."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("model")]


VariantRows = forms.formset_factory(VariantForm, formset=_VariantRows, extra=hosting.VARIANTS.longest, **MOST)


class StrategyForm(RefusableForm):
    """How requests go over to something else."""

    type = forms.ChoiceField(
        label=_("Traffic"),
        choices=[
            (strategies.ALL_AT_ONCE, _("All at once")),
            (strategies.CANARY, _("A few first (canary)")),
            (strategies.LINEAR, _("In equal steps (linear)")),
        ],
    )
    step_percent = forms.IntegerField(
        label=_("Step, in percent"), initial=strategies.DEFAULT["step_percent"], **strategies.STEP_PERCENT.bounds
    )
    bake_seconds = forms.IntegerField(
        label=_("Watch each step for, in seconds"),
        initial=strategies.DEFAULT["bake_seconds"],
        **strategies.BAKE_SECONDS.bounds,
    )
    max_error_percent = forms.FloatField(
        label=_("Roll back above this share of errors, in percent"),
        initial=strategies.DEFAULT["max_error_percent"],
        required=False,
        **strategies.ERROR_PERCENT.bounds,
    )
    max_p99_ms = forms.FloatField(
        label=_("Roll back above this 99th percentile of latency, in ms"), required=False, **strategies.P99_MS.bounds
    )

    def strategy(self) -> dict[str, Any]:
        """What was chosen, as hosting/strategies.py has it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "config"}


class UpdateForm(StrategyForm):
    """Another configuration, and how requests go over to it."""

    config = forms.ChoiceField(label=_("Configuration"))
    field_order = ("config",)

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        found = queries.endpoint_configs(account).values_list("name", flat=True)
        self.fields["config"].choices = [(name, name) for name in found]  # type: ignore[attr-defined]


class WeightForm(RefusableForm):
    """A variant's weight and number of instances."""

    variant = forms.CharField(widget=forms.HiddenInput, max_length=names.LENGTH.longest, label=_("Variant"))
    weight = forms.FloatField(label=_("Weight"), **hosting.WEIGHT.bounds)
    instance_count = forms.IntegerField(label=_("Instances"), **hosting.INSTANCES.bounds)


WeightRows = forms.formset_factory(WeightForm, extra=0, **MOST)


class QuestionForm(RefusableForm):
    """A picture for a person, with the scores from which boxes are shown: {class: least score} as JSON."""

    image = forms.FileField(label=_("Image"))
    least_scores = forms.CharField(
        required=False, widget=forms.HiddenInput, max_length=asking.SCORES_LENGTH.longest, label="Least scores"
    )

    def clean_image(self) -> Any:
        """Refuses what an endpoint would refuse."""
        image = self.cleaned_data["image"]
        if image.size > BYTES:
            raise forms.ValidationError(
                gettext("the file has {size:,} bytes, at most {most:,} are taken").format(size=image.size, most=BYTES)
            )
        return image

    def clean_least_scores(self) -> dict[str, float]:
        """{class: score from 0 to 1}."""
        try:
            found = strict.read_json(self.cleaned_data["least_scores"] or "{}")
        except (strict.NotJson, DomainError) as error:
            raise forms.ValidationError(str(error)) from None
        if not isinstance(found, dict) or not all(
            isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
            for score in found.values()
        ):
            raise forms.ValidationError(gettext("an object of scores from 0 to 1 expected"))
        return found
