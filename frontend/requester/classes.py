"""The classes of a job: their names so far, and renaming one or merging it into another."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester.jobs import job_context
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import ClassChange, LabelingJob
from labeling.services import scope
from labeling.services.jobs import classes, limits
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 20
LONGEST = limits.LABEL_LENGTH.longest


class RenameForm(forms.Form):
    """A class and its new name."""

    label = forms.CharField(label=_("Class"), max_length=LONGEST, strip=False, widget=forms.Select)
    name = forms.CharField(label=_("New name"), max_length=LONGEST)

    def __init__(self, *args: Any, names: list[str], **options: Any):
        super().__init__(*args, **options)
        self.fields["label"].widget.choices = [(name, name) for name in names]


class MergeForm(forms.Form):
    """A class and the one that it becomes a part of."""

    label = forms.CharField(label=_("Class that goes"), max_length=LONGEST, strip=False, widget=forms.Select)
    into = forms.CharField(label=_("Class that stays"), max_length=LONGEST, strip=False, widget=forms.Select)

    def __init__(self, *args: Any, names: list[str], **options: Any):
        super().__init__(*args, **options)
        # The last one goes into the first one unless somebody says otherwise: two that differ.
        self.fields["label"].widget.choices = [(name, name) for name in reversed(names)]
        self.fields["into"].widget.choices = [(name, name) for name in names]


@requester_page()
def page(request: HttpRequest, job_id: int) -> HttpResponse:
    """The classes in their order, the forms, and what was renamed and merged."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    refused = classes.refusal(job)
    context = {
        **job_context(request, job, "classes"),
        "classes": classes.of(job),
        "refused": refused,
        "renaming": None if refused else RenameForm(names=job.labels, auto_id="rename_%s"),
        "merging": None if refused or len(job.labels) < 2 else MergeForm(names=job.labels, auto_id="merge_%s"),
        "changes": Paginator(classes.history(job), PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "requester/job_classes.html", context)


@require_POST
@requester_page(Role.MEMBER)
def rename(request: HttpRequest, job_id: int) -> HttpResponse:
    """Give a class another name."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = RenameForm(request.POST, names=job.labels)
    return _change(request, job, form, classes.rename, gettext("{label} is called {name} now."))


@require_POST
@requester_page(Role.MEMBER)
def merge(request: HttpRequest, job_id: int) -> HttpResponse:
    """Make a class a part of another one."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = MergeForm(request.POST, names=job.labels)
    return _change(request, job, form, classes.merge, gettext("{label} is a part of {into} now."))


def _change(
    request: HttpRequest, job: LabelingJob, form: forms.Form, change: Callable[..., ClassChange], said: str
) -> HttpResponse:
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:job-classes", job.pk)
    try:
        changed = change(job=job, by=actor(request.user), **form.cleaned_data)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _done(job, said.format(**form.cleaned_data), changed.labels))
    return redirect("requester:job-classes", job.pk)


def _done(job: LabelingJob, said: str, labels: int) -> str:
    named = ngettext("{number} label named it.", "{number} labels named it.", labels).format(number=labels)
    follows = gettext("Skills, scores and the output follow in a minute.")
    return " ".join([said, *([named] if labels else []), follows])
