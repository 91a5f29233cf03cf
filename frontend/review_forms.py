"""The forms of pages about reviews and appeals: which answers, what is decided, what is answered."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import words
from labeling.models import Appeal, ReviewStatus
from labeling.services.jobs import limits
from labeling.services.results import appeals, deciding, review_lists
from labeling.services.results.review_lists import ReviewFilter

DECISIONS = (("accept", _("Accept")), ("reject", _("Reject")))
APPEAL_DECISIONS = (("uphold", _("Uphold")), ("deny", _("Deny")))


class FilterForm(forms.Form):
    """Which answers a page of reviews shows, and which ones its buttons decide."""

    state = forms.ChoiceField(
        required=False, choices=[*words.choices(ReviewStatus), ("all", _("All"))], label=_("State")
    )
    worker = forms.CharField(required=False, max_length=review_lists.WORKER_LENGTH.longest, label=_("Worker"))
    label = forms.CharField(required=False, max_length=limits.LABEL_LENGTH.longest, label=_("Label"))
    hours = forms.FloatField(required=False, label=_("At least so many hours old"), **review_lists.HOURS.bounds)
    most_agreement = forms.FloatField(
        required=False, label=_("Agreement with the label at most"), **review_lists.AGREEMENT.bounds
    )
    sampled = forms.ChoiceField(
        required=False,
        choices=[("", _("All")), ("yes", _("In the random sample")), ("no", _("Not in the sample"))],
        label=_("Sample"),
    )

    def wanted(self) -> ReviewFilter:
        """The service's filter, of the fields that are right."""
        given = self.cleaned_data if self.is_valid() else self.cleaned_data or {}
        state = given.get("state") or ReviewStatus.PENDING
        hours = given.get("hours")
        return ReviewFilter(
            state="" if state == "all" else state,
            worker=given.get("worker", ""),
            label=given.get("label", ""),
            submitted_before=None if hours is None else timezone.now() - timedelta(hours=hours),
            most_agreement=given.get("most_agreement"),
            sampled={"yes": True, "no": False}.get(given.get("sampled", "")),
        )


class DecisionForm(forms.Form):
    """Accept, or reject with a reason."""

    decision = forms.ChoiceField(choices=DECISIONS)
    reason = forms.CharField(
        required=False,
        max_length=deciding.REASON_LENGTH.longest,
        label=_("Reason for a rejection"),
        help_text=_("The worker reads it."),
    )
    return_to_worker = forms.BooleanField(required=False, label=_("Give the task back to the same worker first"))

    def clean(self) -> dict[str, Any]:
        """A rejection needs a reason."""
        given = super().clean() or {}
        if given.get("decision") == "reject" and not given.get("reason") and "reason" not in self.errors:
            self.add_error("reason", gettext("A rejection needs a reason: the worker reads it."))
        return given


class SampleForm(forms.Form):
    """How many answers are drawn at random."""

    size = forms.IntegerField(initial=20, label=_("Answers in the sample"), **review_lists.SAMPLE.bounds)


class AppealForm(forms.Form):
    """Why a rejection was wrong."""

    text = forms.CharField(max_length=appeals.TEXT_LENGTH.longest, widget=forms.Textarea(attrs={"rows": 3}))


class AppealAnswerForm(AppealForm):
    """The answer to an appeal."""

    decision = forms.ChoiceField(choices=APPEAL_DECISIONS)

    def answer(self, appeal: Appeal, *, by: str) -> Appeal:
        """Do what the form says. Raises as `appeals.uphold` and `appeals.deny` do."""
        act = {"uphold": appeals.uphold, "deny": appeals.deny}[self.cleaned_data["decision"]]
        return act(appeal=appeal, text=self.cleaned_data["text"], by=by)


def first_error(form: forms.Form) -> str:
    """The first thing that is wrong with a form, for a message above the page."""
    return next(str(error) for errors in form.errors.values() for error in errors)
