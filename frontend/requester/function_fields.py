"""The fields of the wizard for functions of the requester's own, before and after people. The service decides."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.services.functions import choosing
from labeling.services.functions.asking import is_address
from marketplace import sealing


class FunctionFields(forms.Form):
    """Two functions, and the secret that signs requests to addresses. In a draft the secret is sealed."""

    pre_human_task_function = forms.CharField(
        required=False,
        max_length=choosing.PATH_LENGTH.longest,
        label=_("Pre-annotation function"),
        help_text=_(
            "Asked about each object first: it makes task.input of a custom template, and says whether people "
            "are needed. An address, or a Python function that the operator allows. Empty: the built-in one."
        ),
    )
    annotation_consolidation_function = forms.CharField(
        required=False,
        max_length=choosing.PATH_LENGTH.longest,
        label=_("Post-annotation function"),
        help_text=_("Makes the labels out of people's answers. Empty: the built-in one."),
    )
    function_secret = forms.CharField(
        required=False,
        max_length=choosing.SECRET_LENGTH.longest,
        label=_("Signing secret"),
        help_text=_("Requests to addresses are signed with it, as webhooks are. Give it to your endpoint first."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        kept = self.initial.get("function_secret")
        self.initial["function_secret"] = sealing.unseal(kept) if kept else choosing.new_secret()

    def of_functions(self) -> list[forms.BoundField]:
        """The fields, which the page shows together."""
        return [self[name] for name in FIELDS]

    def functions_open(self) -> bool:
        """Whether they are in use, or one of them is wrong."""
        return any(name in self.errors for name in FIELDS) or any(self[name].value() for name in choosing.FIELDS)

    def clean(self) -> dict[str, Any]:
        """Functions that can be asked; the secret is sealed, and dropped where nothing is signed."""
        given = super().clean() or {}
        paths = {name: (given.get(name) or "").strip() for name in choosing.FIELDS}
        secret = (given.get("function_secret") or "").strip()
        for field, reason in choosing.errors(paths, secret):
            if field not in self.errors:
                self.add_error(field, f"{reason[0].upper()}{reason[1:]}.")
        signs = any(is_address(path) for path in paths.values())
        return {**given, **paths, "function_secret": sealing.seal(secret) if secret and signs else ""}


FIELDS = (*choosing.FIELDS, "function_secret")
"""The names of the fields."""


def drafted(task: dict[str, Any]) -> dict[str, str]:
    """The functions of a draft as arguments of labeling's create_job."""
    secret = task.get("function_secret")
    return {
        **{name: task.get(name, "") for name in choosing.FIELDS},
        "function_secret": sealing.unseal(secret) if secret else "",
    }
