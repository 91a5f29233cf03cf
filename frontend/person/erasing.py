"""The page on which people have their personal data erased, and the form of it that operators use, too."""

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from frontend.erasing import EraseForm
from labeling.services import erasing
from marketplace.errors import Invalid, WrongState
from marketplace.models import User
from marketplace.services import erasure, scope


@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Say what is erased and what stays, and what is in the way; erase it, and sign the person out."""
    user = scope.user(request.user.pk)
    form = EraseForm(request.POST if request.method == "POST" else None, auto_id="erase-%s")
    if request.method == "POST" and form.is_valid():
        try:
            erasing.erase(user=user, confirm=form.cleaned_data["confirm"], by=scope.actor(user))
        except Invalid as error:
            form.refuse(error)
        except WrongState:
            # The page lists what is in the way.
            form.add_error(None, gettext("Nothing was erased."))
        else:
            logout(request)
            messages.success(request, gettext("Your personal data are erased."))
            return redirect("sign-in")
    return _render(request, user, form)


def _render(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    context = {"form": form, "obstacles": erasure.obstacles(user)}
    return render(request, "person/erase.html", context, status=422 if form.errors else 200)
