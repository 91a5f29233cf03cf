"""One's own webhooks."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from frontend import webhook_pages
from frontend.webhook_pages import Owner


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one."""
    return webhook_pages.list_page(request, Owner("person", user=request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def detail_page(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One, with its delivery log."""
    return webhook_pages.detail_page(request, Owner("person", user=request.user), endpoint_id)


@require_POST
@login_required
def act(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """A new secret, a test, enable, disable, delete."""
    return webhook_pages.act(request, Owner("person", user=request.user), endpoint_id)


@require_POST
@login_required
def redeliver(request: HttpRequest, endpoint_id: int, message_id: int) -> HttpResponse:
    """Send a message once more."""
    return webhook_pages.redeliver(request, Owner("person", user=request.user), endpoint_id, message_id)
