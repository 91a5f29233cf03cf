"""What one was told, and by which channels one wants to be told."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from frontend import letters, notice_links, words
from frontend.session import SESSION_KEY
from marketplace.models import EmailPace, NoticeKind
from marketplace.services import notifications, scope

PER_PAGE = 50


class PreferencesForm(forms.Form):
    """For each kind of notice, whether it is listed and when it is mailed."""

    def __init__(self, *args: Any, wanted: dict[NoticeKind, notifications.Channels], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for kind, channels in wanted.items():
            self.fields[f"in_app {kind}"] = forms.BooleanField(required=False, initial=channels.in_app)
            self.fields[f"email {kind}"] = forms.ChoiceField(choices=words.choices(EmailPace), initial=channels.email)

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """(label, listed, mailed) of each kind."""
        return [(gettext(kind.label), self[f"in_app {kind}"], self[f"email {kind}"]) for kind in notifications.KINDS]


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """One's notices, newest first."""
    shown = Paginator(notifications.of(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": shown, "rows": [(notice, notice_links.page_of(notice)) for notice in shown]}
    return render(request, "person/notices.html", context)


@require_POST
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    notifications.mark_read(user=request.user)
    return redirect("person:notices")


@require_POST
@login_required
def open_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark one notice as read, and go to the page that it is about."""
    notice = notifications.one_of(request.user, notice_id)
    notifications.mark_read(user=request.user, notice_ids=[notice.pk])
    if notice.account_id is not None and scope.is_member(request.user, notice.account_id):
        # The page is one of this account, which the browser may not be acting for.
        request.session[SESSION_KEY] = notice.account_id
    return redirect(notice_links.page_of(notice) or "person:notices")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings_page(request: HttpRequest) -> HttpResponse:
    """By which channels one wants each kind of notice."""
    wanted = notifications.preferences(request.user)
    form = PreferencesForm(request.POST if request.method == "POST" else None, wanted=wanted)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        notifications.prefer_all(
            user=request.user,
            wanted={
                kind: notifications.Channels(given[f"in_app {kind}"], EmailPace(given[f"email {kind}"]))
                for kind in notifications.KINDS
            },
        )
        messages.success(request, gettext("Saved."))
        return redirect("person:notice-settings")
    context = {"form": form, "letters": letters.are_sent()}
    return render(request, "person/notice_settings.html", context, status=422 if form.errors else 200)
