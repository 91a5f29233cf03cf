"""What may be done with a model: decide on it, move it to another group, delete it. The pages are models.py's."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.review_forms import first_error
from frontend.session import requester_page
from learning import transitions
from learning.services import model_approval, model_groups, scope
from marketplace import names
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

WORDS = {
    "Approved": _("Approve: it may be put to use"),
    "Rejected": _("Reject"),
    "PendingManualApproval": _("Decide later"),
}


class ApprovalForm(forms.Form):
    """A decision, with a comment."""

    status = forms.ChoiceField(
        choices=[(state, WORDS[state]) for state in transitions.MODEL.states], label=_("Decision")
    )
    comment = forms.CharField(
        max_length=model_approval.COMMENT_LENGTH.longest,
        required=False,
        help_text=_("Why, for those who ask later."),
        label=_("Comment"),
    )


class GroupForm(forms.Form):
    """A group by name."""

    group = forms.RegexField(
        names.PATTERN,
        max_length=names.LENGTH.longest,
        help_text=_("A new name makes a new group."),
        error_messages={"invalid": names.RULE},
        label=_("Group"),
    )


@require_POST
@requester_page(Role.MEMBER)
def decide(request: HttpRequest, model_id: int) -> HttpResponse:
    """Approve or reject it."""
    model = scope.model(request.account, model_id)  # type: ignore[attr-defined]
    form = ApprovalForm(request.POST)
    if form.is_valid():
        model_approval.decide(model=model, by=actor(request.user), **form.cleaned_data)
        messages.success(request, gettext("The decision is kept."))
    else:
        messages.error(request, first_error(form))
    return redirect("requester:model", model.pk)


@require_POST
@requester_page(Role.MEMBER)
def move(request: HttpRequest, model_id: int) -> HttpResponse:
    """Make it a version of another group."""
    model = scope.model(request.account, model_id)  # type: ignore[attr-defined]
    form = GroupForm(request.POST)
    if form.is_valid():
        model_groups.move(model=model, group_name=form.cleaned_data["group"], by=actor(request.user))
        messages.success(
            request,
            gettext("It is version {version} of {group}.").format(
                version=model.version, group=form.cleaned_data["group"]
            ),
        )
    else:
        messages.error(request, first_error(form))
    return redirect("requester:model", model.pk)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, model_id: int) -> HttpResponse:
    """Delete it, unless something uses it."""
    model = scope.model(request.account, model_id)  # type: ignore[attr-defined]
    try:
        model_approval.delete(model=model, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("requester:model", model.pk)
    messages.success(request, gettext("The model {name} is deleted.").format(name=model.name))
    return redirect("requester:models")
