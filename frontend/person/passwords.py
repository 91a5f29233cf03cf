"""Changing one's password, and setting a forgotten one by a link. The views are Django's; each change is logged."""

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import guesses, letters
from frontend.rates import address_of
from marketplace.errors import TooManyTries
from marketplace.models import User
from marketplace.services import passwords, scope

logger = logging.getLogger(__name__)


def password_field(label: str, *, new: bool = True, help_text: str = "") -> forms.CharField:
    """A password as a field of a form: never shown again, and not stripped."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"})
    longest = passwords.LENGTH.longest
    return forms.CharField(label=label, max_length=longest, strip=False, widget=widget, help_text=help_text)


def _rules() -> str:
    return " ".join(password_validators_help_texts())


rules = lazy(_rules, str)
"""What a password has to be, as a page says it when it is shown."""


class NewPasswordForm(SetPasswordForm):
    """A new password, twice."""

    because = passwords.RESET
    new_password1 = password_field(_("New password"), help_text=rules())
    new_password2 = password_field(_("New password, again"))

    def save(self, commit: bool = True) -> User:
        """Set it, and record that it was set."""
        passwords.put(
            user=self.user,
            password=self.cleaned_data["new_password1"],
            by=scope.actor(self.user),
            because=self.because,
        )
        changed: User = self.user
        return changed


class ChangeForm(NewPasswordForm, PasswordChangeForm):
    """The old password and a new one; wrong old ones are limited as at the sign-in."""

    because = passwords.CHANGED
    old_password = password_field(_("Old password"), new=False)
    field_order = ["old_password", "new_password1", "new_password2"]

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """As Django's, with the limit."""
        try:
            taken = guesses.count(self.request, self.user.email)
        except TooManyTries as error:
            raise ValidationError(error.message, code="too_many") from None
        old: str = super().clean_old_password()
        guesses.give_back(taken)
        return old


class ChangeView(auth_views.PasswordChangeView):
    """Change one's password. This session goes on, all others end."""

    template_name = "person/password_change.html"
    form_class = ChangeForm
    success_url = reverse_lazy("person:you")

    def get_form_kwargs(self) -> dict[str, Any]:
        """See Django."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: ChangeForm) -> HttpResponse:
        """Change it and log it."""
        response = super().form_valid(form)
        logger.info("password changed: %s from %s", scope.actor(form.user), address_of(self.request))
        messages.success(self.request, gettext("Your password is changed. Other sessions of yours have ended."))
        return response

    def form_invalid(self, form: ChangeForm) -> HttpResponse:
        """The form with its errors."""
        if "old_password" in form.errors:
            who, address = scope.actor(form.user), address_of(self.request)
            logger.warning("password not changed, wrong old password: %s from %s", who, address)
        return self.render_to_response(self.get_context_data(form=form), status=422)


class ForgottenForm(PasswordResetForm):
    """The address that one signs in with."""

    email = forms.EmailField(widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_email(self) -> str:
        """Limited, whether the address belongs to somebody or not."""
        email: str = self.cleaned_data["email"]
        try:
            guesses.count(self.request, email, what=guesses.FORGOTTEN)
        except TooManyTries as error:
            raise ValidationError(error.message, code="too_many") from None
        return email

    def save(self, *args: Any, **options: Any) -> None:
        """Send the link by the queue, so that an address that belongs to somebody takes no longer than another."""
        email = self.cleaned_data["email"]
        logger.info("password link asked for: %s from %s", guesses.who(email), address_of(self.request))
        letters.deliver_password_link(scope.user_or_none(email))


class ForgottenView(auth_views.PasswordResetView):
    """Ask for a link to set a new password; without a mail server the page says who makes one."""

    template_name = "person/password_forgotten.html"
    form_class = ForgottenForm
    success_url = reverse_lazy("person:password-sent")

    def get_form_kwargs(self) -> dict[str, Any]:
        """See Django."""
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether letters are sent."""
        return {**super().get_context_data(**kwargs), "letters": letters.are_sent()}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the link, if letters are sent at all."""
        return super().post(request, *args, **kwargs) if letters.are_sent() else self.get(request, *args, **kwargs)

    def form_invalid(self, form: ForgottenForm) -> HttpResponse:
        """The form with its errors."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SentView(auth_views.PasswordResetDoneView):
    """What is said after asking for a link, whether the address belongs to somebody or not."""

    template_name = "person/password_sent.html"


class ResetView(auth_views.PasswordResetConfirmView):
    """Set a new password by a link."""

    template_name = "person/password_reset.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("sign-in")

    def get_user(self, uidb64: str) -> User | None:
        """Whom the link names; nobody who may not sign in."""
        return passwords.user_of_uid(uidb64)

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Set it and log it."""
        response = super().form_valid(form)
        logger.info("password set by a link: %s from %s", scope.actor(form.user), address_of(self.request))
        messages.success(self.request, gettext("Your new password is set. Sign in with it."))
        return response

    def form_invalid(self, form: NewPasswordForm) -> HttpResponse:
        """The form with its errors."""
        return self.render_to_response(self.get_context_data(form=form), status=422)
