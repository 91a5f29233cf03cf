"""The page to which an invitation's link leads: a new sign-in, or the way to the one that there is.

It looks the same whether the invited address belongs to somebody or not.
"""

import logging
from typing import Any

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from frontend.person.passwords import password_field, rules
from frontend.rates import address_of
from marketplace.errors import Invalid, NameTaken
from marketplace.services import accounts, invitations, scope

logger = logging.getLogger(__name__)
BACKEND = "django.contrib.auth.backends.ModelBackend"


class JoinForm(forms.Form):
    """Who one is and the password one will sign in with."""

    display_name = forms.CharField(
        max_length=accounts.DISPLAY_NAME_LENGTH.longest,
        required=False,
        label=_("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = password_field(_("Password"), help_text=rules())
    password_again = password_field(_("Password, again"))

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same."""
        given = super().clean() or {}
        if {"password", "password_again"} <= set(given) and given["password"] != given["password_again"]:
            self.add_error("password_again", gettext("The two passwords are not the same."))
        return given


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, secret: str) -> HttpResponse:
    """Show the invitation, and let somebody new join. Raises NotFound for a link that does not work any more."""
    invitation = invitations.of_link(secret)
    if request.user.is_authenticated and request.user.email == invitation.email:
        return redirect("person:you")
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            user = invitations.join_by_link(
                secret=secret, display_name=given["display_name"], password=given["password"]
            )
        except NameTaken:
            form.add_error(
                None,
                gettext("{email} has a sign-in already. Sign in with it to accept.").format(email=invitation.email),
            )
        except Invalid as error:
            for field, reason in error.errors or [("", error.message)]:
                form.add_error(field if field in form.fields else None, reason)
        else:
            logger.info("joined by an invitation's link: %s from %s", scope.actor(user), address_of(request))
            login(request, user, backend=BACKEND)
            return redirect("home")
    status = 422 if form.errors else 200
    return render(request, "person/join.html", {"invitation": invitation, "form": form}, status=status)
