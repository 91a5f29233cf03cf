"""The page of the account's members and of the caller's API tokens; members.py changes the members."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.session import requester_page
from marketplace.models import Membership, Role
from marketplace.services import accounts, scope


class InviteForm(forms.Form):
    """Somebody by their address, and the role they are offered."""

    email = forms.EmailField()
    role = forms.ChoiceField(initial=Role.MEMBER)

    def __init__(self, *args: Any, roles: Sequence[Role], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]


class OrganizationForm(forms.Form):
    """Who invites."""

    organization = forms.CharField(
        required=False,
        max_length=accounts.ORGANIZATION_LENGTH.longest,
        label=_("Organization"),
        help_text=_("The name in invitations and on the portals of your teams. Empty: the account's name."),
    )
    contact_email = forms.EmailField(
        required=False, label=_("Contact address"), help_text=_("Where the invited and your workers can ask.")
    )


class TokenForm(forms.Form):
    """A token's name."""

    name = forms.CharField(max_length=accounts.TOKEN_NAME_LENGTH.longest, label=_("What is it for?"))


def render_page(
    request: HttpRequest,
    *,
    invite: InviteForm | None = None,
    token: TokenForm | None = None,
    organization: OrganizationForm | None = None,
    secret: str = "",
    link: str = "",
    invited: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, with the forms as they were sent. A secret, or the link of who was invited, is not to be kept."""
    account = request.account  # type: ignore[attr-defined]
    roles = roles_to_give(request)
    open_invitations = scope.invitations(account).filter(workteam=None) if roles else []
    context = {
        "rows": _member_rows(request, roles),
        "roles": roles,
        "invitations": [(row, row.role in roles) for row in open_invitations],
        "tokens": scope.tokens(request.user).filter(revoked_at=None).order_by("-pk"),
        "invite_form": invite or InviteForm(roles=roles),
        "token_form": token or TokenForm(),
        "organization_form": organization
        or OrganizationForm(initial={"organization": account.organization, "contact_email": account.contact_email}),
        "secret": secret,
        "link": link,
        "invited": invited,
        "account": account,
    }
    response = render(request, "requester/settings.html", context, status=status)
    if secret or link:
        response["Cache-Control"] = "no-store"
    return response


def roles_to_give(request: HttpRequest) -> list[Role]:
    """The roles that the caller may give and take in the account."""
    own = accounts.role_of(account=request.account, user=request.user)  # type: ignore[attr-defined]
    return accounts.roles_to_give(own) if own else []


def _member_rows(request: HttpRequest, roles: list[Role]) -> list[dict[str, Any]]:
    """The members, each with the word for taking them out of the account: "Leave", "Remove", or "" if not allowed."""

    def word(member: Membership) -> str:
        if member.user_id == request.user.pk:
            return "Leave"
        return "Remove" if member.role in roles else ""

    members = scope.members(request.account)  # type: ignore[attr-defined]
    return [{"member": m, "word": word(m), "changeable": m.role in roles} for m in members]


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Members and tokens."""
    return render_page(request)


@require_POST
@requester_page(Role.MEMBER)
def create_token(request: HttpRequest) -> HttpResponse:
    """Create a token; its secret is shown on this one page and never again."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return render_page(request, token=form, status=422)
    _, secret = accounts.create_token(
        user=request.user,
        account=request.account,  # type: ignore[attr-defined]
        name=form.cleaned_data["name"],
    )
    return render_page(request, secret=secret)


@require_POST
@requester_page()
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token of one's own."""
    token = scope.token(request.user, token_id)
    accounts.revoke_token(token=token, by=scope.actor(request.user))
    messages.success(request, gettext("The token {prefix}… is revoked.").format(prefix=token.prefix))
    return redirect("requester:settings")
