"""The fields of the wizard for what a job begins with: a data set, or what another job has written.

And for the labels in it that people look at. Bounds are those of the services.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import SelectionFields, with_objects
from labeling import task_types
from labeling.models import Dataset, LabelingJob
from labeling.services import scope
from labeling.services.intake.selection import COUNT, LIKELY_WRONG
from labeling.services.jobs import audited_labels, chaining, limits
from marketplace.models import Account


class InputFields(forms.Form):
    """A data set, or the output of a job that is over."""

    dataset = forms.ModelChoiceField(Dataset.objects.none(), required=False, empty_label=None, label=_("Data set"))
    chained_job = forms.ModelChoiceField(
        LabelingJob.objects.none(),
        required=False,
        empty_label=_("No, the data set above"),
        label=_("Instead the output of a labeling job?"),
        help_text=_("A chained job begins with what that job has written, labels and all; the data set is not used."),
    )

    def offer(self, account: Account) -> None:
        """What the account can choose from: finished data sets, and jobs that are over."""
        sets = scope.datasets(account).filter(status="Completed").order_by("-id")
        self.fields["dataset"].queryset = sets  # type: ignore[attr-defined]
        self.fields["dataset"].label_from_instance = (  # type: ignore[attr-defined]
            lambda d: with_objects(d.name, d.objects_total)
        )
        jobs = chaining.over(scope.jobs(account)).order_by("-id")
        self.fields["chained_job"].queryset = jobs  # type: ignore[attr-defined]
        self.fields["dataset"].required = not jobs.exists()
        self.fields["chained_job"].label_from_instance = (  # type: ignore[attr-defined]
            lambda job: with_objects(job.name, job.objects_total)
        )

    def clean(self) -> dict[str, Any]:
        """One of them; a chained job comes before the data set."""
        given = super().clean() or {}
        if given.get("chained_job"):
            given["dataset"] = None
        elif not given.get("dataset") and not self.errors.keys() & {"dataset", "chained_job"}:
            self.add_error("dataset", gettext("A data set, or a labeling job that is over, is needed."))
        return given


class LikelyWrongFields(SelectionFields):
    """Also, of the labels of another job, those that are most likely wrong."""

    count = forms.IntegerField(
        required=False,
        label=_("How many of them"),
        help_text=_("So many labels, the most likely wrong ones. All of them when left empty, in that order."),
        **COUNT.bounds,
    )

    def offer_likely_wrong(self) -> None:
        """Beside what every selection offers."""
        choices = self.fields["selection"].choices  # type: ignore[attr-defined]
        self.fields["selection"].choices = [
            *choices,
            (LIKELY_WRONG, gettext("The labels that are most likely wrong first")),
        ]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """They are known of the labels of a job."""
        given = super().clean() or {}
        if given.get("selection") == LIKELY_WRONG and not given.get("chained_job"):
            self.add_error(
                "selection", gettext("Which labels are likely wrong is known of the output of a labeling job.")
            )
        return given


class EarlierLabelFields(forms.Form):
    """The attribute of the labels that people verify or adjust, beside a field `task_type`."""

    audit_label_attribute_name = forms.CharField(
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        required=False,
        label=_("Labels to look at"),
        help_text=_(
            "For verification and adjustment: the label attribute under which the input has them. An object "
            "without such a label is not given to people."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """A type that shows earlier labels needs the name; for other types it does not count."""
        given = super().clean() or {}
        kind = task_types.get(given.get("task_type") or task_types.DEFAULT)
        if kind.audited is None:
            given["audit_label_attribute_name"] = ""
            return given
        name = given.get("audit_label_attribute_name")
        if name is not None and (reason := audited_labels.refusal(kind, name)):
            self.add_error("audit_label_attribute_name", f"{reason[0].upper()}{reason[1:]}.")
        return given
