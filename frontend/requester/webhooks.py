"""The account's webhooks, for its admins."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from frontend import webhook_pages
from frontend.session import requester_page
from frontend.webhook_pages import Owner
from marketplace.models import Role


def _owner(request: HttpRequest) -> Owner:
    return Owner("requester", account=request.account)  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one."""
    return webhook_pages.list_page(request, _owner(request))


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def detail_page(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """One, with its delivery log."""
    return webhook_pages.detail_page(request, _owner(request), webhook_id)


@require_POST
@requester_page(Role.ADMIN)
def act(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """A new secret, a test, enable, disable, delete."""
    return webhook_pages.act(request, _owner(request), webhook_id)


@require_POST
@requester_page(Role.ADMIN)
def redeliver(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send a message once more."""
    return webhook_pages.redeliver(request, _owner(request), webhook_id, delivery_id)
