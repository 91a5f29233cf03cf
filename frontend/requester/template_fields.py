"""The fields of the wizard for a worker template. They ask the checker; the design of the job decides."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from frontend.requester.function_fields import FunctionFields
from labeling import task_types
from labeling.services.jobs import limits
from labeling.services.jobs.templates import template_errors
from marketplace.ranges import Range

SCRIPT_HOSTS_TEXT = Range(0, (limits.SCRIPT_HOST_LENGTH.longest + 1) * limits.SCRIPT_HOSTS.longest)
"""Characters of the field for all of them."""


def split_hosts(text: str) -> list[str]:
    """The hosts that were typed, with spaces or commas between them."""
    return text.replace(",", " ").lower().split()


class TemplateFields(FunctionFields):
    """The template, the hosts of its scripts, and functions, beside a field `task_type`."""

    template = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 16, "class": "mono", "spellcheck": "false"}),
        required=False,
        max_length=limits.TEMPLATE_LENGTH.longest,
        strip=False,
        label=_("Worker template"),
        help_text=_("For a custom template only: HTML with crowd elements and Liquid, as Ground Truth takes it."),
    )
    hosts = forms.CharField(
        required=False,
        max_length=SCRIPT_HOSTS_TEXT.longest,
        label=_("Hosts of scripts"),
        help_text=_(
            "For a custom template only: hosts that its scripts, styles, fonts, pictures and data may come from, "
            "with spaces between them. None on the public pool."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """A type that is shown by a template needs one that works; the workforce decides later about scripts."""
        given = super().clean() or {}
        kind = task_types.get(given.get("task_type") or task_types.DEFAULT)
        wrong = template_errors(kind, given.get("template") or "", split_hosts(given.get("hosts") or ""), public=False)
        for field, reason in wrong if "template" in given else ():
            self.add_error("template" if field == "template" else "hosts", reason)
        return given
