"""Pages of qualification types: an account's own, and the operator's for everybody. `room` is the namespace of both."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling import task_types
from labeling.models import Dataset, LabelingJob, QualificationTest
from labeling.services import scope as labeling_scope
from labeling.services.jobs import limits
from labeling.services.qualifications import making, showing
from labeling.services.qualifications.making import TestDesign
from marketplace.errors import DomainError, NotFound
from marketplace.models import Account, GrantedBy, QualificationType, Worker
from marketplace.services import qualifications, scope
from marketplace.services.requirements import VALUE

PER_PAGE = 50
GRANTED = {
    GrantedBy.TEST: _("A test with known answers"),
    GrantedBy.APPROVAL_RATE: _("The share of their answers that were accepted, in percent"),
    GrantedBy.TASKS_DONE: _("The number of tasks they have done"),
    GrantedBy.MANUAL: _("You, by hand"),
}
MARKS = {
    GrantedBy.TEST: _("pass mark {} %"),
    GrantedBy.APPROVAL_RATE: _("at least {} % accepted"),
    GrantedBy.TASKS_DONE: _("at least {} tasks done"),
    GrantedBy.MANUAL: _("given by hand"),
}
TESTED = ("job", "dataset", "label_attribute_name", "task_type", "questions", "training", "time_limit_minutes")


class TypeForm(forms.Form):
    """A new qualification type."""

    name = forms.CharField(max_length=qualifications.NAME_LENGTH.longest)
    description = forms.CharField(
        max_length=qualifications.DESCRIPTION_LENGTH.longest, help_text=_("What workers read: what it says of them.")
    )
    granted_by = forms.ChoiceField(
        choices=[(str(key), said) for key, said in GRANTED.items()], label=_("What grants it?")
    )
    mark = forms.IntegerField(
        required=False,
        initial=80,
        label=_("Mark"),
        help_text=_("The pass mark or the approval rate in percent, or a number of tasks."),
        **qualifications.TASKS.bounds,
    )
    valid_days = forms.IntegerField(
        required=False,
        label=_("Expires after days"),
        help_text=_("Empty: never."),
        **qualifications.VALID_DAYS.bounds,
    )


class TestForm(TypeForm):
    """A new type of an account, which may have a test."""

    __test__ = False

    job = forms.ModelChoiceField(
        LabelingJob.objects.none(), required=False, label=_("Questions from the labels of a job")
    )
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), required=False, label=_("Or from a data set that has labels")
    )
    label_attribute_name = forms.CharField(
        required=False,
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        label=_("Its label attribute"),
    )
    task_type = forms.ChoiceField(required=False, label=_("Its task type"))
    questions = forms.IntegerField(
        required=False, initial=TestDesign.questions, label=_("Questions of an exam"), **making.QUESTIONS.bounds
    )
    training = forms.IntegerField(
        required=False,
        initial=TestDesign.training,
        label=_("Training questions"),
        help_text=_("Before the exam; each shows the true answer at once."),
        **making.TRAINING.bounds,
    )
    time_limit_minutes = forms.IntegerField(
        required=False,
        initial=TestDesign.time_limit_minutes,
        label=_("Time limit of an exam, minutes"),
        **making.TIME_LIMIT_MINUTES.bounds,
    )
    retry_hours = forms.IntegerField(
        required=False, initial=24, label=_("Taken again after hours"), **qualifications.RETRY_HOURS.bounds
    )
    most_attempts = forms.IntegerField(
        required=False, label=_("Attempts at most"), help_text=_("Empty: any number."), **qualifications.ATTEMPTS.bounds
    )
    instructions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=making.INSTRUCTIONS_LENGTH.longest,
        label=_("Instructions beside the questions"),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        jobs, sets = labeling_scope.jobs(account).order_by("-pk"), labeling_scope.datasets(account).order_by("-pk")
        self.fields["job"].queryset = jobs.select_related("queue")  # type: ignore[attr-defined]
        self.fields["job"].label_from_instance = lambda job: job.name  # type: ignore[attr-defined]
        self.fields["dataset"].queryset = sets.filter(status="Completed")  # type: ignore[attr-defined]
        self.fields["dataset"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]
        self.fields["task_type"].choices = [  # type: ignore[attr-defined]
            (name, task_types.get(name).title) for name in task_types.names()
        ]


class GrantForm(forms.Form):
    """A worker by public id, and the value they get."""

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length, label=_("Worker's id"))
    value = forms.IntegerField(initial=100, **VALUE.bounds)

    def clean_worker(self) -> Worker:
        """The worker."""
        try:
            return scope.worker_named(self.cleaned_data["worker"].strip().upper())
        except NotFound:
            raise forms.ValidationError(gettext("There is no worker with this id.")) from None


class RevokeForm(forms.Form):
    """Whose qualification is taken away, and why."""

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    reason = forms.CharField(max_length=qualifications.REASON_LENGTH.longest)


def mark_of(row: QualificationType) -> str:
    """What it takes, in words."""
    return str(MARKS[GrantedBy(row.granted_by)]).format(row.mark)


def listed(request: HttpRequest, rows: QuerySet[QualificationType], *, room: str, manages: bool) -> HttpResponse:
    """The types."""
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [(row, mark_of(row)) for row in page], "room": room, "manages": manages}
    return render(request, "qualifications/types.html", {**context, **_addresses(room)})


def new(request: HttpRequest, account: Account | None, *, room: str) -> HttpResponse:
    """The form of a new type; makes it when it is sent."""
    data = request.POST if request.method == "POST" else None
    form = TypeForm(data) if account is None else TestForm(data, account=account)
    if account is None:
        form.fields["granted_by"].choices = [  # type: ignore[attr-defined]
            (str(key), said) for key, said in GRANTED.items() if key != GrantedBy.TEST
        ]
    if request.method == "POST" and form.is_valid():
        try:
            row = _make(form.cleaned_data, account, by=scope.actor(request.user))
        except DomainError as error:
            for field, reason in error.errors or [("", error.message)]:
                name = field.removeprefix("test.")
                form.add_error(name if name in form.fields else None, f"{reason}")
        else:
            messages.success(request, gettext("The qualification type {name} is made.").format(name=row.name))
            return redirect(f"{room}:qualification", row.pk)
    context = {"form": form, "with_test": account is not None, **_addresses(room)}
    return render(request, "qualifications/new.html", context, status=422 if form.errors else 200)


def _make(given: dict[str, Any], account: Account | None, *, by: str) -> QualificationType:
    wanted = {name: given[name] for name in ("name", "description", "granted_by", "valid_days")}
    wanted["mark"] = None if given["granted_by"] == GrantedBy.MANUAL else given["mark"]
    if given["granted_by"] != GrantedBy.TEST:
        return making.create(account=account, by=by, **wanted)
    # What was left empty is what the design begins with.
    test = {name: given[name] for name in TESTED if given[name] not in (None, "")}
    return making.create(
        account=account,
        by=by,
        test=TestDesign(**test, instructions=given["instructions"]),
        retry_hours=given["retry_hours"] or 0,
        most_attempts=given["most_attempts"],
        **wanted,
    )


def detail(
    request: HttpRequest,
    row: QualificationType,
    *,
    room: str,
    manages: bool,
    form: GrantForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """A type, its test, and who holds it."""
    page = Paginator(qualifications.of_type(row), PER_PAGE).get_page(request.GET.get("page"))
    test = QualificationTest.objects.filter(qualification_type=row).first()
    context = {
        "row": row,
        "mark": mark_of(row),
        "test": test,
        "kind": task_types.get(test.task_type) if test is not None else None,
        "page": page,
        "holders": [(held, showing.state_of(held)) for held in page],
        "manages": manages,
        "form": form or GrantForm(),
        "reason_length": qualifications.REASON_LENGTH.longest,
        **_addresses(room),
    }
    return render(request, "qualifications/type.html", context, status=status)


def grant(request: HttpRequest, row: QualificationType, *, room: str) -> HttpResponse:
    """Grant it by hand, as the form says."""
    form = GrantForm(request.POST)
    if not form.is_valid():
        return detail(request, row, room=room, manages=True, form=form, status=422)
    worker, value = form.cleaned_data["worker"], form.cleaned_data["value"]
    qualifications.grant(row=row, worker=worker, value=value, how="by hand", by=scope.actor(request.user))
    messages.success(
        request,
        gettext("{public_id} has the qualification with the value {value}.").format(
            public_id=worker.public_id, value=value
        ),
    )
    return redirect(f"{room}:qualification", row.pk)


def revoke(request: HttpRequest, row: QualificationType, *, room: str) -> HttpResponse:
    """Take it from a worker, with a reason."""
    form = RevokeForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("A reason is needed, and the worker's id."))
        return redirect(f"{room}:qualification", row.pk)
    worker = scope.worker_named(form.cleaned_data["worker"])
    qualifications.revoke(row=row, worker=worker, reason=form.cleaned_data["reason"], by=scope.actor(request.user))
    messages.success(
        request, gettext("The qualification of {public_id} is revoked.").format(public_id=worker.public_id)
    )
    return redirect(f"{room}:qualification", row.pk)


def switch(request: HttpRequest, row: QualificationType, *, room: str) -> HttpResponse:
    """Stop or allow that it is come by."""
    active = row.status != "Active"
    qualifications.change_type(row=row, description=None, active=active, by=scope.actor(request.user))
    text = (
        gettext("{name} is given again.") if active else gettext("{name} is not given any more; who has it keeps it.")
    )
    messages.success(request, text.format(name=row.name))
    return redirect(f"{room}:qualification", row.pk)


def _addresses(room: str) -> dict[str, str]:
    names = {"list": "qualifications", "new": "qualification-new", "type": "qualification"}
    names |= {name: f"qualification-{name}" for name in ("grant", "revoke", "switch")}
    return {f"{key}_url": f"{room}:{name}" for key, name in names.items()}
