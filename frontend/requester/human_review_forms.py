"""The forms of human review."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import RefusableForm, dollars, name_field
from labeling.services.jobs import limits
from labeling.services.review import flows, task_uis
from marketplace import money
from marketplace.models import Account
from marketplace.services import scope
from marketplace.services.boundaries import URI_LENGTH

NAME_HELP = _("Small letters, digits and inner hyphens, at most 63.")


class TaskUiForm(RefusableForm):
    """A new worker template of human loops."""

    name = forms.RegexField(
        task_uis.NAME, max_length=task_uis.NAME_LENGTH.longest, label=_("Name"), help_text=NAME_HELP
    )
    content = forms.CharField(
        max_length=task_uis.CONTENT_LENGTH.longest,
        strip=False,
        label=_("Template"),
        widget=forms.Textarea(attrs={"rows": 16, "class": "mono", "spellcheck": "false"}),
        help_text=_(
            "HTML with crowd elements; the input of a loop is task.input, such as {{ task.input.taskObject }}."
        ),
    )

    def clean_content(self) -> str:
        """With the line ends of files."""
        text: str = self.cleaned_data["content"]
        return text.replace("\r\n", "\n")


class FlowForm(RefusableForm):
    """A new flow definition."""

    name = forms.RegexField(
        task_uis.NAME, max_length=task_uis.NAME_LENGTH.longest, label=_("Name"), help_text=NAME_HELP
    )
    task_ui = forms.ChoiceField(label=_("Worker template"))
    workteam = forms.ChoiceField(label=_("Team"))
    title = forms.CharField(max_length=limits.TITLE_LENGTH.longest, label=_("Title"), help_text=_("Workers see it."))
    description = forms.CharField(max_length=limits.DESCRIPTION_LENGTH.longest, label=_("Description"))
    task_count = forms.IntegerField(
        label=_("People for each loop"), initial=1, help_text=_("1 to 3 answers."), **flows.TASK_COUNT.bounds
    )
    price = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        initial="0",
        label=_("Price of an answer"),
        help_text=_("Dollars, such as 0.036."),
    )
    task_time_limit_seconds = forms.IntegerField(
        label=_("Time for a task, in seconds"),
        initial=flows.DEFAULT_TIME_LIMIT,
        **limits.TASK_TIME_LIMIT_SECONDS.bounds,
    )
    output_uri = forms.CharField(
        max_length=URI_LENGTH.longest, label=_("Output"), help_text=_("The folder that output.json is written under.")
    )
    conditions = forms.CharField(
        required=False,
        max_length=flows.CONDITIONS_LENGTH.longest,
        label=_("Conditions"),
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
        help_text=_("JSON of HumanLoopActivationConditions; empty: whoever starts a loop decides."),
    )

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        self._account = account
        found = task_uis.task_uis(account).order_by("name").values_list("name", flat=True)
        self.fields["task_ui"].choices = [(name, name) for name in found]  # type: ignore[attr-defined]
        teams = scope.teams(account).order_by("name")
        self.fields["workteam"].choices = [(str(team.pk), team.name) for team in teams]  # type: ignore[attr-defined]

    def clean_price(self) -> int:
        """Micro-dollars."""
        return dollars(self.cleaned_data["price"])

    def design(self) -> dict[str, Any]:
        """The values of flows.create_flow."""
        given = dict(self.cleaned_data)
        task_ui = task_uis.task_ui(self._account, given.pop("task_ui"))
        team = scope.team(self._account, int(given.pop("workteam")))
        price = given.pop("price")
        return {**given, "task_ui": task_ui, "workteam": team, "price_micros": price}


class DatasetForm(RefusableForm):
    """A data set of what people answered."""

    name = name_field()
