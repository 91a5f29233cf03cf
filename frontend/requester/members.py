"""Members of the account: inviting them, their roles, taking them out, and invitations that are still open."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import letters
from frontend.requester import settings
from frontend.session import requester_page
from marketplace.errors import NameTaken
from marketplace.models import Role
from marketplace.services import accounts, invitations, scope


@require_POST
@requester_page(Role.ADMIN)
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to the account; without a mail server their link is shown on this one page."""
    form = settings.InviteForm(request.POST, roles=settings.roles_to_give(request))
    if not form.is_valid():
        return settings.render_page(request, invite=form, status=422)
    try:
        invitation = invitations.to_account(
            account=request.account,  # type: ignore[attr-defined]
            acting=request.user,
            **form.cleaned_data,
        )
    except NameTaken:
        form.add_error("email", gettext("Is a member already; change their role in the list."))
        return settings.render_page(request, invite=form, status=422)
    link = letters.deliver_invitation(invitation)
    if link:
        return settings.render_page(request, link=link, invited=invitation.email)
    messages.success(request, gettext("An invitation is on its way to {email}.").format(email=invitation.email))
    return redirect("requester:settings")


@require_POST
@requester_page(Role.ADMIN)
def set_organization(request: HttpRequest) -> HttpResponse:
    """Say who invites: the organization's name and a contact."""
    form = settings.OrganizationForm(request.POST)
    if not form.is_valid():
        return settings.render_page(request, organization=form, status=422)
    account = request.account  # type: ignore[attr-defined]
    accounts.set_organization(account=account, acting=request.user, **form.cleaned_data)
    messages.success(
        request,
        gettext("Invitations come from {organization_name} now.").format(organization_name=account.organization_name),
    )
    return redirect("requester:settings")


@require_POST
@requester_page(Role.ADMIN)
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take back an invitation to the account or to one of its teams."""
    invitation = scope.invitation(request.account, invitation_id)  # type: ignore[attr-defined]
    invitations.withdraw(invitation=invitation, acting=request.user)
    messages.success(request, gettext("The invitation of {email} is withdrawn.").format(email=invitation.email))
    if invitation.workteam_id:
        return redirect("requester:team", invitation.workteam_id)
    return redirect("requester:settings")


@require_POST
@requester_page(Role.ADMIN)
def change_role(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give a member another role."""
    account = request.account  # type: ignore[attr-defined]
    user = scope.member(account, user_id)
    row = accounts.change_role(account=account, user=user, role=request.POST.get("role", ""), acting=request.user)
    messages.success(request, gettext("{email} is now {role}.").format(email=user.email, role=row.role))
    return redirect("requester:settings")


@require_POST
@requester_page()
def remove(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a member out of the account, or leave it oneself."""
    account = request.account  # type: ignore[attr-defined]
    user = scope.member(account, user_id)
    accounts.remove_member(account=account, user=user, acting=request.user)
    if user.pk == request.user.pk:
        messages.success(request, gettext("You have left {name}.").format(name=account.name))
        return redirect("home")
    messages.success(request, gettext("{email} is no longer a member.").format(email=user.email))
    return redirect("requester:settings")
