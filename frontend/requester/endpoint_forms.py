"""The forms of endpoints."""

from typing import Any

from django import forms

from learning import queries
from learning.services import asking, hosting, invoke, strategies
from marketplace import names, strict
from marketplace.errors import DomainError
from marketplace.models import Account

BYTES = invoke.MAX_BODY_BYTES


class _Form(forms.Form):
    def refuse(self, error: DomainError) -> None:
        """Show what a service refused beside the field that it names."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class EndpointForm(_Form):
    """A new endpoint of one model."""

    name = forms.RegexField(names.PATTERN, max_length=names.LENGTH.longest, label="Name", help_text=names.RULE)
    model = forms.ChoiceField(label="Model")
    instance_count = forms.IntegerField(
        label="Instances", initial=1, help_text="Processes that answer side by side.", **hosting.INSTANCES.bounds
    )
    capture_percent = forms.IntegerField(
        label="Requests to keep, in percent",
        initial=0,
        help_text="A sample of pictures and answers, kept in the account's store as JSON Lines.",
        **hosting.CAPTURE_PERCENT.bounds,
    )

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        found = queries.models(account).values_list("name", flat=True)
        self.fields["model"].choices = [(name, name) for name in found]  # type: ignore[attr-defined]


class UpdateForm(_Form):
    """Another configuration, and how requests go over to it."""

    config = forms.ChoiceField(label="Configuration")
    type = forms.ChoiceField(
        label="Traffic",
        choices=[
            (strategies.ALL_AT_ONCE, "All at once"),
            (strategies.CANARY, "A few first (canary)"),
            (strategies.LINEAR, "In equal steps (linear)"),
        ],
    )
    step_percent = forms.IntegerField(
        label="Step, in percent", initial=strategies.DEFAULT["step_percent"], **strategies.STEP_PERCENT.bounds
    )
    bake_seconds = forms.IntegerField(
        label="Watch each step for, in seconds",
        initial=strategies.DEFAULT["bake_seconds"],
        **strategies.BAKE_SECONDS.bounds,
    )
    max_error_percent = forms.FloatField(
        label="Roll back above this share of errors, in percent",
        initial=strategies.DEFAULT["max_error_percent"],
        required=False,
        **strategies.ERROR_PERCENT.bounds,
    )
    max_p99_ms = forms.FloatField(
        label="Roll back above this 99th percentile of latency, in ms", required=False, **strategies.P99_MS.bounds
    )

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        found = queries.endpoint_configs(account).values_list("name", flat=True)
        self.fields["config"].choices = [(name, name) for name in found]  # type: ignore[attr-defined]

    def strategy(self) -> dict[str, Any]:
        """What was chosen, as services/strategies.py has it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "config"}


class WeightForm(_Form):
    """A variant's weight and number of instances."""

    variant = forms.CharField(widget=forms.HiddenInput, max_length=names.LENGTH.longest)
    weight = forms.FloatField(label="Weight", **hosting.WEIGHT.bounds)
    instance_count = forms.IntegerField(label="Instances", **hosting.INSTANCES.bounds)


class QuestionForm(_Form):
    """A picture for a person, with the scores from which boxes are shown: {class: least score} as JSON."""

    image = forms.FileField(label="Image")
    least_scores = forms.CharField(required=False, widget=forms.HiddenInput, max_length=asking.SCORES_LENGTH.longest)

    def clean_image(self) -> Any:
        """Refuses what an endpoint would refuse."""
        image = self.cleaned_data["image"]
        if image.size > BYTES:
            raise forms.ValidationError(f"the file has {image.size:,} bytes, at most {BYTES:,} are taken")
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
            raise forms.ValidationError("an object of scores from 0 to 1 expected")
        return found
