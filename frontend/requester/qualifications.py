"""The account's qualification types, and who holds them."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from frontend import qualification_pages as pages
from frontend.requester.settings import roles_to_give
from frontend.session import requester_page
from marketplace.models import QualificationType, Role
from marketplace.services import scope

ROOM = "requester"


def _own(request: HttpRequest, type_id: int) -> QualificationType:
    return scope.own_qualification_type(request.account, type_id)  # type: ignore[attr-defined]


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """The types that the account's jobs may require: its own and the operator's."""
    rows = scope.qualification_types(request.account)  # type: ignore[attr-defined]
    return pages.listed(request, rows, room=ROOM, manages=bool(roles_to_give(request)))


@requester_page(Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Make a type, with a test out of labeled objects where it has one."""
    return pages.new(request, request.account, room=ROOM)  # type: ignore[attr-defined]


@requester_page()
def detail_page(request: HttpRequest, type_id: int) -> HttpResponse:
    """One of the account's own types."""
    return pages.detail(request, _own(request, type_id), room=ROOM, manages=bool(roles_to_give(request)))


@require_POST
@requester_page(Role.ADMIN)
def grant(request: HttpRequest, type_id: int) -> HttpResponse:
    """Grant a worker the qualification."""
    return pages.grant(request, _own(request, type_id), room=ROOM)


@require_POST
@requester_page(Role.ADMIN)
def revoke(request: HttpRequest, type_id: int) -> HttpResponse:
    """Take the qualification from a worker."""
    return pages.revoke(request, _own(request, type_id), room=ROOM)


@require_POST
@requester_page(Role.ADMIN)
def switch(request: HttpRequest, type_id: int) -> HttpResponse:
    """Stop or allow that the qualification is come by."""
    return pages.switch(request, _own(request, type_id), room=ROOM)
