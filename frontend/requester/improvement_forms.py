"""The forms of improvement policies. Parameters have the names that AWS's solution gives them."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import RefusableForm, name_field
from labeling.services import scope as scope_of_labeling
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from labeling.services.review import flows
from labeling.services.scope import datasets
from learning import queries
from learning.services import scope
from learning.services.improvement import creating, queue_reports
from learning.services.improvement import parameters as known
from marketplace.models import Account

ACTS = ("check", "stop", "start", "renew", "delete", "try-again")


def _field(one: known.Parameter) -> forms.Field:
    if one.range is None:
        return forms.BooleanField(required=False, label=one.name, help_text=one.help, initial=one.default)
    kind = forms.IntegerField if one.whole else forms.FloatField
    made: forms.Field = kind(label=one.name, help_text=one.help, initial=one.default, **one.range.bounds)
    return made


class _Parameters(RefusableForm):
    """The base of the form whose fields are made from the list of parameters."""

    def fields_of_parameters(self) -> Iterator[forms.BoundField]:
        """The fields in the order of the list."""
        return (self[one.name] for one in known.PARAMETERS)

    def parameters(self) -> dict[str, Any]:
        """What was given, as the services take it."""
        return {one.name: self.cleaned_data[one.name] for one in known.PARAMETERS}


ParametersForm = type(
    "ParametersForm",
    (_Parameters,),
    {
        "__doc__": "The parameters of a policy.",
        "__module__": __name__,
        **{one.name: _field(one) for one in known.PARAMETERS},
    },
)


class PolicyForm(RefusableForm):
    """A new policy; its parameters are the form beside it."""

    name = name_field()
    endpoint = forms.ChoiceField(label=_("Endpoint"), help_text=_("The detector that it serves is improved."))
    flow_definition = forms.ChoiceField(label=_("Flow definition"), help_text=_("Who looks at doubtful images."))
    location = forms.CharField(
        max_length=creating.LOCATION_LENGTH.longest,
        label=_("Location"),
        help_text=format_lazy(
            _("A folder of yours; images are dropped in {folder}/ below it."), folder=creating.FOLDER
        ),
    )
    test_dataset = forms.ChoiceField(
        label=_("Fixed test set"), help_text=_("Labeled images that no training learns from.")
    )
    test_attribute = forms.CharField(
        required=False, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest, label=_("Its label attribute")
    )
    training_dataset = forms.ChoiceField(
        required=False,
        label=_("Training set"),
        help_text=_("What the live model has learned, so that it is not forgotten."),
    )
    training_attribute = forms.CharField(
        required=False, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest, label=_("Its label attribute")
    )
    holdout_percent = forms.IntegerField(
        label=_("Fresh test images, in percent"),
        initial=creating.DEFAULT_SETTINGS["holdout_percent"],
        help_text=_("The share of newly answered images that a new model is only tested on."),
        **creating.HOLDOUT_PERCENT.bounds,
    )
    margin = forms.FloatField(
        label=_("Margin of F1"),
        initial=creating.DEFAULT_SETTINGS["margin"],
        help_text=_("A new model may be worse than the live one by at most so much."),
        **creating.MARGIN.bounds,
    )

    queue_arn = forms.CharField(
        required=False,
        max_length=queue_reports.LENGTH.longest,
        label=_("SQS queue"),
        help_text=_(
            "Optional: a queue that the bucket reports new images to; the folder is listed every minute anyway."
        ),
        widget=forms.TextInput(attrs={"placeholder": "arn:aws:sqs:us-east-1:123456789012:new-images"}),
    )
    queue_role_arn = forms.CharField(
        required=False,
        max_length=queue_reports.LENGTH.longest,
        label=_("Role to read it with"),
        help_text=_("Its trust policy expects the number of the account as external id."),
        widget=forms.TextInput(attrs={"placeholder": "arn:aws:iam::123456789012:role/a-name"}),
    )

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        self._account = account
        sets = [(str(pk), name) for pk, name in datasets(account).filter(status="Completed").values_list("pk", "name")]
        chosen = {
            "endpoint": [(name, name) for name in queries.endpoints(account).values_list("name", flat=True)],
            "flow_definition": [(name, name) for name in flows.flows(account).values_list("name", flat=True)],
            "test_dataset": sets,
            "training_dataset": [("", "None"), *sets],
        }
        for name, choices in chosen.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """The values of creating.create. Raises NotFound for what is gone meanwhile."""
        given = dict(self.cleaned_data)
        training = given.pop("training_dataset")
        return {
            "name": given["name"],
            "location": given["location"],
            "test_attribute": given["test_attribute"],
            "training_attribute": given["training_attribute"],
            "endpoint": scope.endpoint(self._account, given["endpoint"]),
            "flow": flows.flow(self._account, given["flow_definition"]),
            "test_dataset": scope_of_labeling.dataset(self._account, int(given["test_dataset"])),
            "training_dataset": scope_of_labeling.dataset(self._account, int(training)) if training else None,
            "settings": {
                "holdout_percent": given["holdout_percent"],
                "margin": given["margin"],
                "queue": {"arn": given["queue_arn"], "role_arn": given["queue_role_arn"]},
            },
        }


class ActForm(RefusableForm):
    """What is to be done with a policy."""

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS], label="Act")
