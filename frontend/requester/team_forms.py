"""The forms for how a team's workers come in; team_access.py takes them, teams.py shows them."""

import re

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import SLUG_RULE
from marketplace.services import team_access


class PortalForm(forms.Form):
    """The last part of the portal's address."""

    portal = forms.RegexField(
        team_access.SLUG_PATTERN,
        required=False,
        min_length=team_access.SLUG_LENGTH.low,
        max_length=team_access.SLUG_LENGTH.longest,
        label=_("Last part of the address"),
        help_text=format_lazy(
            _("{SLUG_RULE}. Empty: a new one that nobody guesses. The old address ends."),
            SLUG_RULE=SLUG_RULE,
        ),
        error_messages={"invalid": format_lazy(_("{SLUG_RULE} expected."), SLUG_RULE=SLUG_RULE)},
    )


class NetworksForm(forms.Form):
    """The networks from which the team's work is open."""

    source_cidrs = forms.CharField(
        required=False,
        max_length=team_access.NETWORKS_LENGTH.longest,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        label=_("IPv4 networks"),
        help_text=format_lazy(
            _("At most {longest}, such as 203.0.113.0/24, one a line. Empty: from everywhere."),
            longest=team_access.CIDRS.longest,
        ),
    )

    def clean_source_cidrs(self) -> list[str]:
        """The networks as they were typed; the service reads them."""
        return [part for part in re.split(r"[\s,;]+", self.cleaned_data["source_cidrs"]) if part]
