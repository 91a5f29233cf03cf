"""Form fields that several pages of the requester share. Bounds and rules are those of the services that check them."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from frontend import formats
from labeling.services.intake.selection import CONDITION_LENGTH, JOB_KINDS, LIKELY_WRONG, PERCENT, check_selection
from labeling.services.queue import routing
from marketplace import money, names
from marketplace.errors import DomainError, Invalid
from marketplace.services import team_access


def name_field() -> forms.RegexField:
    """The name of a data set, a job or a team."""
    return forms.RegexField(
        names.PATTERN,
        max_length=names.LENGTH.longest,
        help_text=names.RULE,
        error_messages={"invalid": names.RULE},
    )


def dollars(text: str) -> int:
    """Micro-dollars of a form field. Raises ValidationError."""
    try:
        return money.read(text, field="amount", zero=True)
    except Invalid as error:
        raise forms.ValidationError(error.message) from error


class RefusableForm(forms.Form):
    """A form whose input a service may refuse."""

    def refuse(self, error: DomainError) -> None:
        """Show what a service refused beside the fields that it names; `queue.arn` is the field queue_arn."""
        for path, reason in error.errors or [("", error.message)]:
            name = path.replace(".", "_")
            self.add_error(name if name in self.fields else None, reason)


class SelectionFields(forms.Form):
    """Which objects of a data set or a manifest."""

    selection = forms.ChoiceField(
        choices=[
            ("full", _("All objects")),
            ("random", _("A random sample")),
            ("filter", _("Only objects that meet a condition")),
        ],
        initial="full",
        label=_("Which objects?"),
    )
    percent = forms.FloatField(required=False, initial=10, label=_("Percent of a random sample"), **PERCENT.bounds)
    where = forms.CharField(
        max_length=CONDITION_LENGTH.longest,
        required=False,
        label=_("Condition"),
        help_text=_('For example: "split" = \'train\' AND "score" < 0.8'),
    )

    def clean(self) -> dict[str, Any]:
        """The field that belongs to the choice made is required, and must be one the service takes."""
        given = super().clean() or {}
        if given.get("selection") == "random" and not given.get("percent"):
            if "percent" not in self.errors:
                self.add_error("percent", gettext("A percentage is needed."))
        elif given.get("selection") == "filter" and not given.get("where"):
            if "where" not in self.errors:
                self.add_error("where", gettext("A condition is needed."))
        elif given.get("selection"):
            try:
                check_selection(selection_of(given), kinds=JOB_KINDS)
            except Invalid as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)
        return given


SLUG_RULE = format_lazy(
    _("{length} small letters, digits and inner hyphens"), length=formats.between(team_access.SLUG_LENGTH)
)
"""What the last part of an address may be, in the reader's language."""


def with_objects(name: str, objects: int) -> str:
    """Something that has objects, as choices say it."""
    text = ngettext("{name} ({number} object)", "{name} ({number} objects)", objects)
    return text.format(name=name, number=objects)


def _routing_rules() -> list[tuple[str, str]]:
    return [
        ("", gettext("Everybody sees every object")),
        *((rule, gettext("As {rule} decides").format(rule=rule)) for rule in routing.allowed()),
    ]


class RoutingField(forms.Form):
    """Which worker sees which object. Without rules that the operator allows there is no such field."""

    routing_rule = forms.ChoiceField(
        choices=_routing_rules,
        required=False,
        label=_("Who sees which object"),
        help_text=_("A rule that the operator allows: it is asked before a worker gets a task."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not routing.allowed():
            del self.fields["routing_rule"]


def selection_of(given: dict[str, Any]) -> dict[str, Any]:
    """The selection that the cleaned fields of `SelectionFields` stand for, as services take it."""
    chosen = {"kind": given["selection"]}
    if given["selection"] == "random":
        chosen["percent"] = given["percent"]
    if given["selection"] == "filter":
        chosen["where"] = given["where"]
    if given["selection"] == LIKELY_WRONG:
        chosen["count"] = given.get("count")
    return chosen
