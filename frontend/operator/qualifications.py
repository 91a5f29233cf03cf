"""The operator's qualification types, which every account may require, and who holds them."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from frontend import qualification_pages as pages
from frontend.session import operator_page
from marketplace.services import scope

ROOM = "operator"


@operator_page
def list_page(request: HttpRequest) -> HttpResponse:
    """The operator's types."""
    return pages.listed(request, scope.own_qualification_types(None), room=ROOM, manages=True)


@operator_page
def new(request: HttpRequest) -> HttpResponse:
    """Make a type for everybody."""
    return pages.new(request, None, room=ROOM)


@operator_page
def detail_page(request: HttpRequest, operator_type_id: int) -> HttpResponse:
    """One of the operator's types."""
    return pages.detail(request, scope.own_qualification_type(None, operator_type_id), room=ROOM, manages=True)


@require_POST
@operator_page
def grant(request: HttpRequest, operator_type_id: int) -> HttpResponse:
    """Grant a worker the qualification."""
    return pages.grant(request, scope.own_qualification_type(None, operator_type_id), room=ROOM)


@require_POST
@operator_page
def revoke(request: HttpRequest, operator_type_id: int) -> HttpResponse:
    """Take the qualification from a worker."""
    return pages.revoke(request, scope.own_qualification_type(None, operator_type_id), room=ROOM)


@require_POST
@operator_page
def switch(request: HttpRequest, operator_type_id: int) -> HttpResponse:
    """Stop or allow that the qualification is come by."""
    return pages.switch(request, scope.own_qualification_type(None, operator_type_id), room=ROOM)
