"""Members of the account, and the caller's API tokens."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.session import requester_page
from marketplace.errors import NotFound
from marketplace.models import Membership, Role
from marketplace.services import accounts, scope


class MemberForm(forms.Form):
    """Somebody with a sign-in, and their role."""

    email = forms.EmailField()
    role = forms.ChoiceField(initial=Role.MEMBER)

    def __init__(self, *args: Any, roles: Sequence[Role], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]


class TokenForm(forms.Form):
    """A token's name."""

    name = forms.CharField(max_length=accounts.TOKEN_NAME_LENGTH.longest, label="What is it for?")


def _render(
    request: HttpRequest,
    *,
    member: MemberForm | None = None,
    token: TokenForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    account = request.account  # type: ignore[attr-defined]
    context = {
        "rows": _member_rows(request),
        "tokens": scope.tokens(request.user).filter(revoked_at=None).order_by("-pk"),
        "member_form": member or MemberForm(roles=_roles_to_give(request)),
        "token_form": token or TokenForm(),
        "secret": secret,
        "account": account,
    }
    response = render(request, "requester/settings.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


def _roles_to_give(request: HttpRequest) -> list[Role]:
    own = accounts.role_of(account=request.account, user=request.user)  # type: ignore[attr-defined]
    return accounts.roles_to_give(own) if own else []


def _member_rows(request: HttpRequest) -> list[dict[str, Any]]:
    """The members, each with the word for taking them out of the account: "Leave", "Remove", or "" if not allowed."""
    roles = _roles_to_give(request)

    def word(member: Membership) -> str:
        if member.user_id == request.user.pk:
            return "Leave"
        return "Remove" if member.role in roles else ""

    return [{"member": m, "word": word(m)} for m in scope.members(request.account)]  # type: ignore[attr-defined]


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Members and tokens."""
    return _render(request)


@require_POST
@requester_page(Role.ADMIN)
def add_member(request: HttpRequest) -> HttpResponse:
    """Add a member, or change their role."""
    form = MemberForm(request.POST, roles=_roles_to_give(request))
    user = None
    if form.is_valid():
        try:
            user = scope.user_by_email(form.cleaned_data["email"])
        except NotFound:
            form.add_error("email", "Nobody with this address has a sign-in here.")
    if user is None:
        return _render(request, member=form, status=422)
    accounts.add_member(
        account=request.account,  # type: ignore[attr-defined]
        user=user,
        role=form.cleaned_data["role"],
        acting=request.user,
    )
    messages.success(request, f"{user.email} is now {form.cleaned_data['role']}.")
    return redirect("requester:settings")


@require_POST
@requester_page()
def remove_member(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a member out of the account, or leave it oneself."""
    account = request.account  # type: ignore[attr-defined]
    user = scope.member(account, user_id)
    accounts.remove_member(account=account, user=user, acting=request.user)
    if user.pk == request.user.pk:
        messages.success(request, f"You have left {account.name}.")
        return redirect("home")
    messages.success(request, f"{user.email} is no longer a member.")
    return redirect("requester:settings")


@require_POST
@requester_page(Role.MEMBER)
def create_token(request: HttpRequest) -> HttpResponse:
    """Create a token; its secret is shown on this one page and never again."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _render(request, token=form, status=422)
    _, secret = accounts.create_token(
        user=request.user,
        account=request.account,  # type: ignore[attr-defined]
        name=form.cleaned_data["name"],
    )
    return _render(request, secret=secret)


@require_POST
@requester_page()
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token of one's own."""
    token = scope.token(request.user, token_id)
    accounts.revoke_token(token=token, by=scope.actor(request.user))
    messages.success(request, f"The token {token.prefix}… is revoked.")
    return redirect("requester:settings")
